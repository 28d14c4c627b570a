/**
 * All streams of the embedded engine with the hours in which they have entries, in memory: this
 * server is the only one that writes there, so that nobody has to ask. A tenant's are read from
 * the table of streams when they are first asked for, and the writer tells what it adds. What is
 * known may be more than there is, never less.
 */
import { TytoError } from '@tyto/base';
import { Labels, type LogStreamsRequest, type Matcher } from '@tyto/model';
import { type ClickHouse, quote } from './clickhouse.ts';
import { STREAM_SPANS_MAX, STREAMS_KEPT_MAX, STREAMS_MAX } from './limits.ts';
import { clampTime, QUERY_SETTINGS } from './logSql.ts';
import { longColumn, mapColumn, readNative } from './native.ts';
import { STREAMS } from './schema.ts';
import type { KnownStream } from './streamCatalog.ts';
import { askForStreams, type FoundStreams, isWanted, tooManyStreams } from './streamFinder.ts';

const HOUR_NS = 3_600_000_000_000n;
/** The writer tells hours from rounded numbers. */
const EDGE_NS = 1_000_000n;
/** Streams that are added between two looks at how many there are. */
const SHRINK_EVERY = 1000;

export class StreamDirectory {
  /** The least recently used first. */
  readonly #tenants = new Map<string, Tenant>();
  #added = 0;

  async find(clickhouse: ClickHouse, request: LogStreamsRequest): Promise<FoundStreams> {
    const tenant = this.#tenantOf(clickhouse, request.tenant);
    const streams = await tenant.loaded;
    // What belongs to no directory any more may lack what was written since.
    if (this.#tenants.get(request.tenant) !== tenant) return askForStreams(clickhouse, request);
    return streams?.find(request) ?? askForStreams(clickhouse, request);
  }

  /** To be called when the table of streams has these hours. */
  add({ tenant: name, id, labels }: KnownStream, hours: Iterable<number>): void {
    const tenant = this.#tenants.get(name);
    if (tenant === undefined) return;
    for (const hour of hours) {
      if (tenant.streams === undefined) tenant.missed.push({ id, labels, hour });
      else tenant.streams.add(id, labels, hour, hour + 1);
    }
    if (++this.#added % SHRINK_EVERY === 0) this.#shrink();
  }

  /** After rows of streams were deleted. */
  forget(): void {
    this.#tenants.clear();
  }

  #tenantOf(clickhouse: ClickHouse, name: string): Tenant {
    let tenant = this.#tenants.get(name);
    this.#tenants.delete(name);
    tenant ??= this.#load(clickhouse, name);
    this.#tenants.set(name, tenant);
    return tenant;
  }

  #load(clickhouse: ClickHouse, name: string): Tenant {
    const finish = async (): Promise<TenantStreams | undefined> => {
      try {
        const streams = await loadStreams(clickhouse, name);
        for (const { id, labels, hour } of tenant.missed.splice(0)) {
          streams?.add(id, labels, hour, hour + 1);
        }
        tenant.streams = streams ?? new TenantStreams();
        this.#shrink();
        return streams;
      } catch (error) {
        if (this.#tenants.get(name) === tenant) this.#tenants.delete(name);
        throw error;
      }
    };
    const tenant: Tenant = { streams: undefined, missed: [], loaded: Promise.resolve(undefined) };
    tenant.loaded = finish();
    return tenant;
  }

  #shrink(): void {
    let size = 0;
    for (const { streams, missed } of this.#tenants.values()) {
      size += 1 + (streams?.size ?? 0) + missed.length;
    }
    for (const [name, { streams, missed }] of this.#tenants) {
      if (size <= STREAMS_KEPT_MAX) return;
      size -= 1 + (streams?.size ?? 0) + missed.length;
      this.#tenants.delete(name);
    }
  }
}

interface Tenant {
  streams: TenantStreams | undefined;
  /** What was written while they were being read. */
  readonly missed: { id: bigint; labels: Labels; hour: number }[];
  /** Undefined where there are too many to keep. */
  loaded: Promise<TenantStreams | undefined>;
}

interface StoredStream {
  readonly id: bigint;
  readonly labels: Labels;
  /** Hours since 1970, from and to, apart and in order: [from, to, from, to…]. */
  readonly spans: number[];
}

class TenantStreams {
  readonly #streams = new Map<bigint, StoredStream>();
  /** By a label's name and value. */
  readonly #byLabel = new Map<string, Map<string, StoredStream[]>>();

  get size(): number {
    return this.#streams.size;
  }

  add(id: bigint, labels: Labels, fromHour: number, toHour: number): void {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = { id, labels, spans: [] };
      this.#streams.set(id, stream);
      for (const [name, value] of labels.entries()) this.#listOf(name, value).push(stream);
    }
    addSpan(stream.spans, fromHour, toHour);
  }

  find({ matcherSets, startNs, endNs }: LogStreamsRequest): FoundStreams {
    const [start, end] = [clampTime(startNs), clampTime(endNs)];
    const labels = new Map<bigint, Labels>();
    let firstNs = end;
    let lastNs = start;
    for (const stream of this.#candidates(matcherSets)) {
      const { spans } = stream;
      let isThere = false;
      for (let i = 0; i < spans.length; i += 2) {
        const fromNs = BigInt(spans[i]) * HOUR_NS - EDGE_NS;
        const toNs = BigInt(spans[i + 1]) * HOUR_NS + EDGE_NS;
        if (toNs < start || fromNs > end) continue;
        if (!isThere && !isWanted(stream.labels, matcherSets)) break;
        isThere = true;
        if (fromNs < firstNs) firstNs = fromNs;
        if (toNs > lastNs) lastNs = toNs;
      }
      if (isThere) labels.set(stream.id, stream.labels);
      if (labels.size > STREAMS_MAX) throw tooManyStreams();
    }
    return { labels, firstNs: clampTime(firstNs), lastNs: clampTime(lastNs) };
  }

  /** Those that an equation of a label leaves, where there is one. */
  #candidates(sets: readonly (readonly Matcher[])[]): Iterable<StoredStream> {
    if (sets.length !== 1) return this.#streams.values();
    let best: readonly StoredStream[] | undefined;
    for (const { type, name, value } of sets[0]) {
      if (type !== '=' || value === '') continue;
      const own = this.#byLabel.get(name)?.get(value) ?? [];
      if (best === undefined || own.length < best.length) best = own;
    }
    return best ?? this.#streams.values();
  }

  #listOf(name: string, value: string): StoredStream[] {
    let byValue = this.#byLabel.get(name);
    if (byValue === undefined) {
      byValue = new Map();
      this.#byLabel.set(name, byValue);
    }
    let list = byValue.get(value);
    if (list === undefined) {
      list = [];
      byValue.set(value, list);
    }
    return list;
  }
}

/** Spans that touch become one, and of too many the nearest. */
function addSpan(spans: number[], from: number, to: number): void {
  let first = 0;
  while (first < spans.length && spans[first + 1] < from) first += 2;
  let end = first;
  while (end < spans.length && spans[end] <= to) end += 2;
  const start = end > first ? Math.min(from, spans[first]) : from;
  const stop = end > first ? Math.max(to, spans[end - 1]) : to;
  spans.splice(first, end - first, start, stop);
  if (spans.length <= 2 * STREAM_SPANS_MAX) return;
  let nearest = 1;
  for (let i = 1; i + 1 < spans.length; i += 2) {
    if (spans[i + 1] - spans[i] < spans[nearest + 1] - spans[nearest]) nearest = i;
  }
  spans.splice(nearest, 2);
}

/** Undefined where there are too many to keep. */
async function loadStreams(
  clickhouse: ClickHouse,
  tenant: string,
): Promise<TenantStreams | undefined> {
  const own = `FROM ${STREAMS} WHERE tenant = ${quote(tenant)} GROUP BY stream`;
  const end = `SETTINGS ${QUERY_SETTINGS} FORMAT Native`;
  try {
    const named = await clickhouse.query(
      `SELECT stream, CAST(any(labels), 'Map(String, String)') AS pairs ${own}
       LIMIT ${STREAMS_KEPT_MAX + 1} ${end}`,
    );
    const labels = readLabels(named);
    if (labels.size > STREAMS_KEPT_MAX) return undefined;
    const timed = await clickhouse.query(
      `SELECT stream, toInt64(min(first)) AS firstNs, toInt64(max(last)) AS lastNs ${own}, day
       ORDER BY stream, day ${end}`,
    );
    const streams = new TenantStreams();
    for (const block of readNative(timed)) {
      const ids = longColumn(block, 'stream');
      const firsts = longColumn(block, 'firstNs');
      const lasts = longColumn(block, 'lastNs');
      for (let row = 0; row < block.rows; row++) {
        const id = BigInt.asUintN(64, ids[row]);
        const known = labels.get(id);
        // What has come since the first question, the writer tells.
        if (known !== undefined) {
          streams.add(id, known, nearestHour(firsts[row]), nearestHour(lasts[row]));
        }
      }
    }
    return streams;
  } catch (error) {
    if (error instanceof TytoError && error.kind === 'too_large') return undefined;
    throw error;
  }
}

/** Names and values that many streams share are kept once. */
function readLabels(answer: Buffer): Map<bigint, Labels> {
  const texts = new Map<string, string>();
  const shared = (text: string) => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };
  const labels = new Map<bigint, Labels>();
  for (const block of readNative(answer)) {
    const ids = longColumn(block, 'stream');
    const pairs = mapColumn(block, 'pairs');
    for (let row = 0; row < block.rows; row++) {
      labels.set(BigInt.asUintN(64, ids[row]), Labels.fromSorted(pairs[row].map(shared)));
    }
  }
  return labels;
}

/** The table has edges a little wider than the hours. */
function nearestHour(timeNs: bigint): number {
  return Math.round(Number(timeNs) / Number(HOUR_NS));
}

/** Reading logs: streams by their matchers, and their entries in order of time, slice by slice. */
import { TytoError } from '@tyto/base';
import {
  compareLabels,
  Labels,
  type LogChunk,
  type LogRange,
  type LogRead,
  type LogReadSize,
  type LogSelect,
  type LogStreamSize,
  type LogStreamsRequest,
  type Matcher,
  matchesAll,
} from '@tyto/model';
import { type ClickHouse, clickHouseCode, quote } from './clickhouse.ts';
import { QUERY_MEMORY_BYTES, QUERY_SECONDS_MAX, SLICE_ENTRIES_MAX, STREAMS_MAX } from './limits.ts';
import { clampTime, entriesCondition, roughConditions, streamCondition } from './logSql.ts';
import { type ReadBlock, readNative } from './native.ts';
import { ENTRIES, STREAMS } from './schema.ts';

/** The first slice of time of a reading that is not sure to find enough; the next are longer. */
const FIRST_SLICE_NS = 60_000_000_000n;
const GROWTH_EMPTY = 16n;
const GROWTH_FEW = 4n;
/** Entries of one slice at first, because lines may be long; then by the length that they have. */
const FIRST_ENTRIES_MAX = 2000;
const SLICE_BYTES = 64 * 1024 * 1024;
const DAY_NS = 86_400_000_000_000n;
const CANNOT_COMPILE_REGEXP = 427;

/** Settings of every query of ours. */
export const QUERY_SETTINGS = [
  `max_memory_usage = ${QUERY_MEMORY_BYTES}`,
  `max_execution_time = ${QUERY_SECONDS_MAX}`,
  'max_ast_elements = 1000000',
  'max_expanded_ast_elements = 1000000',
  'output_format_native_write_json_as_string = 0',
].join(', ');

export interface FoundStreams {
  readonly labels: ReadonlyMap<bigint, Labels>;
  /** From the first to the last of their hours. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

/** Streams that satisfy any of the lists, with entries on the days of the range. */
export async function findStreams(
  clickhouse: ClickHouse,
  request: LogStreamsRequest,
): Promise<FoundStreams> {
  const { tenant, matcherSets, signal } = request;
  const sets = matcherSets.map((matchers) => `(${streamCondition(matchers)})`);
  const startNs = clampTime(request.startNs);
  const endNs = clampTime(request.endNs);
  const days = `day >= ${dayLiteral(startNs)} AND day <= ${dayLiteral(endNs)}`;
  const buffer = await clickhouse.query(
    `SELECT stream, CAST(any(labels), 'Map(String, String)') AS pairs,
       toInt64(min(first)) AS firstNs, toInt64(max(last)) AS lastNs
     FROM ${STREAMS}
     WHERE tenant = ${quote(tenant)} AND ${days}
       AND last >= ${startNs} AND first <= ${endNs}
       AND (${sets.length === 0 ? '1' : sets.join(' OR ')})
     GROUP BY stream LIMIT ${STREAMS_MAX + 1}
     SETTINGS ${QUERY_SETTINGS} FORMAT Native`,
    { signal },
  );
  const labels = new Map<bigint, Labels>();
  let firstNs = endNs;
  let lastNs = startNs;
  for (const block of readNative(buffer)) {
    const ids = longs(block, 'stream');
    const firsts = longs(block, 'firstNs');
    const lasts = longs(block, 'lastNs');
    const pairs = maps(block, 'pairs');
    for (let row = 0; row < block.rows; row++) {
      const own = Labels.fromSorted(pairs[row]);
      if (!isWanted(own, matcherSets)) continue;
      labels.set(BigInt.asUintN(64, ids[row]), own);
      if (firsts[row] < firstNs) firstNs = firsts[row];
      if (lasts[row] > lastNs) lastNs = lasts[row];
    }
  }
  if (labels.size > STREAMS_MAX) {
    throw new TytoError('too_large', `more than ${STREAMS_MAX} streams match; name more labels`);
  }
  return { labels, firstNs, lastNs };
}

export async function* readEntries(
  clickhouse: ClickHouse,
  request: LogRead,
): AsyncIterable<LogChunk> {
  const found = await findStreams(clickhouse, { ...request, matcherSets: [request.matchers] });
  const range = intersection(request, found);
  if (found.labels.size === 0 || range.startNs >= range.endNs) return;
  const isForward = request.direction === 'forward';
  const slices = new Slices(range, isForward, found.labels.size === 1, request.wanted);
  let conditions = roughConditions(request.filters);
  let areTiesWanted = false;
  while (!slices.isDone) {
    const slice = slices.next();
    let chunks: LogChunk[];
    try {
      const ids = found.labels.keys();
      const blocks = await readSlice(clickhouse, request, ids, slice, conditions, areTiesWanted);
      chunks = blocks.map((block) => chunkOf(block, found.labels));
    } catch (error) {
      if (clickHouseCode(error) === CANNOT_COMPILE_REGEXP && conditions.length > 0) {
        conditions = [];
        continue;
      }
      if (error instanceof TytoError && error.kind === 'too_large' && slices.shrink()) continue;
      throw error;
    }
    const rows = chunks.reduce((sum, chunk) => sum + chunk.lines.length, 0);
    const isCut = rows >= slice.limit && !areTiesWanted;
    const lastNs = chunks.at(-1)?.timestampsNs.at(-1) ?? 0n;
    if (isCut && chunks[0].timestampsNs[0] === lastNs) {
      // All of one time: there is no place to go on from but behind all of that time.
      areTiesWanted = true;
      continue;
    }
    let characters = 0;
    for (const chunk of chunks) {
      for (const line of chunk.lines) characters += line.length;
      // There may be more of the last time, so it comes with the next slice.
      const whole = isCut ? withoutTime(chunk, lastNs) : chunk;
      if (whole.lines.length > 0) yield whole;
    }
    slices.advance(
      slice,
      rows,
      characters,
      isCut || rows >= slice.limit ? lastNs : undefined,
      isCut,
    );
    areTiesWanted = false;
  }
}

/** Without the entries of a time at its end. */
function withoutTime(chunk: LogChunk, timeNs: bigint): LogChunk {
  let end = chunk.lines.length;
  while (end > 0 && chunk.timestampsNs[end - 1] === timeNs) end--;
  if (end === chunk.lines.length) return chunk;
  return {
    streams: chunk.streams,
    streamOf: chunk.streamOf.subarray(0, end),
    timestampsNs: chunk.timestampsNs.subarray(0, end),
    lines: chunk.lines.slice(0, end),
    metadata: chunk.metadata.slice(0, end),
  };
}

interface Slice extends LogRange {
  /** Most entries of one reading. */
  readonly limit: number;
}

/** Which time to read next, and how many entries of it. */
class Slices {
  #startNs: bigint;
  #endNs: bigint;
  readonly #isForward: boolean;
  #spanNs: bigint;
  #limit: number;

  constructor(range: LogRange, isForward: boolean, isSingle: boolean, wanted: number) {
    this.#startNs = range.startNs;
    this.#endNs = range.endNs;
    this.#isForward = isForward;
    // The entries of one stream lie in order, so the limit alone ends the reading.
    this.#spanNs = isSingle ? range.endNs - range.startNs : FIRST_SLICE_NS;
    this.#limit = Math.max(10, Math.min(wanted + 1, FIRST_ENTRIES_MAX));
  }

  get isDone(): boolean {
    return this.#startNs >= this.#endNs;
  }

  next(): Slice {
    const limit = this.#limit;
    if (this.#isForward) {
      const endNs = this.#startNs + this.#spanNs;
      return { startNs: this.#startNs, endNs: endNs < this.#endNs ? endNs : this.#endNs, limit };
    }
    const startNs = this.#endNs - this.#spanNs;
    return {
      startNs: startNs > this.#startNs ? startNs : this.#startNs,
      endNs: this.#endNs,
      limit,
    };
  }

  /** `lastNs` is where a slice that has more was cut, and whether that time is still to come. */
  advance(
    slice: Slice,
    rows: number,
    characters: number,
    lastNs: bigint | undefined,
    isLastToCome: boolean,
  ): void {
    if (lastNs === undefined) {
      if (this.#isForward) this.#startNs = slice.endNs;
      else this.#endNs = slice.startNs;
      this.#spanNs *= rows * 8 < slice.limit ? GROWTH_EMPTY : GROWTH_FEW;
    } else if (this.#isForward) this.#startNs = isLastToCome ? lastNs : lastNs + 1n;
    else this.#endNs = isLastToCome ? lastNs + 1n : lastNs;
    const mean = rows === 0 ? 0 : characters / rows;
    const most = Math.min(SLICE_ENTRIES_MAX, Math.floor(SLICE_BYTES / (mean + 64)));
    this.#limit = Math.max(10, Math.min(this.#limit * 4, most));
  }

  /** Whether a smaller slice is worth trying. */
  shrink(): boolean {
    if (this.#limit <= 10) return false;
    this.#limit = Math.max(10, Math.floor(this.#limit / 20));
    return true;
  }
}

async function readSlice(
  clickhouse: ClickHouse,
  { tenant, direction, signal }: LogRead,
  streams: Iterable<bigint>,
  slice: Slice,
  conditions: readonly string[],
  areTiesWanted: boolean,
): Promise<ReadBlock[]> {
  const where = [entriesCondition(tenant, streams, slice), ...conditions].join(' AND ');
  const order = direction === 'forward' ? 'ASC' : 'DESC';
  const buffer = await clickhouse.query(
    `SELECT stream, time, line, metadata FROM ${ENTRIES} WHERE ${where}
     ORDER BY time ${order} LIMIT ${slice.limit}${areTiesWanted ? ' WITH TIES' : ''}
     SETTINGS ${QUERY_SETTINGS} FORMAT Native`,
    { signal },
  );
  return readNative(buffer);
}

export async function estimateEntries(
  clickhouse: ClickHouse,
  request: LogSelect,
): Promise<LogReadSize> {
  const found = await findStreams(clickhouse, { ...request, matcherSets: [request.matchers] });
  if (found.labels.size === 0) return { entries: 0, bytes: 0 };
  const where = entriesCondition(request.tenant, found.labels.keys(), intersection(request, found));
  const [[entries, bytes]] = await clickhouse.rows<[string, string]>(
    `SELECT count(), sum(bytes) FROM ${ENTRIES} WHERE ${where}`,
    { signal: request.signal },
  );
  return { entries: Number(entries), bytes: Number(bytes) };
}

export async function listStreams(
  clickhouse: ClickHouse,
  request: LogStreamsRequest,
): Promise<readonly Labels[]> {
  const { labels } = await findStreams(clickhouse, request);
  return [...labels.values()].sort(compareLabels);
}

export async function sizeStreams(
  clickhouse: ClickHouse,
  request: LogStreamsRequest & { readonly stepNs?: bigint | undefined },
): Promise<readonly LogStreamSize[]> {
  const { tenant, stepNs, signal } = request;
  const found = await findStreams(clickhouse, request);
  if (found.labels.size === 0) return [];
  const where = entriesCondition(tenant, found.labels.keys(), intersection(request, found));
  const end =
    stepNs === undefined
      ? `toInt64(${request.endNs})`
      : `(intDiv(toUnixTimestamp64Nano(time), ${stepNs}) + 1) * ${stepNs}`;
  const rows = await clickhouse.rows<[string, string, string, string]>(
    `SELECT stream, ${end} AS endNs, count(), sum(bytes) FROM ${ENTRIES}
     WHERE ${where} GROUP BY stream, endNs ORDER BY stream, endNs`,
    { signal },
  );
  return rows
    .map(([stream, endNs, entries, bytes]) => ({
      labels: found.labels.get(BigInt(stream)) ?? Labels.empty,
      endNs: BigInt(endNs),
      entries: Number(entries),
      bytes: Number(bytes),
    }))
    .sort((a, b) => compareLabels(a.labels, b.labels));
}

/** The part of a range in which the streams have anything. */
export function intersection(range: LogRange, { firstNs, lastNs }: FoundStreams): LogRange {
  return {
    startNs: range.startNs > firstNs ? range.startNs : firstNs,
    endNs: range.endNs < lastNs + 1n ? range.endNs : lastNs + 1n,
  };
}

function chunkOf(block: ReadBlock, labels: ReadonlyMap<bigint, Labels>): LogChunk {
  const ids = longs(block, 'stream');
  const streams: Labels[] = [];
  const indexes = new Map<bigint, number>();
  const streamOf = new Uint32Array(block.rows);
  let lastId = 0n;
  let lastIndex = -1;
  for (let row = 0; row < block.rows; row++) {
    if (ids[row] !== lastId || lastIndex < 0) {
      lastId = ids[row];
      lastIndex = indexes.get(lastId) ?? -1;
      if (lastIndex < 0) {
        lastIndex = streams.length;
        indexes.set(lastId, lastIndex);
        streams.push(labels.get(BigInt.asUintN(64, lastId)) ?? Labels.empty);
      }
    }
    streamOf[row] = lastIndex;
  }
  return {
    streams,
    streamOf,
    timestampsNs: longs(block, 'time'),
    lines: texts(block, 'line'),
    metadata: maps(block, 'metadata').map((pairs) =>
      pairs.length === 0 ? Labels.empty : Labels.fromSorted(pairs),
    ),
  };
}

function isWanted(labels: Labels, sets: readonly (readonly Matcher[])[]): boolean {
  return sets.length === 0 || sets.some((matchers) => matchesAll(matchers, labels));
}

/** Days of the type Date, which ends in 2149. */
function dayLiteral(timeNs: bigint): string {
  const day = Number((timeNs - (timeNs % DAY_NS)) / DAY_NS);
  return `toDate(${Math.max(0, Math.min(65_535, day))})`;
}

function longs(block: ReadBlock, name: string): BigInt64Array {
  const column = block.columns.get(name);
  if (column?.kind !== 'long') throw missing(name);
  return column.values;
}

function texts(block: ReadBlock, name: string): string[] {
  const column = block.columns.get(name);
  if (column?.kind !== 'text') throw missing(name);
  return column.values;
}

function maps(block: ReadBlock, name: string): readonly (readonly string[])[] {
  const column = block.columns.get(name);
  if (column?.kind !== 'map') throw missing(name);
  return column.values;
}

function missing(name: string): TytoError {
  return new TytoError('internal', `the log store answered without the column ${name}`);
}

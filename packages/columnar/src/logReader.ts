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
} from '@tyto/model';
import { type ClickHouse, clickHouseCode } from './clickhouse.ts';
import { SLICE_ENTRIES_MAX } from './limits.ts';
import { entriesCondition, QUERY_SETTINGS, roughConditions } from './logSql.ts';
import { longColumn, mapColumn, type ReadBlock, readNative, textColumn } from './native.ts';
import { ENTRIES } from './schema.ts';
import type { StreamCatalog } from './streamCatalog.ts';
import { intersection } from './streamFinder.ts';

/**
 * The first slice of time of a reading that is not sure to find enough; the next are longer. Each
 * costs some 10 ms by itself, and a search through everything should be few of them.
 */
const FIRST_SLICE_NS = 60_000_000_000n;
const FIRST_SEARCH_NS = 300_000_000_000n;
/** One stream lies in order, so that a limit ends its reading; less time is fewer parts to open. */
const FIRST_OF_STREAM_NS = 3_600_000_000_000n;
const GROWTH_EMPTY = 64n;
const GROWTH_FEW = 4n;
/** Entries of one slice at first, because lines may be long; then by the length that they have. */
const FIRST_ENTRIES_MAX = 2000;
const SLICE_BYTES = 64 * 1024 * 1024;
const CANNOT_COMPILE_REGEXP = 427;

export interface LogTables {
  readonly clickhouse: ClickHouse;
  readonly catalog: StreamCatalog;
}

export async function* readEntries(
  { clickhouse, catalog }: LogTables,
  request: LogRead,
): AsyncIterable<LogChunk> {
  const found = await catalog.find(clickhouse, { ...request, matcherSets: [request.matchers] });
  const range = intersection(request, found);
  if (found.labels.size === 0 || range.startNs >= range.endNs) return;
  const isForward = request.direction === 'forward';
  const isSearch = request.filters.length > 0;
  const firstNs =
    found.labels.size === 1 ? FIRST_OF_STREAM_NS : isSearch ? FIRST_SEARCH_NS : FIRST_SLICE_NS;
  const slices = new Slices(range, isForward, firstNs, request.wanted);
  let conditions = roughConditions(request.filters, found.labels);
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

  constructor(range: LogRange, isForward: boolean, firstNs: bigint, wanted: number) {
    this.#startNs = range.startNs;
    this.#endNs = range.endNs;
    this.#isForward = isForward;
    this.#spanNs = firstNs;
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
  const where = entriesCondition(tenant, streams, slice);
  // The lines first: nothing else is read of those that do not pass, and most do not.
  const prewhere = conditions.length === 0 ? '' : `PREWHERE ${conditions.join(' AND ')}`;
  // Without a condition of lines the indexes cost more than they save.
  const settings = conditions.length === 0 ? ', use_skip_indexes = 0' : '';
  const order = direction === 'forward' ? 'ASC' : 'DESC';
  const buffer = await clickhouse.query(
    `SELECT stream, time, line, metadata FROM ${ENTRIES} ${prewhere} WHERE ${where}
     ORDER BY time ${order} LIMIT ${slice.limit}${areTiesWanted ? ' WITH TIES' : ''}
     SETTINGS ${QUERY_SETTINGS}${settings} FORMAT Native`,
    { signal },
  );
  return readNative(buffer);
}

export async function estimateEntries(
  { clickhouse, catalog }: LogTables,
  request: LogSelect,
): Promise<LogReadSize> {
  const found = await catalog.find(clickhouse, { ...request, matcherSets: [request.matchers] });
  if (found.labels.size === 0) return { entries: 0, bytes: 0 };
  const where = entriesCondition(request.tenant, found.labels.keys(), intersection(request, found));
  const [[entries, bytes]] = await clickhouse.rows<[string, string]>(
    `SELECT count(), sum(bytes) FROM ${ENTRIES} WHERE ${where}`,
    { signal: request.signal },
  );
  return { entries: Number(entries), bytes: Number(bytes) };
}

export async function listStreams(
  { clickhouse, catalog }: LogTables,
  request: LogStreamsRequest,
): Promise<readonly Labels[]> {
  const { labels } = await catalog.find(clickhouse, request);
  return [...labels.values()].sort(compareLabels);
}

export async function sizeStreams(
  { clickhouse, catalog }: LogTables,
  request: LogStreamsRequest & { readonly stepNs?: bigint | undefined },
): Promise<readonly LogStreamSize[]> {
  const { tenant, stepNs, signal } = request;
  const found = await catalog.find(clickhouse, request);
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

function chunkOf(block: ReadBlock, labels: ReadonlyMap<bigint, Labels>): LogChunk {
  const ids = longColumn(block, 'stream');
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
    timestampsNs: longColumn(block, 'time'),
    lines: textColumn(block, 'line'),
    metadata: mapColumn(block, 'metadata').map((pairs) =>
      pairs.length === 0 ? Labels.empty : Labels.fromSorted(pairs),
    ),
  };
}

/** Answers of Loki's API as JSON text, written in pieces: a big one is never one text. */
import { Labels } from '@tyto/model';
import type { LogqlEntry, LogqlResult, LogqlSample, LogqlStream } from '@tyto/logql';
import { type JsonPiece, formatSampleValue } from './queryJson.ts';

/** What a client may ask for by X-Loki-Response-Encoding-Flags. */
export const CATEGORIZE_LABELS = 'categorize-labels';

/** About so many characters become one piece. */
const PIECE_LENGTH = 64 * 1024;

export interface Timing {
  readonly queueMs: number;
  readonly executionMs: number;
}

/** The field `data` of query and query_range. */
export function* lokiDataPieces(
  { value, read, entries }: LogqlResult,
  isCategorized: boolean,
  timing: Timing,
): IterableIterator<JsonPiece> {
  const flags = isCategorized && value.type === 'streams';
  const end =
    `${flags ? `,"encodingFlags":["${CATEGORIZE_LABELS}"]` : ''},"stats":` +
    `${JSON.stringify(statsJson(read, entries, timing))}}`;
  if (value.type === 'scalar') {
    yield `{"resultType":"scalar","result":${sampleText(value.sample)}${end}`;
    return;
  }
  yield `{"resultType":"${value.type}","result":[`;
  if (value.type === 'streams') {
    const streams = isCategorized ? value.streams : mergedStreams(value.streams);
    for (let i = 0; i < streams.length; i++) {
      if (i > 0) yield ',';
      yield* streamPieces(streams[i], isCategorized);
    }
  } else if (value.type === 'vector') {
    for (let i = 0; i < value.samples.length; i++) {
      const { labels } = value.samples[i];
      const text = sampleText(value.samples[i]);
      yield `${i > 0 ? ',' : ''}{"metric":${labelsJson(labels)},"value":${text}}`;
    }
  } else {
    for (let i = 0; i < value.series.length; i++) {
      const { labels, samples } = value.series[i];
      const texts = samples.map(sampleText).join();
      yield `${i > 0 ? ',' : ''}{"metric":${labelsJson(labels)},"values":[${texts}]}`;
    }
  }
  yield `]${end}`;
}

/** `{"stream":…,"values":[…]}` as frames of tail have it. */
export function streamText(stream: LogqlStream): string {
  return [...streamPieces(stream, false)].join('');
}

function* streamPieces(stream: LogqlStream, isCategorized: boolean): IterableIterator<string> {
  let text = `{"stream":${labelsJson(stream.labels)},"values":[`;
  for (let i = 0; i < stream.entries.length; i++) {
    if (i > 0) text += ',';
    text += entryText(stream.entries[i], isCategorized);
    if (text.length < PIECE_LENGTH) continue;
    yield text;
    text = '';
  }
  yield `${text}]}`;
}

function entryText(entry: LogqlEntry, isCategorized: boolean): string {
  const { timestampNs, line, metadata, parsed } = entry;
  const start = `["${timestampNs}",${JSON.stringify(line)}`;
  if (!isCategorized) return `${start}]`;
  const kinds: string[] = [];
  if (metadata.size > 0) kinds.push(`"structuredMetadata":${labelsJson(metadata)}`);
  if (parsed.size > 0) kinds.push(`"parsed":${labelsJson(parsed)}`);
  return `${start},{${kinds.join()}}]`;
}

/** Without categories metadata and parsed labels are labels of the stream, which they split. */
export function mergedStreams(streams: readonly LogqlStream[]): LogqlStream[] {
  const merged = new Map<string, { labels: Labels; entries: LogqlEntry[] }>();
  for (const { labels, entries } of streams) {
    for (const entry of entries) {
      const all = withAll(labels, entry);
      const stream = merged.get(all.key) ?? { labels: all, entries: [] };
      merged.set(all.key, stream);
      stream.entries.push(entry);
    }
  }
  return [...merged.values()];
}

/** Labels of the stream stay what they are. */
function withAll(labels: Labels, { metadata, parsed }: LogqlEntry): Labels {
  if (metadata.size === 0 && parsed.size === 0) return labels;
  return Labels.fromEntries([...metadata.entries(), ...parsed.entries(), ...labels.entries()]);
}

export function labelsJson(labels: Labels): string {
  const { pairs } = labels;
  let text = '{';
  for (let i = 0; i < pairs.length; i += 2) {
    text += `${i > 0 ? ',' : ''}${JSON.stringify(pairs[i])}:${JSON.stringify(pairs[i + 1])}`;
  }
  return `${text}}`;
}

function sampleText({ timestampMs, value }: LogqlSample): string {
  return `[${timestampMs / 1000},"${formatSampleValue(value)}"]`;
}

const STORE = {
  totalChunksRef: 0,
  totalChunksDownloaded: 0,
  chunksDownloadTime: 0,
  congestionControlLatency: 0,
  chunkRefsFetchTime: 0,
  queryReferencedStructuredMetadata: false,
  queryUsedV2Engine: false,
  pipelineWrapperFilteredLines: 0,
};
const CHUNK = {
  headChunkBytes: 0,
  headChunkLines: 0,
  headChunkStructuredMetadataBytes: 0,
  decompressedBytes: 0,
  decompressedLines: 0,
  decompressedStructuredMetadataBytes: 0,
  compressedBytes: 0,
  totalDuplicates: 0,
  postFilterLines: 0,
};
const DATAOBJ = {
  pageBatches: 0,
  pagesDownloaded: 0,
  pagesDownloadedBytes: 0,
  pagesScanned: 0,
  postFilterRows: 0,
  postPredicateRows: 0,
  postPredicateDecompressedBytes: 0,
  postPredicateStructuredMetadataBytes: 0,
  prePredicateDecompressedRows: 0,
  prePredicateDecompressedBytes: 0,
  prePredicateDecompressedStructuredMetadataBytes: 0,
  totalPageDownloadTime: 0,
  totalRowsAvailable: 0,
  wireBytesTransferred: 0,
};
const CACHE = {
  entriesFound: 0,
  entriesRequested: 0,
  entriesStored: 0,
  bytesReceived: 0,
  bytesSent: 0,
  requests: 0,
  downloadTime: 0,
  queryLengthServed: 0,
};
const CACHES = [
  'chunk',
  'index',
  'statsResult',
  'seriesResult',
  'labelResult',
  'volumeResult',
  'instantMetricResult',
  'result',
  'logResult',
  'taskResult',
];
const NOTHING_READ = { entries: 0, bytes: 0 };

/** What Loki tells of a query. Of its parts that do not exist here, the figures are zero. */
export function statsJson(
  read: { readonly entries: number; readonly bytes: number } = NOTHING_READ,
  entries = 0,
  { queueMs, executionMs }: Timing = { queueMs: 0, executionMs: 0 },
): unknown {
  const seconds = executionMs / 1000;
  const rate = (count: number) => (seconds > 0 ? Math.round(count / seconds) : 0);
  const chunk = {
    ...CHUNK,
    decompressedBytes: read.bytes,
    decompressedLines: read.entries,
    postFilterLines: entries,
  };
  return {
    summary: {
      bytesProcessedPerSecond: rate(read.bytes),
      linesProcessedPerSecond: rate(read.entries),
      totalBytesProcessed: read.bytes,
      totalLinesProcessed: read.entries,
      execTime: seconds,
      queueTime: queueMs / 1000,
      subqueries: 0,
      totalEntriesReturned: entries,
      splits: 0,
      shards: 0,
      totalPostFilterLines: entries,
      totalStructuredMetadataBytesProcessed: 0,
    },
    querier: { querierExecTime: seconds, store: { ...STORE, chunk, dataobj: DATAOBJ } },
    ingester: {
      totalReached: 0,
      totalChunksMatched: 0,
      totalBatches: 0,
      totalLinesSent: 0,
      store: { ...STORE, chunk: CHUNK, dataobj: DATAOBJ },
    },
    cache: Object.fromEntries(CACHES.map((name) => [name, CACHE])),
    index: {
      totalChunks: 0,
      postFilterChunks: 0,
      shardsDuration: 0,
      usedBloomFilters: false,
      totalStreams: 0,
      bloomFilterTime: 0,
      chunkRefsLookupTime: 0,
    },
  };
}

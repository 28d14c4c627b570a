/** The smallest log store that keeps the contract: for tests, and as the yardstick of others. */
import { TytoError } from '@tyto/base';
import { compareLabels, type Labels } from './labels.ts';
import type {
  LogChunk,
  LogDeletion,
  LogEntry,
  LogFilter,
  LogRange,
  LogRead,
  LogReadSize,
  LogSelect,
  LogStore,
  LogStreamEntries,
  LogStreamSize,
  LogStreamsRequest,
} from './logStore.ts';
import { type Matcher, matchesAll } from './matcher.ts';

interface MemoryStream {
  readonly tenant: string;
  readonly labels: Labels;
  entries: LogEntry[];
}

/** One entry with its stream, on its way to a reader. */
interface Found {
  readonly stream: Labels;
  readonly entry: LogEntry;
}

const CHUNK_ENTRIES = 1000;
const encoder = new TextEncoder();

export class MemoryLogStore implements LogStore {
  readonly #streams = new Map<string, MemoryStream>();

  async append(tenant: string, streams: readonly LogStreamEntries[]): Promise<void> {
    for (const { labels, entries } of streams) {
      const key = `${tenant}\n${labels.key}`;
      const stream = this.#streams.get(key) ?? { tenant, labels, entries: [] };
      this.#streams.set(key, stream);
      for (const entry of entries) stream.entries.push(entry);
    }
  }

  async *read(request: LogRead): AsyncIterable<LogChunk> {
    const found = this.#find(request);
    const sign = request.direction === 'forward' ? 1 : -1;
    found.sort((a, b) => sign * Number(a.entry.timestampNs - b.entry.timestampNs));
    for (let from = 0; from < found.length; from += CHUNK_ENTRIES) {
      if (request.signal?.aborted === true)
        throw new TytoError('canceled', 'the reading was ended');
      yield chunkOf(found.slice(from, from + CHUNK_ENTRIES));
    }
  }

  async estimate(request: LogSelect): Promise<LogReadSize> {
    return sizeOf(this.#find(request).map(({ entry }) => entry));
  }

  async streams(request: LogStreamsRequest): Promise<readonly Labels[]> {
    return this.#matching(request).flatMap(({ labels, entries }) =>
      entries.some((entry) => isWithin(entry, request)) ? [labels] : [],
    );
  }

  async sizes(
    request: LogStreamsRequest & { readonly stepNs?: bigint | undefined },
  ): Promise<readonly LogStreamSize[]> {
    const { stepNs } = request;
    return this.#matching(request).flatMap(({ labels, entries }) => {
      const parts = new Map<bigint, LogEntry[]>();
      for (const entry of entries) {
        if (!isWithin(entry, request)) continue;
        const endNs =
          stepNs === undefined ? request.endNs : (entry.timestampNs / stepNs + 1n) * stepNs;
        parts.set(endNs, [...(parts.get(endNs) ?? []), entry]);
      }
      return [...parts].map(([endNs, part]) => ({ labels, endNs, ...sizeOf(part) }));
    });
  }

  async delete(request: LogDeletion): Promise<number> {
    const matches = request.filters.map(lineFilter);
    let deleted = 0;
    for (const stream of this.#streams.values()) {
      if (stream.tenant !== request.tenant || !matchesAll(request.matchers, stream.labels))
        continue;
      const kept = stream.entries.filter(
        (entry) => !isWithin(entry, request) || !matches.every((isMatch) => isMatch(entry.line)),
      );
      deleted += stream.entries.length - kept.length;
      stream.entries = kept;
    }
    return deleted;
  }

  #find(request: LogRange & { tenant: string; matchers: readonly Matcher[] }): Found[] {
    const { tenant, matchers } = request;
    return this.#matching({ ...request, tenant, matcherSets: [matchers] }).flatMap(
      ({ labels, entries }) =>
        entries
          .filter((entry) => isWithin(entry, request))
          .map((entry) => ({ stream: labels, entry })),
    );
  }

  #matching({ tenant, matcherSets }: LogStreamsRequest): MemoryStream[] {
    return [...this.#streams.values()]
      .filter(
        (stream) =>
          stream.tenant === tenant &&
          (matcherSets.length === 0 || matcherSets.some((set) => matchesAll(set, stream.labels))),
      )
      .sort((a, b) => compareLabels(a.labels, b.labels));
  }
}

function chunkOf(found: readonly Found[]): LogChunk {
  const streams = [...new Set(found.map(({ stream }) => stream))];
  const indexes = new Map(streams.map((stream, index) => [stream, index]));
  return {
    streams,
    streamOf: Uint32Array.from(found, ({ stream }) => indexes.get(stream) ?? 0),
    timestampsNs: BigInt64Array.from(found, ({ entry }) => entry.timestampNs),
    lines: found.map(({ entry }) => entry.line),
    metadata: found.map(({ entry }) => entry.metadata),
  };
}

function isWithin({ timestampNs }: LogEntry, { startNs, endNs }: LogRange): boolean {
  return timestampNs >= startNs && timestampNs < endNs;
}

function sizeOf(entries: readonly LogEntry[]): LogReadSize {
  const bytes = entries.reduce((sum, { line }) => sum + encoder.encode(line).length, 0);
  return { entries: entries.length, bytes };
}

/** Only texts: what else a query can filter by is the business of engines and real stores. */
function lineFilter(filter: LogFilter): (line: string) => boolean {
  if (filter.on !== 'line' || filter.type !== 'contains') {
    throw new TytoError('bad_data', 'this store deletes by the text of lines only');
  }
  return (line) => filter.values.some((text) => line.includes(text)) !== filter.negated;
}

/**
 * A store of logs as readers see it while delete requests wait to be carried out: entries that are
 * to go are hidden at once, and are back when the request is cancelled. Where a request may touch
 * what is asked for, entries are read instead of aggregated in the store.
 *
 * Streams and sizes stay as they are, since they count what is stored.
 */
import {
  type Labels,
  type LogAggregate,
  type LogAggregated,
  type LogChunk,
  type LogDeletion,
  type LogEntry,
  type LogRange,
  type LogRead,
  type LogReadSize,
  type LogSelect,
  type LogStore,
  type LogStreamEntries,
  type LogStreamSize,
  type LogStreamsRequest,
  type Matcher,
  matchesAll,
} from '@tyto/model';

/** What a delete request hides: entries of these streams in [startNs, endNs) that it wants. */
export interface HiddenLogs extends LogRange {
  readonly matchers: readonly Matcher[];
  wants(stream: Labels, entry: LogEntry): boolean;
}

export class HidingStore implements LogStore {
  readonly #store: LogStore;
  readonly #hiddenOf: (tenant: string) => readonly HiddenLogs[];

  constructor(store: LogStore, hiddenOf: (tenant: string) => readonly HiddenLogs[]) {
    this.#store = store;
    this.#hiddenOf = hiddenOf;
  }

  append(tenant: string, streams: readonly LogStreamEntries[]): Promise<void> {
    return this.#store.append(tenant, streams);
  }

  async *read(request: LogRead): AsyncIterable<LogChunk> {
    const hidden = this.#within(request);
    for await (const chunk of this.#store.read(request)) {
      yield hidden.length === 0 ? chunk : shown(chunk, hidden);
    }
  }

  async aggregate(request: LogAggregate): Promise<LogAggregated | undefined> {
    return (await this.#isTouched(request.select)) ? undefined : this.#store.aggregate?.(request);
  }

  estimate(request: LogSelect): Promise<LogReadSize> {
    return this.#store.estimate(request);
  }

  streams(request: LogStreamsRequest): Promise<readonly Labels[]> {
    return this.#store.streams(request);
  }

  sizes(
    request: LogStreamsRequest & { readonly stepNs?: bigint | undefined },
  ): Promise<readonly LogStreamSize[]> {
    return this.#store.sizes(request);
  }

  delete(request: LogDeletion): Promise<number> {
    return this.#store.delete(request);
  }

  #within({ tenant, startNs, endNs }: LogSelect): readonly HiddenLogs[] {
    const all = this.#hiddenOf(tenant);
    return all.filter((hidden) => hidden.startNs < endNs && hidden.endNs > startNs);
  }

  async #isTouched(select: LogSelect): Promise<boolean> {
    const hidden = this.#within(select);
    if (hidden.length === 0) return false;
    const { tenant, matchers, startNs, endNs, signal } = select;
    const request = { tenant, startNs, endNs, signal, matcherSets: [matchers] };
    const streams = await this.#store.streams(request);
    return streams.some((labels) => hidden.some((own) => matchesAll(own.matchers, labels)));
  }
}

/** The chunk without what is hidden. */
function shown(chunk: LogChunk, hidden: readonly HiddenLogs[]): LogChunk {
  const { streams, streamOf, timestampsNs, lines, metadata } = chunk;
  const touching = streams.map((labels) =>
    hidden.filter(({ matchers }) => matchesAll(matchers, labels)),
  );
  if (touching.every((own) => own.length === 0)) return chunk;
  const kept: number[] = [];
  for (let i = 0; i < lines.length; i++) {
    const stream = streams[streamOf[i]];
    const timestampNs = timestampsNs[i];
    const entry = { timestampNs, line: lines[i], metadata: metadata[i] };
    const isHidden = touching[streamOf[i]].some(
      (own) => timestampNs >= own.startNs && timestampNs < own.endNs && own.wants(stream, entry),
    );
    if (!isHidden) kept.push(i);
  }
  if (kept.length === lines.length) return chunk;
  return {
    streams,
    streamOf: Uint32Array.from(kept, (i) => streamOf[i]),
    timestampsNs: BigInt64Array.from(kept, (i) => timestampsNs[i]),
    lines: kept.map((i) => lines[i]),
    metadata: kept.map((i) => metadata[i]),
  };
}

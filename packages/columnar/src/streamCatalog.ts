/**
 * Streams by their labels and by their numbers. The number of a stream is a hash of its tenant and
 * labels, so that no server has to ask another for it. Which hours of a stream the table of streams
 * knows is remembered, and told to the directory of streams where there is one.
 */
import { createHash } from 'node:crypto';
import type { Labels, LogStreamsRequest } from '@tyto/model';
import type { ClickHouse } from './clickhouse.ts';
import { STREAMS_KEPT_MAX } from './limits.ts';
import type { StreamDirectory } from './streamDirectory.ts';
import { askForStreams, type FoundStreams } from './streamFinder.ts';

export interface KnownStream {
  readonly tenant: string;
  readonly labels: Labels;
  readonly id: bigint;
  /** Hours since 1970 that the table of streams has. */
  readonly hours: Set<number>;
}

/** Hours that are remembered for a stream; backfills touch more, and write some rows again. */
const HOURS_KEPT_MAX = 64;

export class StreamCatalog {
  readonly #byLabels = new Map<string, KnownStream>();
  readonly #directory: StreamDirectory | undefined;

  /** `directory` where nobody else writes to the same tables. */
  constructor(directory?: StreamDirectory) {
    this.#directory = directory;
  }

  /** Streams with entries in the range or hours beside it. Throws `too_large`. */
  find(clickhouse: ClickHouse, request: LogStreamsRequest): Promise<FoundStreams> {
    const directory = this.#directory;
    return directory?.find(clickhouse, request) ?? askForStreams(clickhouse, request);
  }

  streamOf(tenant: string, labels: Labels): KnownStream {
    const key = `${tenant}\n${labels.key}`;
    const known = this.#byLabels.get(key);
    if (known !== undefined) return known;
    if (this.#byLabels.size >= STREAMS_KEPT_MAX) this.#byLabels.clear();
    const stream = { tenant, labels, id: streamId(tenant, labels), hours: new Set<number>() };
    this.#byLabels.set(key, stream);
    return stream;
  }

  /** To be called when the table of streams has these hours. */
  remember(stream: KnownStream, hours: Iterable<number>): void {
    if (stream.hours.size > HOURS_KEPT_MAX) stream.hours.clear();
    for (const hour of hours) stream.hours.add(hour);
    this.#directory?.add(stream, hours);
  }

  /** After rows of streams were deleted: everything is written again. */
  forget(): void {
    this.#byLabels.clear();
    this.#directory?.forget();
  }
}

/** 64 bits of SHA-256; the labels' key has separators that no text contains. */
function streamId(tenant: string, labels: Labels): bigint {
  const hash = createHash('sha256').update(JSON.stringify([tenant, labels.pairs]));
  return hash.digest().readBigUInt64LE();
}

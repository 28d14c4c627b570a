/** The port of logs over ClickHouse. */
import type { Clock } from '@tyto/base';
import type {
  Labels,
  LogAggregate,
  LogAggregated,
  LogChunk,
  LogDeletion,
  LogRead,
  LogReadSize,
  LogSelect,
  LogStore,
  LogStreamEntries,
  LogStreamSize,
  LogStreamsRequest,
} from '@tyto/model';
import type { ClickHouse } from './clickhouse.ts';
import { aggregateEntries } from './logAggregate.ts';
import { deleteEntries } from './logDeletion.ts';
import {
  estimateEntries,
  listStreams,
  type LogTables,
  readEntries,
  sizeStreams,
} from './logReader.ts';
import { LogWriter } from './logWriter.ts';
import type { StreamCatalog } from './streamCatalog.ts';

export interface ClickHouseLogStoreOptions {
  /** The store, when it is ready. */
  readonly clickhouse: () => Promise<ClickHouse>;
  readonly catalog: StreamCatalog;
  readonly clock: Clock;
}

export class ClickHouseLogStore implements LogStore {
  readonly #options: ClickHouseLogStoreOptions;
  readonly writer: LogWriter;

  constructor(options: ClickHouseLogStoreOptions) {
    this.#options = options;
    this.writer = new LogWriter(options);
  }

  append(tenant: string, streams: readonly LogStreamEntries[]): Promise<void> {
    return this.writer.append(tenant, streams);
  }

  async *read(request: LogRead): AsyncIterable<LogChunk> {
    yield* readEntries(await this.#tables(), request);
  }

  async aggregate(request: LogAggregate): Promise<LogAggregated | undefined> {
    return aggregateEntries(await this.#tables(), request);
  }

  async estimate(request: LogSelect): Promise<LogReadSize> {
    return estimateEntries(await this.#tables(), request);
  }

  async streams(request: LogStreamsRequest): Promise<readonly Labels[]> {
    return listStreams(await this.#tables(), request);
  }

  async sizes(
    request: LogStreamsRequest & { readonly stepNs?: bigint | undefined },
  ): Promise<readonly LogStreamSize[]> {
    return sizeStreams(await this.#tables(), request);
  }

  async delete(request: LogDeletion): Promise<number> {
    const { catalog, clock } = this.#options;
    const clickhouse = await this.#options.clickhouse();
    return deleteEntries({ clickhouse, writer: this.writer, catalog, clock }, request);
  }

  async #tables(): Promise<LogTables> {
    return { clickhouse: await this.#options.clickhouse(), catalog: this.#options.catalog };
  }

  async close(): Promise<void> {
    await this.writer.close();
  }
}

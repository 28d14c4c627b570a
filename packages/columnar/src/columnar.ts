/** The log store as a whole: the engine or a server, the tables, writing, reading and upkeep. */
import type { Readable } from 'node:stream';
import type { Clock, Logger } from '@tyto/base';
import type { LogStore } from '@tyto/model';
import { ClickHouse } from './clickhouse.ts';
import { EngineProcess } from './engineProcess.ts';
import { ENGINE_MEMORY_BYTES } from './limits.ts';
import { ClickHouseLogStore } from './logStore.ts';
import { migrate } from './schema.ts';
import { type ColumnarStatus, readStatus } from './status.ts';
import { StreamCatalog } from './streamCatalog.ts';
import { type UserSqlRequest, UserSql } from './userSql.ts';

export interface ColumnarOptions {
  /** For the embedded engine's data. */
  readonly directory: string;
  /** A server in place of the engine: `http(s)://user:password@host:port/database`. */
  readonly clickhouseUrl?: string | undefined;
  /** The bundle of `engine/main.ts`. */
  readonly engineScript: URL;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Memory of the engine, with all that it does. */
  readonly engineMemoryBytes?: number | undefined;
}

export interface Columnar {
  readonly logs: LogStore;
  /**
   * People's own SELECT over one tenant's logs: the answer as it comes. Rejects with `bad_data` and
   * ClickHouse's message for what is wrong with it, `too_large` or `timeout` for what is too much.
   */
  sql(request: UserSqlRequest): Promise<Readable>;
  status(): Promise<ColumnarStatus>;
  /** Ends the engine; what was acknowledged is stored. */
  close(): Promise<void>;
}

/** Nothing is started before the first use. */
export function openColumnar(options: ColumnarOptions): Columnar {
  return new OpenColumnar(options);
}

class OpenColumnar implements Columnar {
  readonly logs: ClickHouseLogStore;
  readonly #engine: EngineProcess | undefined;
  readonly #clickhouse: ClickHouse;
  readonly #userSql = new UserSql();
  #migrated: Promise<void> | undefined;

  constructor(options: ColumnarOptions) {
    const { clickhouseUrl, clock, logger, directory, engineScript } = options;
    if (clickhouseUrl === undefined) {
      this.#engine = new EngineProcess({
        directory,
        script: engineScript,
        memoryBytes: options.engineMemoryBytes ?? ENGINE_MEMORY_BYTES,
        clock,
        logger,
      });
    }
    this.#clickhouse = new ClickHouse({
      url: clickhouseUrl ?? 'http://engine',
      socketPath: this.#engine?.socketPath,
    });
    const clickhouse = () => this.#ready();
    this.logs = new ClickHouseLogStore({ clickhouse, catalog: new StreamCatalog(), clock });
  }

  async sql(request: UserSqlRequest): Promise<Readable> {
    return this.#userSql.run(await this.#ready(), request);
  }

  async status(): Promise<ColumnarStatus> {
    const own = await readStatus(await this.#ready());
    return {
      isEmbedded: this.#engine !== undefined,
      pid: this.#engine?.pid,
      starts: this.#engine?.starts ?? 0,
      waitingBytes: this.logs.writer.waitingBytes,
      ...own,
    };
  }

  async close(): Promise<void> {
    await this.logs.close();
    await this.#clickhouse.close();
    await this.#engine?.close();
  }

  async #ready(): Promise<ClickHouse> {
    await this.#engine?.ready();
    this.#migrated ??= migrate(this.#clickhouse).catch((error: unknown) => {
      this.#migrated = undefined;
      throw error;
    });
    await this.#migrated;
    return this.#clickhouse;
  }
}

/** The log store as a whole: the engine or a server, the tables, writing, reading and upkeep. */
import type { Readable } from 'node:stream';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, errorMessage, type Logger, type Timer } from '@tyto/base';
import type { LogStore } from '@tyto/model';
import { ClickHouse } from './clickhouse.ts';
import { EngineProcess } from './engineProcess.ts';
import { ENGINE_MEMORY_BYTES } from './limits.ts';
import { ClickHouseLogStore } from './logStore.ts';
import { migrate } from './schema.ts';
import { applyRetention, type LogRetention } from './retention.ts';
import {
  type ColumnarMeasures,
  type ColumnarStatus,
  readStatus,
  readUsage,
  type ServiceUsage,
  WatchedSizes,
} from './status.ts';
import { StreamCatalog } from './streamCatalog.ts';
import { StreamDirectory } from './streamDirectory.ts';
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
  /** For metrics: starts no engine and waits for none. */
  measures(): ColumnarMeasures;
  /** What each service's logs cost; the largest first. */
  usage(): Promise<readonly ServiceUsage[]>;
  /** Applied every hour from now on. Starts no engine while there are no logs. */
  setRetention(retention: LogRetention): void;
  /** Applies the retention now. */
  applyRetention(): Promise<void>;
  /** Ends the engine; what was acknowledged is stored. */
  close(): Promise<void>;
}

const RETENTION_FIRST_MS = 60_000;
const RETENTION_EVERY_MS = 3_600_000;

/** Nothing is started before the first use. */
export function openColumnar(options: ColumnarOptions): Columnar {
  return new OpenColumnar(options);
}

class OpenColumnar implements Columnar {
  readonly logs: ClickHouseLogStore;
  readonly #engine: EngineProcess | undefined;
  readonly #clickhouse: ClickHouse;
  readonly #userSql = new UserSql();
  readonly #options: ColumnarOptions;
  readonly #catalog: StreamCatalog;
  readonly #sizes: WatchedSizes;
  #retention: LogRetention | undefined;
  #timer: Timer | undefined;
  #isClosed = false;
  #migrated: Promise<void> | undefined;
  #isMigrated = false;

  constructor(options: ColumnarOptions) {
    this.#options = options;
    const { clickhouseUrl, clock, logger, directory, engineScript } = options;
    const isEmbedded = clickhouseUrl === undefined;
    this.#catalog = new StreamCatalog(isEmbedded ? new StreamDirectory() : undefined);
    if (isEmbedded) {
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
    this.#sizes = new WatchedSizes(clock);
    const clickhouse = () => this.#ready();
    this.logs = new ClickHouseLogStore({ clickhouse, catalog: this.#catalog, clock });
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

  measures(): ColumnarMeasures {
    // A server is asked once somebody has used it, an engine while it is there.
    const isThere = this.#engine === undefined || this.#engine.pid !== undefined;
    if (isThere && this.#isMigrated) this.#sizes.refresh(this.#clickhouse);
    return {
      isUp: isThere && (this.#engine !== undefined || this.#sizes.isAnswered),
      starts: this.#engine?.starts ?? 0,
      waitingBytes: this.logs.writer.waitingBytes,
      sizes: this.#sizes.latest,
      ...this.#clickhouse.totals,
    };
  }

  async usage(): Promise<readonly ServiceUsage[]> {
    return readUsage(await this.#ready());
  }

  setRetention(retention: LogRetention): void {
    this.#retention = retention;
    this.#schedule(RETENTION_FIRST_MS);
  }

  async applyRetention(): Promise<void> {
    const retention = this.#retention;
    if (retention === undefined || !this.#mayHaveLogs()) return;
    const { clock, logger } = this.#options;
    await applyRetention(retention, {
      clickhouse: await this.#ready(),
      writer: this.logs.writer,
      catalog: this.#catalog,
      clock,
      logger,
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.logs.close();
    await this.#clickhouse.close();
    await this.#engine?.close();
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.schedule(delayMs, () => void this.#keepTidy());
  }

  /** Never rejects. */
  async #keepTidy(): Promise<void> {
    try {
      await this.applyRetention();
    } catch (error) {
      const message = errorMessage(error);
      this.#options.logger.warn('the retention of logs could not be applied', { error: message });
    }
    this.#schedule(RETENTION_EVERY_MS);
  }

  #mayHaveLogs(): boolean {
    return this.#engine === undefined || existsSync(join(this.#options.directory, 'data'));
  }

  async #ready(): Promise<ClickHouse> {
    await this.#engine?.ready();
    this.#migrated ??= migrate(this.#clickhouse).catch((error: unknown) => {
      this.#migrated = undefined;
      throw error;
    });
    await this.#migrated;
    this.#isMigrated = true;
    return this.#clickhouse;
  }
}

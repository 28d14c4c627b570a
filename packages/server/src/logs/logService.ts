/**
 * Everything about logs that the server has: what takes them, what answers, who follows, and what
 * is configured. The routes speak to this and to nothing behind it.
 */
import type { StateStore } from '@tyto/alerting';
import { type Clock, type Logger, TytoError } from '@tyto/base';
import { type LogLimits, LogReceiver } from '@tyto/collect';
import type { LogqlEntry, LogqlInstantRequest, LogqlRangeRequest, LogqlResult } from '@tyto/logql';
import type { Labels, LogEntry, LogReadSize, LogStore } from '@tyto/model';
import { DEFAULT_LOGS, type LogsConfig, TENANT_DEFAULT } from '../config/logsConfig.ts';
import { HidingStore } from './hidingStore.ts';
import { LogDeletions } from './logDeletions.ts';
import { LogGate } from './logGate.ts';
import { TailHub } from './tailHub.ts';

/** The engine of LogQL, as far as the server uses it. */
export interface LogEngine {
  range(request: LogqlRangeRequest): Promise<LogqlResult>;
  instant(request: LogqlInstantRequest): Promise<LogqlResult>;
  follow(query: string): Follow;
  estimate(
    request: Pick<LogqlRangeRequest, 'tenant' | 'query' | 'startNs' | 'endNs' | 'signal'>,
  ): Promise<LogReadSize>;
}

/** What a query makes of an entry; undefined where it is not wanted. */
export type Follow = (
  stream: Labels,
  entry: LogEntry,
) => { readonly labels: Labels; readonly entry: LogqlEntry } | undefined;

export interface LogServiceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: StateStore;
  readonly store: LogStore;
  /** The engine over what readers see of the store. */
  engine(store: LogStore): LogEngine;
}

const TENANT = /^[a-zA-Z0-9!_.*'()-]{1,150}$/;

export class LogService {
  /** Without what delete requests hide. */
  readonly store: LogStore;
  /** Replaced where limits change. */
  engine: LogEngine;
  readonly receiver: LogReceiver;
  readonly tails: TailHub;
  readonly deletions: LogDeletions;
  /** Queries that run at once are bounded; others wait, and too many are sent away. */
  readonly gate = new LogGate();
  #config: LogsConfig = DEFAULT_LOGS;

  constructor(options: LogServiceOptions) {
    const { clock, logger, state, store, engine } = options;
    this.store = new HidingStore(store, (tenant) => this.deletions.hiddenOf(tenant));
    this.engine = engine(this.store);
    this.tails = new TailHub(clock);
    this.receiver = new LogReceiver({
      appender: store,
      clock,
      limitsOf: (tenant) => this.limitsOf(tenant),
      isFollowed: (tenant) => this.tails.isFollowed(tenant),
      onStored: (tenant, streams) => this.tails.publish(tenant, streams),
    });
    this.deletions = new LogDeletions({
      clock,
      logger,
      state,
      store,
      cancelMs: () => this.#config.deleteCancelMs,
      follow: (query) => this.engine.follow(query),
    });
  }

  get config(): LogsConfig {
    return this.#config;
  }

  apply(config: LogsConfig): void {
    this.#config = config;
  }

  start(): void {
    this.deletions.start();
  }

  stop(): void {
    this.deletions.stop();
    this.tails.close();
  }

  limitsOf(tenant: string): LogLimits {
    return this.#config.tenants.get(tenant) ?? this.#config.limits;
  }

  /** The tenant of a request. Throws a refusal where one is needed, or it is no name. */
  tenantOf(header: string | readonly string[] | undefined): string {
    const { authEnabled } = this.#config;
    const given = typeof header === 'string' ? header.trim() : (header?.[0] ?? '');
    if (authEnabled === false) return TENANT_DEFAULT;
    if (given === '' && authEnabled === true) {
      throw Object.assign(new Error('no org id'), { statusCode: 401 });
    }
    if (given === '') return TENANT_DEFAULT;
    if (TENANT.test(given) && given !== '.' && given !== '..') return given;
    throw new TytoError(
      'bad_data',
      `tenant ID '${given.slice(0, 200)}' is none: at most 150 letters, digits and !-_.*'()`,
    );
  }
}

/**
 * Logs, put together: the store, the engine over it, what receives, follows, deletes and evaluates.
 * Nothing of the store is started before logs are sent or asked for.
 */
import { join } from 'node:path';
import type { RuleGroupConfig, StateStore } from '@tyto/alerting';
import { type Clock, errorMessage, type Logger, TytoError } from '@tyto/base';
import { type LogOutcome, readOtlpLogs, SyslogServer } from '@tyto/collect';
import { type Columnar, openColumnar } from '@tyto/columnar';
import { LogqlEngine } from '@tyto/logql';
import type { InstantQuery, LogStore, QueryResult } from '@tyto/model';
import type { LoadedConfig } from '../config/load.ts';
import type { LogsConfig } from '../config/logsConfig.ts';
import { HeldBodies } from '../http/heldBodies.ts';
import { LokiTails } from '../http/lokiTailApi.ts';
import { registerLogMetrics, registerLogStoreMetrics } from '../metrics/logMetrics.ts';
import type { SelfMetrics } from '../metrics/selfMetrics.ts';
import { LOG_BODIES_BYTES_MAX, LOG_BODY_BYTES_MAX, LogBodies } from './logBodies.ts';
import { LogRules } from './logRules.ts';
import { type LogEngine, LogService } from './logService.ts';

export interface WiredLogsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: StateStore;
  readonly dataDirectory: string;
  readonly externalUrl: string;
  readonly metrics: SelfMetrics;
  /** The script of the process that holds the store. */
  readonly engineScript: URL;
}

/** A rule asks for no lines, and has no answer without an end. */
const RULE_LIMIT = 1;
const RULE_MS_MAX = 60_000;
const NS_PER_MS = 1_000_000n;

export class WiredLogs {
  readonly service: LogService;
  readonly rules: LogRules;
  readonly bodies = new LogBodies();
  readonly heldBodies = new HeldBodies(LOG_BODY_BYTES_MAX, LOG_BODIES_BYTES_MAX);
  readonly tails: LokiTails;
  readonly #options: WiredLogsOptions;
  readonly #columnar: Columnar;
  readonly #clickhouseUrl: string;
  #syslog: { key: string; servers: SyslogServer[] } = { key: '[]', servers: [] };

  constructor(options: WiredLogsOptions, config: LogsConfig) {
    const { clock, logger, state, dataDirectory, externalUrl, engineScript } = options;
    this.#options = options;
    this.#clickhouseUrl = config.clickhouseUrl;
    this.#columnar = openColumnar({
      directory: join(dataDirectory, 'logs'),
      clickhouseUrl: config.clickhouseUrl === '' ? undefined : config.clickhouseUrl,
      engineScript,
      clock,
      logger,
    });
    const store = this.#columnar.logs;
    this.service = new LogService({
      clock,
      logger,
      state,
      store,
      engine: (seen) => this.#engine(seen, config),
    });
    this.service.apply(config);
    this.rules = new LogRules(state);
    this.tails = new LokiTails({ clock, logger, logs: this.service, externalUrl });
    registerLogMetrics(options.metrics, this.service);
    registerLogStoreMetrics(options.metrics, this.#columnar);
  }

  /** What the routes need. */
  get routes() {
    return {
      logs: this.service,
      logBodies: this.bodies,
      heldLogBodies: this.heldBodies,
      logRules: this.rules,
      columnar: this.#columnar,
    };
  }

  /** Those of files and those that were put in by the API. */
  ruleGroups({ ruleGroups }: LoadedConfig): RuleGroupConfig[] {
    return [...ruleGroups, ...this.rules.groups];
  }

  /** Rejects with what is wrong with a listener of syslog. */
  async apply(config: LogsConfig): Promise<void> {
    this.service.apply(config);
    this.service.engine = this.#engine(this.service.store, config);
    this.#columnar.setRetention(config.retention);
    if (config.clickhouseUrl !== this.#clickhouseUrl) {
      this.#options.logger.warn('clickhouse_url has changed: a restart is needed to apply it');
    }
    await this.#listenSyslog(config);
  }

  start(): void {
    this.service.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#syslog.servers.map((server) => server.close()));
    this.tails.close();
    this.service.stop();
    await this.#columnar.close();
  }

  /** Instant queries of rules, which do not wait for those of people. */
  query(tenant: string): InstantQuery {
    return async (query, timeMs): Promise<QueryResult> => {
      const ending = new AbortController();
      const timer = this.#options.clock.schedule(RULE_MS_MAX, () => ending.abort());
      try {
        const { value, warnings } = await this.service.engine.instant({
          tenant,
          query,
          limit: RULE_LIMIT,
          direction: 'backward',
          timeNs: BigInt(Math.round(timeMs)) * NS_PER_MS,
          signal: ending.signal,
        });
        if (value.type === 'vector') return { value, warnings, infos: [] };
        if (value.type === 'scalar')
          return { value: { ...value.sample, type: 'scalar' }, warnings, infos: [] };
        throw new TytoError('execution', 'a rule needs a number: count lines, with rate or others');
      } finally {
        timer.cancel();
      }
    };
  }

  /** Logs of OpenTelemetry over gRPC. */
  async receiveOtlp(
    message: Uint8Array,
    isCompressed: boolean,
    header: string | readonly string[] | undefined,
  ): Promise<LogOutcome> {
    const { service } = this;
    const tenant = service.tenantOf(header);
    const batch = service.receiver.batch(tenant);
    const { otlp } = service.limitsOf(tenant);
    return await this.bodies.take(
      message,
      isCompressed ? 'gzip' : 'identity',
      (bytes) => readOtlpLogs(bytes, 'protobuf', otlp, this.#options.clock, batch),
      () => service.receiver.store(tenant, batch),
    );
  }

  /** The limits of tenants are for the routes; here the widest of all hold. */
  #engine(store: LogStore, { limits, tenants }: LogsConfig): LogEngine {
    const all = [limits, ...tenants.values()].map(({ query }) => query);
    const widest = (name: 'entriesMax' | 'seriesMax' | 'timeoutMs') =>
      Math.max(...all.map((query) => query[name] || Number.MAX_SAFE_INTEGER));
    const lengths = all.map(({ lengthMsMax }) => lengthMsMax);
    return new LogqlEngine({
      store,
      clock: this.#options.clock,
      limits: {
        entriesMax: widest('entriesMax'),
        seriesMax: widest('seriesMax'),
        timeoutMs: widest('timeoutMs'),
        queryLengthMaxMs: lengths.includes(0) ? 0 : Math.max(...lengths),
      },
    });
  }

  async #listenSyslog({ syslog }: LogsConfig): Promise<void> {
    const { clock, logger } = this.#options;
    const key = JSON.stringify(syslog.map((one) => ({ ...one, labels: one.labels.pairs })));
    if (key === this.#syslog.key) return;
    const before = this.#syslog.servers;
    this.#syslog = { key: '', servers: [] };
    await Promise.all(before.map((server) => server.close()));
    const servers: SyslogServer[] = [];
    for (const listener of syslog) {
      const server = new SyslogServer(listener, { receiver: this.service.receiver, clock, logger });
      const address = `${listener.protocol}://${listener.host}:${listener.port}`;
      try {
        const port = await server.listen();
        logger.info('listening for syslog', { address, port });
        servers.push(server);
      } catch (error) {
        // The rest goes on: alerts must not wait for a port.
        logger.error('syslog is not received', { address, error: errorMessage(error) });
      }
    }
    this.#syslog = { key, servers };
  }
}

/**
 * The composition root: opens the stores, builds the engines on them, applies configurations, and
 * takes everything down again in order.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { Dispatcher, RuleManager, type SilenceLimits } from '@tyto/alerting';
import {
  type AnchoredRegExp,
  type Clock,
  errorMessage,
  formatDuration,
  type Logger,
  must,
} from '@tyto/base';
import {
  HostMetrics,
  OtlpReceiver,
  PushGateway,
  ScrapeManager,
  WRITE_BODIES_BYTES_MAX,
  WRITE_BODY_BYTES_MAX,
  WriteReceiver,
} from '@tyto/collect';
import { type Forwarder, MergedQuerier, ReadServer } from '@tyto/forward';
import { Notifications } from './notifications.ts';
import type { Features } from './features.ts';
import type { QueryEngine } from '@tyto/promql';
import { nodeDisk, Tsdb } from '@tyto/tsdb';
import type { FastifyInstance } from 'fastify';
import { AlertForwarder } from './alertForwarder.ts';
import {
  completeFromMs,
  createForwarder,
  createReaders,
  familyMetadata,
  readBodies,
} from './forwarding.ts';
import { type ConfigFiles, type LoadedConfig, loadConfig } from './config/load.ts';
import { logWarnings, storageSettings } from './config/loaded.ts';
import { Backends } from './http/backends.ts';
import { HeldBodies } from './http/heldBodies.ts';
import { createHttpServer, type HttpServerOptions } from './http/httpServer.ts';
import { OtlpBodies } from './http/otlpBodies.ts';
import { OtlpGrpcServer } from './http/otlpGrpc.ts';
import { registerOtlpMetrics } from './metrics/otlpMetrics.ts';
import { SelfMetrics } from './metrics/selfMetrics.ts';
import { registerRuleMetrics } from './metrics/ruleMetrics.ts';
import { registerAlertMetrics } from './metrics/alertMetrics.ts';
import { registerStoreMetrics } from './metrics/storeMetrics.ts';
import { registerForwardMetrics } from './metrics/forwardMetrics.ts';
import { registerIncidentMetrics } from './metrics/incidentMetrics.ts';
import { registerNotificationMetrics } from './metrics/notificationMetrics.ts';
import { registerWriteMetrics } from './metrics/writeMetrics.ts';
import type { SignedLinks } from '@tyto/incidents';
import { type WiredIncidents, openIncidentLinks, wireIncidents } from './incidents.ts';
import { InternalTargets } from './internalTargets.ts';
import { WiredLogs } from './logs/wiredLogs.ts';
import { PushKeeper } from './pushKeeper.ts';
import { createEngine, type EngineSettings, QueryRunner } from './queries.ts';
import { rehearse } from './rehearsal.ts';
import { JournalStateStore } from './state/journal.ts';
import { VERSION } from './version.ts';

export interface TytoOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly files: ConfigFiles;
  readonly dataDirectory: string;
  readonly externalUrl: string;
  readonly lifecycle: boolean;
  readonly receivesWrites: boolean;
  readonly receivesOtlp: boolean;
  readonly isAdminApiEnabled: boolean;
  readonly features: Features;
  /** Origins whose pages may read the API. */
  readonly corsOrigin: AnchoredRegExp;
  /** Those who follow notifications at once, and the largest limit of a search; 0 for none. */
  readonly followersMax: number;
  readonly searchLimitMax: number;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly logFsyncIntervalMs: number;
  /** Where the configuration says nothing of it. */
  readonly logCompression: boolean;
  readonly remoteWriteQueueBytes: number;
  /** Whether automatic responses to incidents may run. */
  readonly runsResponses: boolean;
  /** The script of threads that read samples; without it all is read on the main thread. */
  readonly readerScript?: URL | undefined;
  /** The script of the process that holds the logs. */
  readonly engineScript: URL;
  readonly query: EngineSettings['query'];
  readonly silenceLimits: SilenceLimits;
  /** See the flags `--alertmanager.notification-*`. */
  readonly forwarding: { readonly queueMax: number; readonly batchMax: number };
  /** See the flags `--rules.alert.*`. */
  readonly rules: {
    readonly resendDelayMs: number;
    readonly outageToleranceMs: number;
    readonly gracePeriodMs: number;
  };
  readonly flags: ReadonlyMap<string, string>;
  quit(): void;
}

/** Prometheus' words, which scripts look for. */
const RELOAD_FAILED = 'Configuration reload has failed.';
const STARTING = 'Tyto is starting: targets and rules are not in place yet.';
const STOPPING = 'Tyto is shutting down and gracefully stopping all operations.';
const RESTART_NEEDED = 'The configuration of storage has changed: a restart is needed to apply it.';

/** Alerts that wait for other Alertmanagers have so long to be sent at the end. */
const DRAIN_MS_MAX = 2000;

export class Tyto {
  readonly #options: TytoOptions;
  readonly #tsdb: Tsdb;
  readonly #state: JournalStateStore;
  readonly #metrics: SelfMetrics;
  readonly #notifications: Notifications;
  /** What the stores were opened with. */
  readonly #storage: string;
  readonly #scrapes: ScrapeManager;
  readonly #rules = new RuleManager();
  readonly #dispatcher: Dispatcher;
  readonly #incidents: WiredIncidents;
  readonly #alertForwarder: AlertForwarder;
  readonly #forwarder: Forwarder;
  /** The store, and those of `remote_read`. */
  readonly #querier: MergedQuerier;
  readonly #readServer: ReadServer;
  readonly #engine: QueryEngine;
  readonly #queries: QueryRunner;
  readonly #backends: Backends;
  readonly #internal: InternalTargets;
  readonly #receiver: WriteReceiver;
  readonly #otlp: OtlpReceiver;
  readonly #otlpBodies: OtlpBodies;
  readonly #pushes: PushGateway;
  readonly #pushKeeper: PushKeeper;
  readonly #logs: WiredLogs;
  readonly #receivedBodies = new HeldBodies(WRITE_BODY_BYTES_MAX, WRITE_BODIES_BYTES_MAX);
  readonly #startedMs: number;
  #config: LoadedConfig;
  #http: FastifyInstance | undefined;
  readonly #moreServers: Server[] = [];
  readonly #grpcServers: OtlpGrpcServer[] = [];
  #reloading: Promise<void> = Promise.resolve();
  #reloadSuccessful = true;
  #lastReloadMs: number;
  #ready = false;

  private constructor(
    options: TytoOptions,
    config: LoadedConfig,
    tsdb: Tsdb,
    state: JournalStateStore,
    forwarder: Forwarder,
    links: SignedLinks,
  ) {
    const { clock, logger, externalUrl } = options;
    this.#options = options;
    this.#config = config;
    this.#metrics = new SelfMetrics(clock);
    this.#notifications = new Notifications(clock, options.followersMax);
    this.#storage = storageSettings(config);
    this.#tsdb = tsdb;
    this.#forwarder = forwarder;
    this.#state = state;
    this.#startedMs = clock.nowMs();
    this.#lastReloadMs = this.#startedMs;
    const { keepsStartTimes } = options.features;
    this.#scrapes = new ScrapeManager({
      store: tsdb,
      clock,
      logger,
      version: VERSION,
      metrics: this.#metrics.scrape,
      keepsStartTimes,
    });
    const { sampleLimit } = options.query;
    this.#querier = new MergedQuerier({
      own: tsdb,
      logger,
      completeFromMs: () => completeFromMs(tsdb),
    });
    this.#readServer = new ReadServer({
      store: tsdb,
      sampleLimit,
      externalLabels: () => this.#config.prometheus.externalLabels,
    });
    this.#engine = createEngine(this.#querier, options);
    this.#queries = new QueryRunner(this.#engine, clock, logger, this.#metrics, options.query);
    this.#backends = new Backends({ queries: this.#queries, store: tsdb });
    const observer = this.#metrics.notify;
    const { silenceLimits, runsResponses } = options;
    const { env: environment } = process;
    const parts = { clock, logger, state, externalUrl };
    const dispatcher = () => this.#dispatcher;
    const wiring = { ...parts, rules: this.#rules, runsResponses, dispatcher };
    this.#incidents = wireIncidents(wiring, links, config.incidents);
    const events = this.#incidents.incidents;
    const alerting = { ...parts, observer, silenceLimits, environment, events, advisor: events };
    this.#dispatcher = new Dispatcher(alerting);
    this.#alertForwarder = new AlertForwarder({ clock, logger, ...options.forwarding });
    const key = randomBytes(16);
    this.#receiver = new WriteReceiver({ store: tsdb, clock, key, keepsStartTimes });
    this.#otlp = new OtlpReceiver({ store: tsdb, clock, keepsStartTimes });
    this.#otlpBodies = new OtlpBodies(this.#otlp);
    this.#pushes = new PushGateway(clock);
    this.#pushKeeper = new PushKeeper(this.#pushes, options.dataDirectory, clock, logger);
    this.#internal = new InternalTargets({
      scrapes: this.#scrapes,
      host: new HostMetrics({ clock, logger }),
      metrics: this.#metrics,
      pushes: this.#pushes,
    });
    this.#logs = new WiredLogs({ ...options, state, metrics: this.#metrics }, config.logs);
    registerStoreMetrics(this.#metrics, tsdb);
    registerOtlpMetrics(this.#metrics, this.#otlp);
    registerWriteMetrics(this.#metrics, this.#receiver, this.#receivedBodies);
    registerForwardMetrics(this.#metrics, forwarder, this.#querier);
    registerRuleMetrics(this.#metrics, this.#rules);
    registerAlertMetrics(this.#metrics, this.#dispatcher, this.#alertForwarder);
    registerNotificationMetrics(this.#metrics, this.#notifications);
    registerIncidentMetrics(this.#metrics, events);
  }

  /** Opens everything and begins to scrape and evaluate. Rejects with TytoError. */
  static async start(options: TytoOptions, config: LoadedConfig): Promise<Tyto> {
    const { clock, logger, dataDirectory, readerScript } = options;
    const { storage, remoteWrites, externalLabels } = config.prometheus;
    const { exemplarsMax } = storage;
    let started: Tyto | undefined;
    const forwarder = createForwarder(options, () =>
      started === undefined ? [] : familyMetadata(started.#scrapes, started.#receiver),
    );
    const tsdb = await Tsdb.open({
      directory: dataDirectory,
      clock,
      logger,
      retentionMs: options.retentionMs,
      retentionBytes: options.retentionBytes,
      logFsyncIntervalMs: options.logFsyncIntervalMs,
      tap: forwarder,
      ...(readerScript === undefined ? {} : { readers: { script: readerScript } }),
      ...(exemplarsMax === undefined ? {} : { exemplarsMax }),
    });
    const directory = join(dataDirectory, 'state');
    const state = await JournalStateStore.open({ disk: nodeDisk, directory, logger });
    // Before the first sample can come.
    await forwarder.apply(remoteWrites, externalLabels);
    const links = await openIncidentLinks(state);
    started = new Tyto(options, config, tsdb, state, forwarder, links);
    await started.#pushKeeper.restore();
    return started;
  }

  /** Opens the port. Rejects with the system's error when it is taken. */
  async listen(host: string, port: number): Promise<string> {
    this.#notifications.add(STARTING);
    this.#http = await createHttpServer(this.#httpOptions());
    this.#logs.tails.attach(this.#http.server);
    return await this.#http.listen({ host, port });
  }

  #httpOptions(): HttpServerOptions {
    const { clock, logger, externalUrl, lifecycle, features } = this.#options;
    return {
      clock,
      logger,
      externalUrl,
      lifecycle,
      features,
      isAdminApiEnabled: this.#options.isAdminApiEnabled,
      flags: this.#options.flags,
      corsOrigin: this.#options.corsOrigin,
      searchLimitMax: this.#options.searchLimitMax,
      isSearchEnabled: features.searchApi,
      syntax: features.syntax,
      notifications: this.#notifications,
      scrapeTexts: () => this.#config.scrapeTexts,
      metrics: this.#metrics,
      backends: this.#backends,
      queries: this.#queries,
      store: this.#tsdb,
      tsdb: this.#tsdb,
      scrapes: this.#scrapes,
      receiver: this.#receiver,
      receivedBodies: this.#receivedBodies,
      readServer: this.#readServer,
      readBodies: readBodies(),
      lookbackMs: this.#options.query.lookbackMs,
      externalLabels: () => this.#config.prometheus.externalLabels,
      receivesWrites: this.#options.receivesWrites,
      otlp: this.#otlp,
      pushes: this.#pushes,
      onPush: () => this.#onPush(),
      ...this.#logs.routes,
      onLogRules: () => this.#onLogRules(),
      otlpBodies: this.#otlpBodies,
      receivesOtlp: this.#options.receivesOtlp,
      rules: this.#rules,
      dispatcher: this.#dispatcher,
      incidents: this.#incidents.incidents,
      startedMs: this.#startedMs,
      status: () => ({
        startedMs: this.#startedMs,
        configYaml: this.#config.source,
        reloadSuccessful: this.#reloadSuccessful,
        lastReloadMs: this.#lastReloadMs,
        retention: formatDuration(this.#options.retentionMs),
      }),
      alertmanagerUrls: () => [
        `${externalUrl.replace(/\/$/, '')}/api/v2/alerts`,
        ...this.#alertForwarder.urls,
      ],
      isReady: () => this.#ready,
      reload: () => this.reload(),
      quit: () => this.#options.quit(),
    };
  }

  /** See rehearsal.ts; a start goes well without it, too. */
  async rehearse(): Promise<void> {
    const address = this.#http?.server.address();
    if (typeof address !== 'object' || address === null) return;
    await rehearse({
      ...this.#options,
      address,
      backends: this.#backends,
      isStopped: () => !this.#ready,
    });
  }

  /** Serves everything on a further port. Rejects with the system's error when it is taken. */
  async alsoListen(host: string, port: number): Promise<void> {
    const server = createServer(must(this.#http, 'the first port is open').routing);
    this.#moreServers.push(server);
    this.#logs.tails.attach(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve());
    });
  }

  /** Receives OpenTelemetry over gRPC. Rejects with the system's error when the port is taken. */
  async listenOtlpGrpc(host: string, port: number): Promise<void> {
    const server = new OtlpGrpcServer({
      logger: this.#options.logger,
      otlpBodies: this.#otlpBodies,
      receivedBodies: this.#receivedBodies,
      heldLogBodies: this.#logs.heldBodies,
      receiveLogs: (...received) => this.#logs.receiveOtlp(...received),
    });
    this.#grpcServers.push(server);
    await server.listen(host, port);
  }

  /** Applies the configuration that Tyto was started with. */
  async run(): Promise<void> {
    await this.#apply(this.#config);
    this.#incidents.incidents.start();
    this.#logs.start();
    this.#ready = true;
    this.#notifications.remove(STARTING);
  }

  /** Reads the files again. A mistake leaves the old configuration in force, and rejects. */
  reload(): Promise<void> {
    const done = this.#reloading.then(() => this.#reload());
    this.#reloading = done.catch(() => {});
    return done;
  }

  /** Ends in order: no new work, then what is under way, then the stores. */
  async stop(): Promise<void> {
    this.#ready = false;
    this.#notifications.add(STOPPING);
    for (const server of this.#moreServers) {
      server.close();
      server.closeAllConnections();
    }
    for (const server of this.#grpcServers) server.close();
    this.#logs.tails.close();
    await this.#http?.close();
    await Promise.all([this.#rules.stop(), this.#scrapes.stop()]);
    this.#incidents.stop();
    await Promise.all([this.#dispatcher.stop(), this.#alertForwarder.stop(DRAIN_MS_MAX)]);
    await this.#pushKeeper.stop();
    await this.#logs.stop();
    await this.#forwarder.close();
    await this.#tsdb.close();
    await this.#state.close();
  }

  async #reload(): Promise<void> {
    const { logger, files, clock, features } = this.#options;
    try {
      const config = await loadConfig(files, clock, { features });
      await this.#apply(config);
      this.#config = config;
      this.#notifications.remove(RELOAD_FAILED);
      if (storageSettings(config) === this.#storage) this.#notifications.remove(RESTART_NEEDED);
      else this.#notifications.add(RESTART_NEEDED);
      logger.info('the configuration was reloaded', { file: files.config || 'built-in' });
    } catch (error) {
      this.#reloadSuccessful = false;
      this.#notifications.add(RELOAD_FAILED);
      this.#metrics.reloadSuccessful.set(0);
      logger.error('the configuration was refused; the old one stays in force', {
        error: errorMessage(error),
      });
      throw error;
    }
  }

  async #apply(config: LoadedConfig): Promise<void> {
    const { clock, logger } = this.#options;
    logWarnings(config.warnings, logger);
    const { prometheus } = config;
    this.#tsdb.outOfOrderWindowMs = prometheus.storage.outOfOrderWindowMs;
    this.#tsdb.logCompression = prometheus.storage.walCompression ?? this.#options.logCompression;
    this.#tsdb.retentionRules = config.retentionRules;
    this.#otlp.config = prometheus.otlp;
    this.#alertForwarder.apply(prometheus);
    await this.#forwarder.apply(prometheus.remoteWrites, prometheus.externalLabels);
    this.#querier.readers = createReaders(prometheus, clock);
    await this.#dispatcher.apply(config.alertmanager, config.templates);
    this.#incidents.incidents.apply(config.incidents);
    await this.#scrapes.apply(config.jobs);
    await this.#internal.apply(config);
    await this.#logs.apply(config.logs);
    await this.#applyRules(config);
    this.#reloadSuccessful = true;
    this.#lastReloadMs = clock.nowMs();
    this.#metrics.reloadSuccessful.set(1);
    this.#metrics.reloadTimestamp.set(this.#lastReloadMs / 1000);
  }

  async #applyRules(config: LoadedConfig): Promise<void> {
    const { clock, logger, externalUrl } = this.#options;
    const { prometheus } = config;
    await this.#rules.apply(this.#logs.ruleGroups(config), {
      clock,
      logger,
      store: this.#tsdb,
      // Not through the queue of people's queries: alerting never waits for those.
      query: (expression, timeMs) => this.#engine.instant(expression, timeMs),
      logQuery: (tenant) => this.#logs.query(tenant),
      sink: {
        send: (alerts) => {
          this.#dispatcher.send(this.#alertForwarder.labelled(alerts));
          this.#alertForwarder.send(alerts);
        },
      },
      externalLabels: prometheus.externalLabels,
      externalUrl,
      evaluationIntervalMs: prometheus.evaluationIntervalMs,
      queryOffsetMs: prometheus.queryOffsetMs,
      resendDelayMs: this.#options.rules.resendDelayMs,
      restore: this.#options.rules,
    });
  }

  /** Rules that were put in are in force when it resolves; a reload under way comes first. */
  #onLogRules(): Promise<void> {
    const done = this.#reloading.then(() => this.#applyRules(this.#config));
    this.#reloading = done.catch(() => {});
    return done;
  }

  #onPush(): void {
    this.#pushKeeper.changed();
    // A reload that is under way comes first: it does the same with its own settings.
    const { logger } = this.#options;
    this.#reloading = this.#reloading
      .then(() => this.#internal.watchPushes(this.#config))
      .catch((error: unknown) =>
        logger.error('BUG: pushed metrics', { error: errorMessage(error) }),
      );
  }
}

/** Prometheus' HTTP API under /api/v1: targets, rules, alerts, and the state of the server. */
import { availableParallelism, hostname } from 'node:os';
import type {
  ActiveTarget as ActiveTargetJson,
  AlertInstance,
  Rule,
  RuleGroup as RuleGroupJson,
  UnreadSeries,
} from '@tyto/api';
import {
  type ActiveAlert,
  AlertingRule,
  type RuleGroup,
  type RuleManager,
  type RuleStatus,
} from '@tyto/alerting';
import { type Clock, formatDuration, redactYaml, TytoError } from '@tyto/base';
import type { ActiveTarget, ScrapeManager } from '@tyto/collect';
import { matchesAll } from '@tyto/model';
import type { Tsdb } from '@tyto/tsdb';
import type { FastifyInstance } from 'fastify';
import { VERSION } from '../version.ts';
import { sendData } from './envelope.ts';
import type { Params } from './params.ts';
import { paramsOf } from './prometheusApi.ts';
import { formatSampleValue } from './queryJson.ts';

export interface StatusApiOptions {
  readonly clock: Clock;
  readonly scrapes: ScrapeManager;
  readonly rules: RuleManager;
  readonly tsdb: Tsdb;
  readonly flags: ReadonlyMap<string, string>;
  status(): ServerStatus;
}

export interface ServerStatus {
  readonly startedMs: number;
  readonly configYaml: string;
  readonly reloadSuccessful: boolean;
  readonly lastReloadMs: number;
  readonly retention: string;
  readonly alertmanagerUrls: readonly string[];
}

/** Go's zero time: what Prometheus shows for "never". */
const NEVER = '0001-01-01T00:00:00Z';

export function registerStatusApi(app: FastifyInstance, options: StatusApiOptions): void {
  app.get('/api/v1/targets', async (request, reply) =>
    sendData(reply, targetsData(options.scrapes, paramsOf(request))),
  );
  app.get('/api/v1/scrape_pools', async (_, reply) => {
    const pools = new Set(options.scrapes.targets().active.map((target) => target.scrapePool));
    return sendData(reply, { scrapePools: [...pools].sort((a, b) => (a < b ? -1 : 1)) });
  });
  app.get('/api/v1/rules', async (request, reply) =>
    sendData(reply, rulesData(options.rules, paramsOf(request))),
  );
  app.get('/api/v1/alerts', async (_, reply) => sendData(reply, alertsData(options.rules)));
  app.get('/api/v1/alertmanagers', async (_, reply) => {
    const active = options.status().alertmanagerUrls.map((url) => ({ url }));
    return sendData(reply, { activeAlertmanagers: active, droppedAlertmanagers: [] });
  });
  app.get('/api/v1/status/config', async (_, reply) =>
    sendData(reply, { yaml: hideSecrets(options.status().configYaml) }),
  );
  app.get('/api/v1/status/flags', async (_, reply) =>
    sendData(reply, Object.fromEntries(options.flags)),
  );
  app.get('/api/v1/status/buildinfo', async (_, reply) =>
    sendData(reply, {
      version: VERSION,
      revision: 'tyto',
      branch: 'HEAD',
      buildUser: '',
      buildDate: '',
      goVersion: `node ${process.version}`,
    }),
  );
  app.get('/api/v1/status/runtimeinfo', async (_, reply) => sendData(reply, runtimeInfo(options)));
  app.get('/api/v1/status/tsdb', async (request, reply) =>
    sendData(reply, tsdbStatus(options.tsdb, paramsOf(request))),
  );
  app.get('/tyto/api/v1/unread', async (request, reply) =>
    sendData(reply, unreadSeries(options.tsdb, paramsOf(request))),
  );
  app.get('/api/v1/status/walreplay', async (_, reply) =>
    sendData(reply, { min: 0, max: 0, current: 0, state: 'done' }),
  );
}

function isoTime(ms: number | undefined): string {
  return ms === undefined || ms === 0 ? NEVER : new Date(ms).toISOString();
}

function targetsData(scrapes: ScrapeManager, params: Params) {
  const { active, dropped, droppedCounts } = scrapes.targets();
  const state = params.text('state').toLowerCase();
  const pool = params.text('scrapePool');
  const inPool = ({ scrapePool }: { scrapePool: string }) => pool === '' || scrapePool === pool;
  const showActive = state === '' || state === 'any' || state === 'active';
  const showDropped = state === '' || state === 'any' || state === 'dropped';
  return {
    activeTargets: showActive ? active.filter(inPool).map(targetJson) : [],
    droppedTargets: showDropped
      ? dropped.filter(inPool).map(({ discoveredLabels, scrapePool }) => ({
          discoveredLabels: discoveredLabels.toRecord(),
          scrapePool,
        }))
      : [],
    droppedTargetCounts: droppedCounts,
  };
}

function targetJson(target: ActiveTarget): ActiveTargetJson {
  return {
    discoveredLabels: target.discoveredLabels.toRecord(),
    labels: target.labels.toRecord(),
    scrapePool: target.scrapePool,
    scrapeUrl: target.scrapeUrl,
    globalUrl: target.globalUrl,
    lastError: target.lastError,
    lastScrape: isoTime(target.lastScrapeMs),
    lastScrapeDuration: target.lastScrapeDurationMs / 1000,
    health: target.health,
    scrapeInterval: formatDuration(target.scrapeIntervalMs),
    scrapeTimeout: formatDuration(target.scrapeTimeoutMs),
  };
}

function rulesData(rules: RuleManager, params: Params): { groups: RuleGroupJson[] } {
  const type = params.text('type').toLowerCase();
  if (!['', 'alert', 'record'].includes(type)) {
    throw new TytoError('bad_data', `not supported value "${type}"`);
  }
  const names = new Set(params.all('rule_name[]'));
  const groupNames = new Set(params.all('rule_group[]'));
  const files = new Set(params.all('file[]'));
  const matcherSets = params.matcherSets();
  const withAlerts = !params.flag('exclude_alerts', false);
  const isWanted = (status: RuleStatus) => {
    const { rule } = status;
    const isAlert = rule instanceof AlertingRule;
    if (type !== '' && isAlert !== (type === 'alert')) return false;
    const { labels } = isAlert ? rule.config : rule;
    if (names.size > 0 && !names.has(isAlert ? rule.config.alert : rule.record)) return false;
    return matcherSets.length === 0 || matcherSets.some((set) => matchesAll(set, labels));
  };
  const isFiltered = names.size > 0 || matcherSets.length > 0 || type !== '';
  const groups = rules.groups
    .filter(({ config }) => groupNames.size === 0 || groupNames.has(config.name))
    .filter(({ config }) => files.size === 0 || files.has(config.file))
    .map((group) => groupJson(group, group.rules.filter(isWanted), withAlerts))
    .filter((group) => !isFiltered || group.rules.length > 0);
  return { groups };
}

function groupJson(
  group: RuleGroup,
  rules: readonly RuleStatus[],
  withAlerts: boolean,
): RuleGroupJson {
  return {
    name: group.config.name,
    file: group.config.file,
    interval: group.intervalMs / 1000,
    limit: group.config.limit,
    rules: rules.map((status) => ruleJson(status, withAlerts)),
    evaluationTime: group.evaluationMs / 1000,
    lastEvaluation: isoTime(group.lastEvaluationMs),
  };
}

function ruleJson(status: RuleStatus, withAlerts: boolean): Rule {
  const { rule, health, lastError } = status;
  const shared = {
    health,
    ...(lastError === '' ? {} : { lastError }),
    evaluationTime: status.evaluationMs / 1000,
    lastEvaluation: isoTime(status.lastEvaluationMs),
  };
  if (!(rule instanceof AlertingRule)) {
    const { record, expr, labels } = rule;
    return { type: 'recording', name: record, query: expr, labels: labels.toRecord(), ...shared };
  }
  const { config } = rule;
  return {
    type: 'alerting',
    state: status.lastEvaluationMs === undefined ? 'unknown' : rule.state,
    name: config.alert,
    query: config.expr.trim(),
    duration: config.forMs / 1000,
    keepFiringFor: config.keepFiringForMs / 1000,
    labels: config.labels.toRecord(),
    annotations: config.annotations.toRecord(),
    alerts: withAlerts ? rule.alerts().map(alertJson) : [],
    ...shared,
  };
}

function alertsData(rules: RuleManager): { alerts: AlertInstance[] } {
  const alerting = rules.groups.flatMap((group) => group.rules.map(({ rule }) => rule));
  return {
    alerts: alerting.flatMap((rule) =>
      rule instanceof AlertingRule ? rule.alerts().map(alertJson) : [],
    ),
  };
}

function alertJson(alert: ActiveAlert): AlertInstance {
  return {
    labels: alert.labels.toRecord(),
    annotations: alert.annotations.toRecord(),
    state: alert.state,
    activeAt: isoTime(alert.activeAtMs),
    value: goExponent(alert.value),
    ...(alert.keepFiringSinceMs === undefined
      ? {}
      : { keepFiringSince: isoTime(alert.keepFiringSinceMs) }),
  };
}

/** Prometheus writes the values of alerts with an exponent: 1e+00. */
function goExponent(value: number): string {
  if (!Number.isFinite(value)) return formatSampleValue(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

function runtimeInfo({ clock, status, tsdb }: StatusApiOptions) {
  const { startedMs, reloadSuccessful, lastReloadMs, retention } = status();
  return {
    startTime: isoTime(startedMs),
    CWD: process.cwd(),
    hostname: hostname(),
    serverTime: isoTime(clock.nowMs()),
    reloadConfigSuccess: reloadSuccessful,
    lastConfigTime: isoTime(lastReloadMs),
    corruptionCount: tsdb.stats().corruptions,
    goroutineCount: 0,
    GOMAXPROCS: availableParallelism(),
    GOMEMLIMIT: 0,
    GOGC: '',
    GODEBUG: '',
    storageRetention: retention,
  };
}

function tsdbStatus(tsdb: Tsdb, params: Params) {
  const limit = params.limit('limit') || 10;
  const stats = tsdb.stats();
  const { valuesByLabel, seriesByMetric, seriesByPair, textByLabel } = tsdb.topCardinality(limit);
  const named = (entries: readonly (readonly [string, number])[]) =>
    entries.map(([name, value]) => ({ name, value }));
  return {
    headStats: {
      numSeries: stats.seriesCount,
      numLabelPairs: stats.symbolCount,
      chunkCount: stats.chunkCount,
      minTime: Number.isFinite(stats.headMinTimeMs) ? stats.headMinTimeMs : 0,
      maxTime: Number.isFinite(stats.headMaxTimeMs) ? stats.headMaxTimeMs : 0,
    },
    seriesCountByMetricName: named(seriesByMetric),
    labelValueCountByLabelName: named(valuesByLabel),
    memoryInBytesByLabelName: named(textByLabel),
    seriesCountByLabelValuePair: named(seriesByPair),
  };
}

const UNREAD_DAYS = 30;

/** What is stored and read by nobody. Parameters: `days` (30), `limit` of metrics (100). */
function unreadSeries(tsdb: Tsdb, params: Params): UnreadSeries {
  const text = params.text('days') || String(UNREAD_DAYS);
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 3650) {
    throw new TytoError('bad_data', `invalid parameter "days": ${text} is no number of days`);
  }
  const metrics = tsdb.unreadMetrics(days);
  return {
    days,
    seriesTotal: tsdb.stats().seriesCount,
    unreadTotal: metrics.reduce((sum, { unread }) => sum + unread, 0),
    metrics: metrics.slice(0, params.limit('limit') || 100),
  };
}

const SECRET_FIELDS = new Set([
  ...['password', 'credentials', 'bearer_token', 'client_secret', 'client_certificate_key', 'key'],
  ...['secret_key', 'secret', 'token', 'auth_password', 'auth_secret', 'smtp_auth_password'],
  ...['smtp_auth_secret', 'slack_api_url', 'api_url', 'service_key', 'routing_key', 'api_key'],
  // The address of a webhook is what authorises.
  ...['webhook_configs/url', 'webhook_url'],
  ...['api_secret', 'bot_token', 'user_key', 'app_token', 'opsgenie_api_key'],
]);

/** A configuration with its secrets covered, as Prometheus and Alertmanager show it. */
export function hideSecrets(text: string): string {
  return redactYaml(text, SECRET_FIELDS);
}

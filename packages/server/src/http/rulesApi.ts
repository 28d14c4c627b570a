/** Prometheus' HTTP API under /api/v1: rules, page by page, their alerts, and Alertmanagers. */
import { createHash } from 'node:crypto';
import {
  type ActiveAlert,
  AlertingRule,
  type RuleGroup,
  type RuleManager,
  type RuleStatus,
} from '@tyto/alerting';
import type { AlertInstance, Rule, RuleGroup as RuleGroupJson, RulesData } from '@tyto/api';
import { matchesAll } from '@tyto/model';
import { formatExpr, formatLogql, parseExpr, parseLogql } from '@tyto/syntax';
import type { FastifyInstance } from 'fastify';
import { sendData } from './envelope.ts';
import { isoTime } from './isoTime.ts';
import { invalid, type Params, paramsOf } from './params.ts';
import { formatSampleValue } from './queryJson.ts';

export interface RulesApiOptions {
  readonly rules: RuleManager;
  /** Where alerts are sent to: Tyto itself and the Alertmanagers that are configured. */
  alertmanagerUrls(): readonly string[];
}

export function registerRulesApi(app: FastifyInstance, options: RulesApiOptions): void {
  const { rules } = options;
  app.get('/api/v1/rules', async (request, reply) =>
    sendData(reply, rulesData(rules.groups, paramsOf(request))),
  );
  app.get('/api/v1/alerts', async (_, reply) => sendData(reply, alertsData(rules.groups)));
  app.get('/api/v1/alertmanagers', async (_, reply) => {
    const active = options.alertmanagerUrls().map((url) => ({ url }));
    return sendData(reply, { activeAlertmanagers: active, droppedAlertmanagers: [] });
  });
}

/** Those of `all`, as the parameters choose. */
export function rulesData(all: readonly RuleGroup[], params: Params): RulesData {
  const isWanted = ruleFilter(params);
  const groupNames = new Set(params.all('rule_group[]'));
  const files = new Set(params.all('file[]'));
  const withAlerts = !params.boolean('exclude_alerts');
  const page = pageOf(params);
  let isOnPage = page.token === '';
  const groups: RuleGroupJson[] = [];
  for (const group of all) {
    const { file, name } = group.config;
    isOnPage ||= page.token === groupToken(group);
    if (!isOnPage) continue;
    if (groupNames.size > 0 && !groupNames.has(name)) continue;
    if (files.size > 0 && !files.has(file)) continue;
    const wanted = group.rules.filter(isWanted);
    if (wanted.length === 0) continue;
    if (groups.length === page.limit) return { groups, groupNextToken: groupToken(group) };
    groups.push(groupJson(group, wanted, withAlerts));
  }
  if (!isOnPage) {
    const message = `invalid group_next_token '${page.token}'. were rule groups changed?`;
    throw invalid('group_next_token', message);
  }
  return { groups };
}

function ruleFilter(params: Params): (status: RuleStatus) => boolean {
  const type = params.text('type').toLowerCase();
  if (!['', 'alert', 'record'].includes(type)) {
    throw invalid('type', `not supported value ${JSON.stringify(type)}`);
  }
  const names = new Set(params.all('rule_name[]'));
  const matcherSets = params.matcherSets();
  return ({ rule }) => {
    const isAlert = rule instanceof AlertingRule;
    if (type !== '' && isAlert !== (type === 'alert')) return false;
    const { labels } = isAlert ? rule.config : rule;
    if (names.size > 0 && !names.has(isAlert ? rule.config.alert : rule.record)) return false;
    return matcherSets.length === 0 || matcherSets.some((set) => matchesAll(set, labels));
  };
}

/** At most how many groups, and the token of the first one; '' for the first page. */
function pageOf(params: Params): { limit: number; token: string } {
  const text = params.text('group_limit');
  const token = params.text('group_next_token');
  if (text === '') {
    if (token === '') return { limit: Infinity, token };
    const message = 'group_limit needs to be present in order to paginate over the groups';
    throw invalid('group_next_token', message);
  }
  if (!/^[+-]?\d{1,10}$/.test(text)) {
    const reason = `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`;
    throw invalid('group_limit', `group_limit needs to be a valid number: ${reason}`);
  }
  if (Number(text) <= 0) throw invalid('group_limit', 'group_limit needs to be greater than 0');
  return { limit: Number(text), token };
}

function groupToken({ config: { file, name } }: RuleGroup): string {
  return createHash('sha1').update(`${file};${name}`).digest('hex');
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
    rules: rules.map((status) => ruleJson(status, withAlerts, group.config.logs !== undefined)),
    evaluationTime: group.evaluationMs / 1000,
    lastEvaluation: isoTime(group.lastEvaluationMs),
  };
}

function ruleJson(status: RuleStatus, withAlerts: boolean, isLogql: boolean): Rule {
  const { rule, health, lastError } = status;
  const shared = {
    health,
    ...(lastError === '' ? {} : { lastError }),
    evaluationTime: status.evaluationMs / 1000,
    lastEvaluation: isoTime(status.lastEvaluationMs),
  };
  if (!(rule instanceof AlertingRule)) {
    const { record, expr, labels } = rule;
    const query = shownQuery(rule, expr, isLogql);
    return { type: 'recording', name: record, query, labels: labels.toRecord(), ...shared };
  }
  const { config } = rule;
  return {
    type: 'alerting',
    state: status.lastEvaluationMs === undefined ? 'unknown' : rule.state,
    name: config.alert,
    query: shownQuery(rule, config.expr, isLogql),
    duration: config.forMs / 1000,
    keepFiringFor: config.keepFiringForMs / 1000,
    labels: config.labels.toRecord(),
    annotations: config.annotations.toRecord(),
    alerts: withAlerts ? rule.alerts().map(alertJson) : [],
    ...shared,
  };
}

const shownQueries = new WeakMap<object, string>();

/** The query as Prometheus prints it, on one line: clients compare it with what others show. */
function shownQuery(rule: object, expr: string, isLogql: boolean): string {
  const shown =
    shownQueries.get(rule) ??
    (isLogql ? formatLogql(parseLogql(expr)) : formatExpr(parseExpr(expr)));
  shownQueries.set(rule, shown);
  return shown;
}

export function alertsData(groups: readonly RuleGroup[]): { alerts: AlertInstance[] } {
  const alerting = groups.flatMap((group) => group.rules.map(({ rule }) => rule));
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

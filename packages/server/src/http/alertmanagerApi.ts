/** Alertmanager's HTTP API v2: alerts, groups, silences, receivers, status. */
import { compareSets, type Dispatcher, matcherText, parseMatcher } from '@tyto/alerting';
import type { AlertGroup, MatcherMode, Silence, StoredAlert } from '@tyto/alerting';
import {
  type AnchoredRegExp,
  type Clock,
  compileAnchored,
  errorMessage,
  TytoError,
} from '@tyto/base';
import { isClassicLabelName, type Matcher, matchesAll } from '@tyto/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Features } from '../features.ts';
import { VERSION } from '../version.ts';
import { checkSilenceId, parseAlerts, parseSilence, ShapeError } from './alertmanagerBodies.ts';
import {
  alertJson,
  compareSilences,
  groupJson,
  sendList,
  silenceJson,
} from './alertmanagerJson.ts';
import { type Params, paramsOf } from './params.ts';
import { hideSecrets } from './secrets.ts';

export interface AlertmanagerApiOptions {
  readonly clock: Clock;
  readonly dispatcher: Dispatcher;
  readonly startedMs: number;
  readonly features: Features;
}

/** What Alertmanager waits for where nothing is configured. */
const RESOLVE_MS = 5 * 60_000;

export function registerAlertmanagerApi(
  app: FastifyInstance,
  options: AlertmanagerApiOptions,
): void {
  const { dispatcher } = options;
  registerOldApi(app);
  app.get('/api/v2/status', async () => statusJson(options));
  app.get('/api/v2/receivers', async (request) => receiversJson(options, paramsOf(request)));
  answered(app, 'GET', '/api/v2/alerts', async (request, reply) =>
    sendList(reply, alertItems(options, paramsOf(request))),
  );
  answered(app, 'POST', '/api/v2/alerts', async (request, reply) => {
    await postAlerts(options, bodyOf(request));
    return reply.code(200).send();
  });
  answered(app, 'GET', '/api/v2/alerts/groups', async (request, reply) =>
    sendList(reply, groupItems(options, paramsOf(request))),
  );
  answered(app, 'GET', '/api/v2/silences', async (request, reply) =>
    sendList(reply, silenceItems(options, paramsOf(request))),
  );
  answered(app, 'POST', '/api/v2/silences', async (request, reply) => {
    const silence = parseSilence(bodyOf(request), options.clock.nowMs());
    return reply.send({ silenceID: await dispatcher.silences.set(silence) });
  });
  answered(app, 'GET', '/api/v2/silence/:id', async (request, reply) => {
    const silence = dispatcher.silences.get(silenceId(request));
    if (silence === undefined) return reply.code(404).send();
    return reply.send(silenceJson(silence, dispatcher.silences.stateOf(silence)));
  });
  answered(app, 'DELETE', '/api/v2/silence/:id', async (request, reply) => {
    const id = silenceId(request);
    if (dispatcher.silences.get(id) === undefined) return reply.code(404).send();
    await dispatcher.silences.expire(id);
    return reply.code(200).send();
  });
}

/** A route whose answer to a body or parameter of the wrong shape is Alertmanager's. */
function answered(
  app: FastifyInstance,
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  answer: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
): void {
  app.route({
    method,
    url,
    handler: async (request, reply) => {
      try {
        return await answer(request, reply);
      } catch (error) {
        if (!(error instanceof ShapeError)) throw error;
        const { status, code, message } = error;
        return reply.code(status).send({ code, message });
      }
    },
  });
}

/** Of Alertmanager's first API: those of its paths that Prometheus' API does not have. */
const OLD_PATHS = /^(POST alerts|\w+ (alerts\/groups|receivers|status|silences|silence\/[^/]+))$/;

function registerOldApi(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!request.url.startsWith('/api/v1/')) return;
    const [path] = request.url.split('?');
    const name = path.slice('/api/v1/'.length);
    if (!OLD_PATHS.test(`${request.method} ${name}`)) return;
    const error = 'this API was removed from Alertmanager in 0.27; use the same path of /api/v2';
    await reply.code(410).send({ status: 'deprecated', error });
  });
}

function bodyOf(request: FastifyRequest): unknown {
  const type = request.headers['content-type'] ?? '';
  if (request.body === undefined || /^application\/json\b/i.test(type)) return request.body;
  const found = `unsupported media type ${JSON.stringify(type)}`;
  throw new ShapeError(415, 415, `${found}, only [application/json] are allowed`);
}

function silenceId(request: FastifyRequest): string {
  const { id } = request.params as { id: string };
  checkSilenceId(id);
  return id;
}

function statusJson({ dispatcher, startedMs }: AlertmanagerApiOptions) {
  return {
    cluster: { status: 'disabled', peers: [] },
    versionInfo: {
      version: VERSION,
      revision: 'tyto',
      branch: 'HEAD',
      buildUser: '',
      buildDate: '',
      goVersion: `node ${process.version}`,
    },
    config: { original: shownConfig(dispatcher.config?.source ?? '') },
    uptime: new Date(startedMs).toISOString(),
  };
}

/** Without secrets; amtool reads it, and wants a URL where a webhook's is covered. */
function shownConfig(source: string): string {
  return hideSecrets(source).replace(/\burl: (['"]?)<secret>\1/g, 'url: http://secret/');
}

function receiversJson({ dispatcher, features }: AlertmanagerApiOptions, params: Params) {
  const wanted = matchersOf(params, 'receiver_matchers', features.matcherMode);
  return (dispatcher.config?.receivers ?? [])
    .filter((receiver) => matchesRecord(wanted, receiver.labels ?? {}))
    .map(({ name, labels }) => ({ name, ...(labels === undefined ? {} : { labels }) }));
}

async function postAlerts(options: AlertmanagerApiOptions, body: unknown): Promise<void> {
  const { clock, dispatcher, features } = options;
  const resolveMs = dispatcher.config?.global.resolve_timeout ?? RESOLVE_MS;
  const isLabelName =
    features.matcherMode === 'classic'
      ? isClassicLabelName
      : (name: string) => name !== '' && name.isWellFormed();
  const { alerts, refused } = parseAlerts(body, clock.nowMs(), resolveMs, isLabelName);
  dispatcher.countInvalid(refused.length);
  const errors = await dispatcher.accept(alerts);
  const [first] = errors;
  const reasons = [...refused, ...errors.map(errorMessage)];
  if (reasons.length === 0) return;
  const shown = [...new Set(reasons)].slice(0, REASONS_MAX).join('; ');
  throw new TytoError(first?.kind ?? 'bad_data', shown);
}

/** Reasons of one answer; a batch of a thousand mistakes has one or two. */
const REASONS_MAX = 10;

function* alertItems(options: AlertmanagerApiOptions, params: Params): Generator<unknown> {
  const { dispatcher } = options;
  const isWanted = alertFilter(options, params);
  const receivers = receiverFilter(options, params);
  const alerts = [...dispatcher.alerts.all()].sort((a, b) =>
    compareTexts(a.fingerprint, b.fingerprint),
  );
  for (const alert of alerts) {
    const names = dispatcher.receiversOf(alert);
    if (!names.some(receivers) || !isWanted(alert)) continue;
    yield alertJson(alert, dispatcher.status(alert), names);
  }
}

async function* groupItems(
  options: AlertmanagerApiOptions,
  params: Params,
): AsyncGenerator<unknown> {
  const { dispatcher } = options;
  const isWanted = alertFilter(options, params);
  const receivers = receiverFilter(options, params);
  const isMutedWanted = isOn(params, 'muted');
  const groups = dispatcher
    .groups()
    .filter(({ route }) => receivers(route.receiver))
    .sort(compareGroups);
  for (const group of groups) {
    if (!isMutedWanted && group.mutedBy.length > 0) continue;
    const alerts = [];
    for (const alert of await group.sorted()) {
      if (!isWanted(alert)) continue;
      const names = dispatcher.receiversOf(alert).filter(receivers).sort();
      alerts.push(alertJson(alert, dispatcher.status(alert), names, group.mutedBy));
    }
    if (alerts.length === 0) continue;
    yield groupJson(group, alerts, await dispatcher.routeLabelsOf(group));
  }
}

function compareGroups(a: AlertGroup, b: AlertGroup): number {
  return compareSets(a.labels, b.labels) || compareTexts(a.route.receiver, b.route.receiver);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Firing alerts that the parameters let through. Throws TytoError `bad_data`. */
function alertFilter(
  { dispatcher, features }: AlertmanagerApiOptions,
  params: Params,
): (alert: StoredAlert) => boolean {
  const matchers = matchersOf(params, 'filter', features.matcherMode);
  const [active, silenced, inhibited] = ['active', 'silenced', 'inhibited'].map((name) =>
    isOn(params, name),
  );
  return (alert) => {
    if (dispatcher.alerts.isResolved(alert) || !matchesAll(matchers, alert.labels)) return false;
    if (active && silenced && inhibited) return true;
    const { state, silencedBy, inhibitedBy } = dispatcher.status(alert);
    if (!active && state === 'active') return false;
    return (silenced || silencedBy.length === 0) && (inhibited || inhibitedBy.length === 0);
  };
}

/** By `receiver`, a pattern, and by `receiver_matchers`. Throws TytoError `bad_data`. */
function receiverFilter(
  { dispatcher, features }: AlertmanagerApiOptions,
  params: Params,
): (name: string) => boolean {
  const pattern = receiverPattern(params.text('receiver'));
  const wanted = matchersOf(params, 'receiver_matchers', features.matcherMode);
  const labels = new Map(
    dispatcher.config?.receivers.map((receiver) => [receiver.name, receiver.labels ?? {}]),
  );
  return (name) =>
    (pattern?.matches(name) ?? true) &&
    (wanted.length === 0 || matchesRecord(wanted, labels.get(name) ?? {}));
}

function receiverPattern(text: string): AnchoredRegExp | undefined {
  if (text === '') return undefined;
  try {
    return compileAnchored(text);
  } catch (error) {
    const message = `failed to parse receiver param: ${errorMessage(error)}`;
    throw new TytoError('bad_data', message);
  }
}

function matchersOf(params: Params, name: string, mode: MatcherMode): Matcher[] {
  return params.all(name).map((text) => parseMatcher(text, mode));
}

function matchesRecord(
  matchers: readonly Matcher[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return matchers.every(({ name, matches }) =>
    matches(Object.hasOwn(labels, name) ? labels[name] : ''),
  );
}

/** A flag that is on unless something else is said; what is no word for yes means no. */
function isOn(params: Params, name: string): boolean {
  const text = params.text(name);
  return text === '' || /^(true|1|yes|ok|y|on|selected|checked|t|enabled)$/i.test(text);
}

function silenceItems({ dispatcher, features }: AlertmanagerApiOptions, params: Params) {
  const filter = matchersOf(params, 'filter', features.matcherMode).map(matcherText);
  const { silences } = dispatcher;
  return silences
    .all()
    .filter((silence) => isOn(params, silences.stateOf(silence)) && hasAll(silence, filter))
    .map((silence) => silenceJson(silence, silences.stateOf(silence)))
    .sort(compareSilences);
}

/** Whether a silence has all these matchers as they stand. */
function hasAll({ matchers }: Silence, filter: readonly string[]): boolean {
  if (filter.length === 0) return true;
  const own = new Set(
    matchers.map(({ name, value, isRegex, isEqual }) => {
      const type = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';
      return matcherText({ name, type, value });
    }),
  );
  return filter.every((text) => own.has(text));
}

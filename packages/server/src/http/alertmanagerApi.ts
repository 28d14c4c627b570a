/** Alertmanager's HTTP API v2: alerts, groups, silences, receivers, status. */
import type { NotifiedAlert, Silence as SilenceJson } from '@tyto/api';
import { type Dispatcher, parseMatchers, type Silence, type StoredAlert } from '@tyto/alerting';
import { type Clock, TytoError } from '@tyto/base';
import { compareLabels, Labels, type Matcher } from '@tyto/model';
import type { FastifyInstance } from 'fastify';
import { VERSION } from '../version.ts';
import { type Params, paramsOf } from './params.ts';
import { hideSecrets } from './secrets.ts';

export interface AlertmanagerApiOptions {
  readonly clock: Clock;
  readonly dispatcher: Dispatcher;
  readonly startedMs: number;
}

export function registerAlertmanagerApi(
  app: FastifyInstance,
  options: AlertmanagerApiOptions,
): void {
  const { dispatcher } = options;
  app.get('/api/v2/status', async () => statusJson(options));
  app.get('/api/v2/receivers', async () => dispatcher.receivers().map((name) => ({ name })));
  app.get('/api/v2/alerts', async (request) => {
    const filter = alertFilter(paramsOf(request), dispatcher);
    const alerts = [...dispatcher.alerts.all()].filter(
      (alert) => !dispatcher.alerts.isResolved(alert),
    );
    return alerts
      .filter(filter)
      .sort((a, b) => compareLabels(a.labels, b.labels))
      .map((alert) => alertJson(alert, dispatcher));
  });
  app.post('/api/v2/alerts', async (request, reply) => {
    dispatcher.send(parseAlerts(request.body, options));
    return reply.code(200).send();
  });
  app.get('/api/v2/alerts/groups', async (request) => groupsJson(options, paramsOf(request)));
  app.get('/api/v2/silences', async (request) => {
    const matchers = paramsOf(request).all('filter').flatMap(parseMatchers);
    return dispatcher.silences
      .all()
      .filter((silence) => silenceMatches(silence, matchers))
      .sort((a, b) => b.updatedAtMs - a.updatedAtMs)
      .map((silence) => silenceJson(silence, dispatcher));
  });
  app.post('/api/v2/silences', async (request) => ({
    silenceID: await dispatcher.silences.set(parseSilence(request.body)),
  }));
  app.get<{ Params: { id: string } }>('/api/v2/silence/:id', async (request) => {
    const silence = dispatcher.silences.get(request.params.id);
    if (silence === undefined) {
      throw new TytoError('not_found', `silence ${request.params.id} not found`);
    }
    return silenceJson(silence, dispatcher);
  });
  app.delete<{ Params: { id: string } }>('/api/v2/silence/:id', async (request, reply) => {
    await dispatcher.silences.expire(request.params.id);
    return reply.code(200).send();
  });
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
    config: { original: hideSecrets(dispatcher.config?.source ?? '') },
    uptime: new Date(startedMs).toISOString(),
  };
}

function alertFilter(params: Params, dispatcher: Dispatcher): (alert: StoredAlert) => boolean {
  const matchers = params.all('filter').flatMap(parseMatchers);
  const receiver = params.text('receiver');
  const receiverPattern =
    receiver === '' ? undefined : parseMatchers(`r=~"${receiver.replaceAll('"', '\\"')}"`)[0];
  const show = {
    active: params.flag('active', true),
    silenced: params.flag('silenced', true),
    inhibited: params.flag('inhibited', true),
  };
  return (alert) => {
    const status = dispatcher.status(alert);
    if (!show.active && status.state === 'active') return false;
    if (!show.silenced && status.silencedBy.length > 0) return false;
    if (!show.inhibited && status.inhibitedBy.length > 0) return false;
    const receivers = receiverPattern && dispatcher.receiversOf(alert);
    if (receivers && !receivers.some((name) => receiverPattern.matches(name))) return false;
    return matchers.every((matcher) => matcher.matches(alert.labels.get(matcher.name)));
  };
}

function alertJson(alert: StoredAlert, dispatcher: Dispatcher): NotifiedAlert {
  const status = dispatcher.status(alert);
  return {
    annotations: alert.annotations.toRecord(),
    endsAt: new Date(alert.endsAtMs).toISOString(),
    fingerprint: alert.fingerprint,
    receivers: dispatcher.receiversOf(alert).map((name) => ({ name })),
    startsAt: new Date(alert.startsAtMs).toISOString(),
    status: { ...status, mutedBy: [] },
    updatedAt: new Date(alert.updatedAtMs).toISOString(),
    generatorURL: alert.generatorUrl,
    labels: alert.labels.toRecord(),
  };
}

function groupsJson({ dispatcher }: AlertmanagerApiOptions, params: Params) {
  const filter = alertFilter(params, dispatcher);
  return dispatcher
    .groups()
    .map((group) => ({
      alerts: group
        .members()
        .filter((alert) => !dispatcher.alerts.isResolved(alert) && filter(alert))
        .map((alert) => alertJson(alert, dispatcher)),
      labels: group.labels.toRecord(),
      receiver: { name: group.route.receiver },
    }))
    .filter(({ alerts }) => alerts.length > 0);
}

/** Alerts as Prometheus posts them. A missing start is now, a missing end the resolve timeout. */
function parseAlerts(body: unknown, { clock, dispatcher }: AlertmanagerApiOptions) {
  if (!Array.isArray(body)) throw new TytoError('bad_data', 'expected a list of alerts');
  const nowMs = clock.nowMs();
  const resolveMs = dispatcher.config?.global.resolve_timeout ?? 5 * 60_000;
  return body.map((item: unknown, i) => {
    const alert = record(item, `alert ${i}`);
    const labels = Labels.of(textRecord(alert.labels, `labels of alert ${i}`));
    if (labels.size === 0)
      throw new TytoError('bad_data', `alert ${i}: at least one label pair required`);
    const endsAtMs = timeOf(alert.endsAt, `endsAt of alert ${i}`);
    const startsAtMs =
      timeOf(alert.startsAt, `startsAt of alert ${i}`) ?? Math.min(nowMs, endsAtMs ?? nowMs);
    if (endsAtMs !== undefined && endsAtMs < startsAtMs) {
      throw new TytoError('bad_data', `alert ${i}: start time must be before end time`);
    }
    return {
      labels,
      annotations: Labels.of(textRecord(alert.annotations ?? {}, `annotations of alert ${i}`)),
      startsAtMs,
      endsAtMs: endsAtMs ?? nowMs + resolveMs,
      generatorUrl: typeof alert.generatorURL === 'string' ? alert.generatorURL : '',
    };
  });
}

function parseSilence(body: unknown): Omit<Silence, 'updatedAtMs'> {
  const silence = record(body, 'the silence');
  if (!Array.isArray(silence.matchers))
    throw new TytoError('bad_data', 'the silence has no matchers');
  return {
    id: typeof silence.id === 'string' ? silence.id : '',
    matchers: silence.matchers.map((item: unknown, i) => {
      const matcher = record(item, `matcher ${i}`);
      return {
        name: String(matcher.name ?? ''),
        value: String(matcher.value ?? ''),
        isRegex: matcher.isRegex === true,
        isEqual: matcher.isEqual !== false,
      };
    }),
    startsAtMs: timeOf(silence.startsAt, 'startsAt') ?? 0,
    endsAtMs: timeOf(silence.endsAt, 'endsAt') ?? 0,
    createdBy: String(silence.createdBy ?? ''),
    comment: String(silence.comment ?? ''),
  };
}

function silenceMatches(silence: Silence, filter: readonly Matcher[]): boolean {
  return filter.every((wanted) =>
    silence.matchers.some(({ name, value }) => name === wanted.name && wanted.matches(value)),
  );
}

function silenceJson(silence: Silence, dispatcher: Dispatcher): SilenceJson {
  return {
    id: silence.id,
    status: { state: dispatcher.silences.stateOf(silence) },
    updatedAt: new Date(silence.updatedAtMs).toISOString(),
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: new Date(silence.endsAtMs).toISOString(),
    matchers: silence.matchers,
    startsAt: new Date(silence.startsAtMs).toISOString(),
  };
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new TytoError('bad_data', `${what} is no object`);
}

function textRecord(value: unknown, what: string): Record<string, string> {
  const entries = Object.entries(record(value, what));
  for (const [name, text] of entries) {
    if (name === '' || typeof text !== 'string') {
      throw new TytoError('bad_data', `${what}: "${name}" is no text`);
    }
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Milliseconds of an RFC 3339 text; undefined for an absent one and for Go's zero time. */
function timeOf(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw new TytoError('bad_data', `${what} is no time: ${String(value)}`);
  return ms <= -62_135_596_800_000 ? undefined : ms;
}

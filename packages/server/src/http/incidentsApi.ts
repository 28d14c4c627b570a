/** Tyto's own API of incidents: what fires, what people do about it, and looking back. */
import type { AlertReview, AttemptsPage, IncidentsPage, OnCallNow } from '@tyto/api';
import { parseMatchers } from '@tyto/alerting';
import { type Clock, parseDuration, TytoError } from '@tyto/base';
import {
  type Actor,
  type Incident,
  type Incidents,
  onCall,
  PRIORITIES,
  reviewOf,
  SEVERITIES,
  severityWords,
  statisticsOf,
} from '@tyto/incidents';
import { Labels, matchesAll } from '@tyto/model';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sendData } from './envelope.ts';
import { registerIncidentPages } from './incidentPages.ts';
import {
  attemptJson,
  detailJson,
  iso,
  statisticsJson,
  summaryJson,
  suppressionJson,
} from './incidentsJson.ts';
import { invalid, type Params, paramsOf } from './params.ts';

export interface IncidentsApiOptions {
  readonly clock: Clock;
  readonly incidents: Incidents;
}

const API = '/tyto/api/v1';
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;
const STATUSES = ['triggered', 'acknowledged', 'resolved', 'suppressed'] as const;
const OUTCOMES = ['delivered', 'will be retried', 'failed', 'interrupted'] as const;
const DAY_MS = 86_400_000;

interface WithId {
  readonly Params: { readonly id: string };
}

export function registerIncidentsApi(app: FastifyInstance, options: IncidentsApiOptions): void {
  const { incidents, clock } = options;
  const shown = (incident: Incident) => detailJson(incidents, incident, clock.nowMs());
  app.get(`${API}/incidents`, async (request, reply) =>
    sendData(reply, incidentsPage(options, paramsOf(request))),
  );
  app.get<WithId>(`${API}/incidents/:id`, async (request, reply) =>
    sendData(reply, shown(incidents.get(request.params.id))),
  );
  app.get<WithId>(`${API}/incidents/:id/timeline`, async (request, reply) => {
    const { timeline, entriesLeftOut } = shown(incidents.get(request.params.id));
    return sendData(reply, { timeline, entriesLeftOut });
  });
  registerActions(app, options, shown);
  registerSuppressions(app, options);
  registerLookingBack(app, options);
  registerIncidentPages(app, options);
}

function registerActions(
  app: FastifyInstance,
  { incidents }: IncidentsApiOptions,
  shown: (incident: Incident) => unknown,
): void {
  const works: Readonly<
    Record<string, (id: string, actor: Actor, body: Body) => Promise<Incident>>
  > = {
    acknowledge: (id, actor, body) =>
      incidents.actions.acknowledge(id, actor, body.duration('for'), body.text('note')),
    unacknowledge: (id, actor) => incidents.actions.unacknowledge(id, actor),
    note: (id, actor, body) => incidents.actions.addNote(id, actor, body.text('note')),
    suppress: (id, actor, body) =>
      incidents.actions.suppress(id, actor, body.duration('for'), body.text('note')),
    unsuppress: (id, actor) => incidents.actions.unsuppress(id, actor),
    resolve: (id, actor, body) => incidents.actions.resolve(id, actor, body.text('note')),
  };
  for (const [name, work] of Object.entries(works)) {
    app.post<WithId>(`${API}/incidents/:id/${name}`, async (request, reply) => {
      const body = new Body(request);
      const incident = await work(request.params.id, actorOf(request, body), body);
      return sendData(reply, shown(incident));
    });
  }
}

function registerSuppressions(app: FastifyInstance, { incidents }: IncidentsApiOptions): void {
  app.get(`${API}/suppressions`, async (_, reply) =>
    sendData(reply, { suppressions: incidents.suppressions.all().map(suppressionJson) }),
  );
  app.post(`${API}/suppressions`, async (request, reply) => {
    const body = new Body(request);
    const matchers = body.texts('matchers').flatMap((text) => parseMatchers(text));
    if (matchers.length === 0) throw invalid('matchers', 'at least one is needed');
    const forMs = body.duration('for');
    if (forMs === undefined) throw invalid('for', 'how long is missing, such as 30m');
    const suppression = await incidents.actions.suppressMatching(
      matchers.map(({ type, name, value }) => ({
        name,
        value,
        isRegex: type.includes('~'),
        isEqual: type.startsWith('='),
      })),
      actorOf(request, body),
      forMs,
      body.text('comment'),
    );
    return sendData(reply, suppressionJson(suppression));
  });
  app.delete<WithId>(`${API}/suppressions/:id`, async (request, reply) => {
    const by = paramsOf(request).text('by') || 'api';
    await incidents.actions.endSuppressing(request.params.id, { by, from: fromOf(request) });
    return reply.code(204).send();
  });
}

function registerLookingBack(app: FastifyInstance, options: IncidentsApiOptions): void {
  const { incidents, clock } = options;
  app.get(`${API}/alerts/history`, async (request, reply) =>
    sendData(reply, attemptsPage(options, paramsOf(request))),
  );
  app.get(`${API}/alerts/statistics`, async (request, reply) => {
    const range = rangeOf(paramsOf(request), clock, 7 * DAY_MS);
    const isWithin = (ms: number) => ms >= range.startMs && ms <= range.endMs;
    const statistics = statisticsOf(
      [...incidents.store.all()].filter(({ triggeredAtMs }) => isWithin(triggeredAtMs)),
      incidents.history.all().filter(({ atMs }) => isWithin(atMs)),
    );
    const totals = {
      totalRules: incidents.rules().length,
      notificationChannels: incidents.receivers().length,
    };
    return sendData(reply, statisticsJson(statistics, range, totals));
  });
  app.get(`${API}/alerts/review`, async (_, reply) => {
    const endMs = clock.nowMs();
    const startMs = endMs - incidents.config.review.windowMs;
    const recent = [...incidents.store.all()].filter((one) => one.triggeredAtMs >= startMs);
    const review = reviewOf(recent, incidents.rules(), incidents.config, (url) =>
      incidents.runbooks.stateOf(url),
    );
    const data: AlertReview = { start: iso(startMs), end: iso(endMs), ...review };
    return sendData(reply, data);
  });
  app.get(`${API}/alerts/severities`, async (_, reply) => {
    const { severity } = incidents.config;
    return sendData(reply, { ...severity, words: severityWords(severity) });
  });
  app.get(`${API}/oncall`, async (_, reply) => sendData(reply, { schedules: onCallNow(options) }));
}

function incidentsPage({ incidents, clock }: IncidentsApiOptions, params: Params): IncidentsPage {
  const statuses = words(params, 'status', STATUSES);
  const severities = words(params, 'severity', SEVERITIES);
  const priorities = words(params, 'priority', PRIORITIES);
  const matchers = params.all('filter').flatMap((text) => parseMatchers(text));
  const { startMs, endMs } = rangeOf(params, clock, Infinity);
  const nowMs = clock.nowMs();
  const wanted = [...incidents.store.all()]
    .filter(
      (incident) =>
        statuses.includes(incident.status) &&
        severities.includes(incident.severity) &&
        priorities.includes(incident.priority) &&
        incident.triggeredAtMs >= startMs &&
        incident.triggeredAtMs <= endMs &&
        // Any of its alerts may match.
        (matchers.length === 0 ||
          incident.alerts.some(({ labels }) => matchesAll(matchers, Labels.of(labels)))),
    )
    .sort((a, b) => b.triggeredAtMs - a.triggeredAtMs || (a.id < b.id ? -1 : 1));
  const { items, next } = pageOf(wanted, params, (one) => `${one.triggeredAtMs}-${one.id}`);
  return { incidents: items.map((incident) => summaryJson(incidents, incident, nowMs)), next };
}

function attemptsPage({ incidents, clock }: IncidentsApiOptions, params: Params): AttemptsPage {
  const outcomes = words(params, 'outcome', OUTCOMES);
  const receiver = params.text('receiver');
  const incident = params.text('incident');
  const alertname = params.text('alertname');
  const { startMs, endMs } = rangeOf(params, clock, Infinity);
  const wanted = incidents.history
    .all()
    .filter(
      (attempt) =>
        outcomes.includes(attempt.outcome) &&
        (receiver === '' || attempt.receiver === receiver) &&
        (incident === '' || attempt.incidents.includes(incident)) &&
        (alertname === '' || attempt.alertnames.includes(alertname)) &&
        attempt.atMs >= startMs &&
        attempt.atMs <= endMs,
    )
    .reverse();
  const { items, next } = pageOf(wanted, params, ({ id }) => String(id));
  return { attempts: items.map(attemptJson), next };
}

function onCallNow({ incidents, clock }: IncidentsApiOptions): OnCallNow[] {
  const { schedules, people } = incidents.config;
  return schedules.map((schedule) => {
    const { person, untilMs, isOverride } = onCall(schedule, clock.nowMs());
    const receiver = people.find(({ name }) => name === person)?.receiver ?? '';
    const { name, timeZone } = schedule;
    return { schedule: name, timeZone, person, receiver, until: iso(untilMs), isOverride };
  });
}

/** A page from the item with the token on; `next` is the token of the one behind the page. */
function pageOf<T>(
  items: readonly T[],
  params: Params,
  tokenOf: (item: T) => string,
): { items: readonly T[]; next: string | null } {
  const limit = Math.min(PAGE_MAX, params.limit('limit') || PAGE_DEFAULT);
  const token = params.text('page');
  const start = token === '' ? 0 : items.findIndex((item) => tokenOf(item) === token);
  if (start < 0) throw invalid('page', 'there is no such page any more; begin with the first');
  const behind = items.at(start + limit);
  const isEnd = behind === undefined || start + limit >= items.length;
  return { items: items.slice(start, start + limit), next: isEnd ? null : tokenOf(behind) };
}

/** The words that a parameter names, given several times or with commas; all without it. */
function words<T extends string>(params: Params, name: string, known: readonly T[]): readonly T[] {
  const given = params.all(name).flatMap((text) => text.split(','));
  for (const word of given) {
    if (!known.includes(word as T)) {
      throw invalid(name, `"${word}" is none of ${known.join(', ')}`);
    }
  }
  return given.length === 0 ? known : (given as T[]);
}

function rangeOf(
  params: Params,
  clock: Clock,
  spanMs: number,
): { readonly startMs: number; readonly endMs: number } {
  const endMs = params.time('end', clock.nowMs());
  const startMs = params.time('start', Math.max(0, endMs - spanMs));
  if (endMs < startMs) throw invalid('end', 'end timestamp must not be before start time');
  return { startMs, endMs };
}

function actorOf(request: FastifyRequest, body: Body): Actor {
  return { by: body.text('by'), from: fromOf(request) };
}

function fromOf(request: FastifyRequest): string {
  return `api ${request.ip}`;
}

/** What is posted: JSON, or a form. */
class Body {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor({ body }: FastifyRequest) {
    if (body instanceof URLSearchParams) this.#fields = Object.fromEntries(body);
    else if (body === undefined || body === null) this.#fields = {};
    else if (typeof body === 'object' && !Array.isArray(body)) {
      this.#fields = body as Readonly<Record<string, unknown>>;
    } else throw new TytoError('bad_data', 'the body must be a JSON object or a form');
  }

  text(name: string): string {
    const value = this.#fields[name] ?? '';
    if (typeof value !== 'string') throw invalid(name, 'must be a text');
    return value;
  }

  /** A list of texts, or one. */
  texts(name: string): string[] {
    const value = this.#fields[name] ?? [];
    const list: unknown[] = Array.isArray(value) ? value : [value];
    if (list.length > 100) throw invalid(name, 'more than 100 of them');
    return list.map((one) => {
      if (typeof one !== 'string') throw invalid(name, 'must be a list of texts');
      return one;
    });
  }

  duration(name: string): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    const ms = parseDuration(text);
    if (ms === undefined) throw invalid(name, `"${text}" is no duration; write for example 30m`);
    return ms;
  }
}

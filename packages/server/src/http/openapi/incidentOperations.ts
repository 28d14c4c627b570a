/** What the OpenAPI document says of incidents, which are Tyto's own: below /tyto/api/v1. */
import type { Answer, Operation, Parameter } from './operations.ts';
import {
  dateTime,
  duration,
  flag,
  integer,
  list,
  map,
  number,
  object,
  oneOf,
  ref,
  type Schema,
  text,
  time,
} from './schema.ts';

const SEVERITY = oneOf('low', 'medium', 'high', 'critical');
const PRIORITY = oneOf('P0', 'P1', 'P2');
const STATUS = oneOf('triggered', 'acknowledged', 'resolved', 'suppressed');
const OUTCOME = oneOf('delivered', 'will be retried', 'failed', 'interrupted');

/** Null: not, or not yet. */
function maybe({ type, ...schema }: Schema): Schema {
  return { ...schema, type: [type, 'null'] };
}

const summary = {
  id: text,
  title: text,
  severity: SEVERITY,
  priority: PRIORITY,
  status: STATUS,
  labels: ref('Labels'),
  annotations: ref('Labels'),
  triggeredAt: dateTime,
  firstTriggeredAt: dateTime,
  firings: integer,
  alertsFiring: integer,
  acknowledgedAt: maybe(dateTime),
  acknowledgedBy: maybe(text),
  acknowledgedUntil: maybe(dateTime),
  suppressedBy: maybe(text),
  suppressedUntil: maybe(dateTime),
  resolvedAt: maybe(dateTime),
  resolvedBy: maybe(text),
  durationSeconds: maybe(number),
  nextEscalationAt: maybe(dateTime),
  silencedBy: list(text),
};

const delivery = {
  delivered: integer,
  failed: integer,
  retried: integer,
  successRate: maybe(number),
};
const times = object({
  count: integer,
  meanSeconds: maybe(number),
  medianSeconds: maybe(number),
});

export const INCIDENT_SCHEMAS: Readonly<Record<string, Schema>> = {
  Incident: object(summary),
  IncidentDetail: object({
    ...summary,
    alerts: list(
      object({
        fingerprint: text,
        labels: ref('Labels'),
        annotations: ref('Labels'),
        generatorURL: text,
        startsAt: dateTime,
        endsAt: maybe(dateTime),
        valueAtFiring: maybe(number),
        value: maybe(number),
      }),
    ),
    timeline: list(ref('IncidentEvent')),
    entriesLeftOut: integer,
    links: object({ incident: text, acknowledge: text }),
  }),
  IncidentEvent: object(
    { at: dateTime, kind: text },
    { by: text, from: text, text, receiver: text, value: number },
  ),
  Suppression: object({
    id: text,
    matchers: list(text),
    createdBy: text,
    comment: text,
    startsAt: dateTime,
    endsAt: dateTime,
  }),
  NotificationAttempt: object({
    id: integer,
    at: dateTime,
    durationSeconds: number,
    receiver: text,
    integration: text,
    reason: text,
    outcome: OUTCOME,
    attempt: integer,
    error: text,
    firing: integer,
    resolved: integer,
    alertnames: list(text),
    incidents: list(text),
  }),
  AlertFigures: object({
    alertname: text,
    incidents: integer,
    firings: integer,
    actedOn: integer,
    meanSeconds: maybe(number),
  }),
  AlertStatistics: object({
    start: dateTime,
    end: dateTime,
    totalAlerts: integer,
    activeAlerts: integer,
    alertsBySeverity: map(integer),
    alertsByPriority: map(integer),
    alertsByStatus: map(integer),
    timeToAcknowledge: times,
    timeToResolve: times,
    notificationSuccessRate: maybe(number),
    notifications: object(delivery),
    receivers: list(object({ receiver: text, ...delivery })),
    noisiest: list(ref('AlertFigures')),
    neverActedOn: list(ref('AlertFigures')),
    totalRules: integer,
    notificationChannels: integer,
  }),
  AlertReview: object({
    start: dateTime,
    end: dateTime,
    alertingRules: integer,
    pagingRules: integer,
    warnings: list(text),
    proposals: list(
      object({
        kind: text,
        alertname: text,
        file: text,
        group: text,
        reason: text,
        proposal: text,
      }),
    ),
  }),
};

const ID: Parameter = {
  name: 'id',
  description: 'Which one.',
  schema: text,
  isRequired: true,
  isInPath: true,
};
const BY: Parameter = {
  name: 'by',
  description: 'Who does it.',
  schema: text,
  isRequired: true,
};
const NOTE = parameter('note', 'What else is to be said.', text);
const RANGE = [
  parameter('start', 'The first moment.', time),
  parameter('end', 'The last moment; now without it.', time),
];
const PAGE = [
  parameter('limit', 'At most so many; 100 without it, 1000 at most.', integer),
  parameter('page', 'The `next` of the page before.', text),
];

function parameter(name: string, description: string, schema: Schema): Parameter {
  return { name, description, schema };
}

function data(schema: Schema): Answer {
  return { kind: 'data', schema };
}

function get(
  path: string,
  title: string,
  schema: Schema,
  parameters: readonly Parameter[] = [],
): Operation {
  const methods = ['get'] as const;
  const answer = data(schema);
  return { path, isOwn: true, methods, tag: 'incidents', summary: title, parameters, answer };
}

function action(name: string, title: string, more: readonly Parameter[] = []): Operation {
  return {
    path: `/incidents/{id}/${name}`,
    isOwn: true,
    methods: ['post'],
    tag: 'incidents',
    summary: title,
    parameters: [ID, BY, ...more],
    takesForm: true,
    answer: data(ref('IncidentDetail')),
  };
}

const page = (name: string, items: Schema) => object({ [name]: list(items), next: maybe(text) });
const timeline = { timeline: list(ref('IncidentEvent')), entriesLeftOut: integer };

const READING: readonly Operation[] = [
  get('/incidents', 'List incidents, the newest first', page('incidents', ref('Incident')), [
    parameter('status', 'Of these; several with commas.', text),
    parameter('severity', 'Of these; several with commas.', text),
    parameter('priority', 'Of these; several with commas.', text),
    parameter('filter', 'Matchers, as Alertmanager has them.', list(text)),
    ...RANGE,
    ...PAGE,
  ]),
  get('/incidents/{id}', 'One incident with all of it', ref('IncidentDetail'), [ID]),
  get('/incidents/{id}/timeline', 'What happened to an incident', object(timeline), [ID]),
  get(
    '/alerts/history',
    'List attempts to notify, the newest first',
    page('attempts', ref('NotificationAttempt')),
    [
      parameter('receiver', 'Of this one.', text),
      parameter('outcome', 'Of these; several with commas.', text),
      parameter('incident', 'Of this one.', text),
      parameter('alertname', 'With this alert.', text),
      ...RANGE,
      ...PAGE,
    ],
  ),
  get('/alerts/statistics', 'Figures of a range of time', ref('AlertStatistics'), RANGE),
  get('/alerts/review', 'What to change among the rules', ref('AlertReview')),
  get(
    '/alerts/severities',
    'Which words mean which severity',
    object({
      severityLabels: list(text),
      priorityLabels: list(text),
      words: map(SEVERITY),
      priorities: map(PRIORITY),
      fallback: SEVERITY,
    }),
  ),
  get(
    '/oncall',
    'Who has the duty now',
    object({
      schedules: list(
        object({
          schedule: text,
          timeZone: text,
          person: text,
          receiver: text,
          until: dateTime,
          isOverride: flag,
        }),
      ),
    }),
  ),
];

const ACTIONS: readonly Operation[] = [
  action('acknowledge', 'Take an incident', [
    parameter('for', 'After which it is nobody’s again; as configured without it.', duration),
    NOTE,
  ]),
  action('unacknowledge', 'Give an incident back'),
  action('note', 'Add a note', [{ ...NOTE, isRequired: true }]),
  action('suppress', 'Do not tell of an incident for a while', [
    parameter('for', 'How long; until it is resolved without it.', duration),
    NOTE,
  ]),
  action('unsuppress', 'Tell of an incident again'),
  action('resolve', 'Resolve an incident by hand', [NOTE]),
];

const SUPPRESSIONS: readonly Operation[] = [
  get(
    '/suppressions',
    'List suppressions by matchers',
    object({ suppressions: list(ref('Suppression')) }),
  ),
  {
    path: '/suppressions',
    isOwn: true,
    methods: ['post'],
    tag: 'incidents',
    summary: 'Suppress what matches, and what will',
    parameters: [
      { ...parameter('matchers', 'All of them have to match.', list(text)), isRequired: true },
      { ...parameter('for', 'How long.', duration), isRequired: true },
      BY,
      parameter('comment', 'Why.', text),
    ],
    takesForm: true,
    answer: data(ref('Suppression')),
  },
  {
    path: '/suppressions/{id}',
    isOwn: true,
    methods: ['delete'],
    tag: 'incidents',
    summary: 'End a suppression',
    parameters: [ID, parameter('by', 'Who does it.', text)],
    answer: { kind: 'nothing', status: 204 },
  },
];

export const INCIDENT_OPERATIONS: readonly Operation[] = [...READING, ...ACTIONS, ...SUPPRESSIONS];

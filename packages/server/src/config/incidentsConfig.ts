/**
 * The section `incidents` of tyto.yaml: who is told by us and when, what is suppressed and run.
 * docs/incidents.md shows it whole. Receivers are those of alertmanager.yml, which is read later:
 * where each is named is noted, so that a misspelt one is told with its place.
 */
import { parseMatchers } from '@tyto/alerting';
import { nearestName, type Place, yaml } from '@tyto/base';
import {
  DEFAULT_CONFIG,
  type EscalationChain,
  type IncidentsConfig,
  PRIORITIES,
  type PriorityConfig,
  type ResponseConfig,
  SEVERITIES,
  type SuppressRule,
  type Targets,
} from '@tyto/incidents';
import type { Matcher } from '@tyto/model';
import { checkName } from './configNames.ts';
import { checkSchedules, minuteOfDay, recurringSilence, schedule, timeZone } from './dutyConfig.ts';

export interface ReceiverMention {
  readonly name: string;
  readonly place: Place;
}

export interface IncidentsSection {
  readonly config: IncidentsConfig;
  readonly mentions: readonly ReceiverMention[];
}

const DEFAULT_RESPONSE_BYTES = 4096;
const NO_TEXTS = (): string[] => [];

const matchers: yaml.Schema<Matcher[]> = (node, decoder) =>
  yaml
    .listOrOne(yaml.mapped(yaml.string, parseMatchers, () => []))(node, decoder)
    .flat();

/** Fields that name receivers are found again by this name, to check them. */
const receiverNames = yaml.listOrOne(yaml.string);

const { severity: SEVERITY, review: REVIEW, selfWatch: SELF_WATCH } = DEFAULT_CONFIG;

const severityPriorities = yaml.object(
  {
    critical: yaml.optional(yaml.oneOf(PRIORITIES), SEVERITY.priorities.critical),
    high: yaml.optional(yaml.oneOf(PRIORITIES), SEVERITY.priorities.high),
    medium: yaml.optional(yaml.oneOf(PRIORITIES), SEVERITY.priorities.medium),
    low: yaml.optional(yaml.oneOf(PRIORITIES), SEVERITY.priorities.low),
  },
  { name: 'priorities of severities' },
);

const severity = yaml.object(
  {
    labels: yaml.optional(yaml.listOrOne(yaml.string), [...SEVERITY.severityLabels]),
    priority_labels: yaml.optional(yaml.listOrOne(yaml.string), [...SEVERITY.priorityLabels]),
    words: yaml.optional(yaml.record(yaml.oneOf(SEVERITIES)), {}),
    priorities: yaml.optional(severityPriorities, SEVERITY.priorities),
    default: yaml.optional(yaml.oneOf(SEVERITIES), SEVERITY.fallback),
  },
  { name: 'severity' },
);

const digest = yaml.object(
  {
    receivers: yaml.required(receiverNames, []),
    at: yaml.required(minuteOfDay),
    time_zone: yaml.optional(timeZone, 'UTC'),
  },
  { name: 'digest' },
);

const priority = yaml.checked(
  yaml.object(
    {
      receivers: yaml.optional(receiverNames, NO_TEXTS),
      schedules: yaml.optional(yaml.listOrOne(yaml.string), NO_TEXTS),
      digest: yaml.optional(digest),
    },
    { name: 'priority' },
  ),
  ({ receivers, schedules, digest: daily }, node, decoder) => {
    if (daily === undefined || receivers.length + schedules.length === 0) return;
    decoder.error(node, 'a priority is told at once or in a digest, not both');
  },
);

const step = yaml.checked(
  yaml.object(
    {
      wait: yaml.optional(yaml.duration, 0),
      receivers: yaml.optional(receiverNames, NO_TEXTS),
      schedules: yaml.optional(yaml.listOrOne(yaml.string), NO_TEXTS),
    },
    { name: 'step' },
  ),
  ({ receivers, schedules }, node, decoder) => {
    if (receivers.length + schedules.length > 0) return;
    decoder.error(node, 'a step needs "receivers" or "schedules": it tells nobody');
  },
);

const repeat = yaml.object(
  { times: yaml.required(yaml.integer(0, 1000)), after: yaml.required(yaml.duration) },
  { name: 'repeat' },
);

const escalation = yaml.checked(
  yaml.object(
    {
      name: yaml.required(yaml.string),
      matchers: yaml.optional(matchers, (): Matcher[] => []),
      steps: yaml.required(yaml.list(step)),
      repeat: yaml.optional(repeat, { times: 0, after: 0 }),
    },
    { name: 'escalation' },
  ),
  ({ steps, repeat: again }, node, decoder) => {
    if (steps.length === 0) decoder.error(node, 'an escalation needs at least one step');
    if (again.times > 0 && again.after < 60_000) {
      decoder.error(yaml.childNode(node, 'repeat'), '"after" must be a minute at least');
    }
  },
);

const person = yaml.object(
  { name: yaml.required(yaml.string), receiver: yaml.required(yaml.string) },
  { name: 'person' },
);

const suppressRule = yaml.checked(
  yaml.object(
    {
      name: yaml.optional(yaml.string, ''),
      matchers: yaml.required(matchers),
      same: yaml.optional(yaml.listOrOne(yaml.string), NO_TEXTS),
      for: yaml.required(yaml.duration),
    },
    { name: 'suppress rule' },
  ),
  (rule, node, decoder) => {
    if (rule.for === 0) decoder.error(yaml.childNode(node, 'for'), '"for" cannot be zero');
  },
);

const rate = yaml.object(
  { max: yaml.required(yaml.integer(1, 10_000)), per: yaml.required(yaml.duration) },
  { name: 'rate' },
);

const response = yaml.checked(
  yaml.object(
    {
      name: yaml.required(yaml.string),
      matchers: yaml.required(matchers),
      command: yaml.optional(yaml.list(yaml.string), NO_TEXTS),
      environment: yaml.optional(yaml.record(yaml.string), {}),
      directory: yaml.optional(yaml.string, '/'),
      webhook: yaml.optional(yaml.string, ''),
      timeout: yaml.optional(yaml.duration, 30_000),
      output_limit: yaml.optional(yaml.byteSize, DEFAULT_RESPONSE_BYTES),
      rate: yaml.optional(rate, { max: 10, per: 3600_000 }),
    },
    { name: 'response' },
  ),
  ({ command, webhook, timeout }, node, decoder) => {
    if (command.length > 0 === (webhook !== '')) {
      decoder.error(node, 'a response needs one of "command" (a list) and "webhook"');
    }
    checkAddress(webhook, 'webhook', node, decoder);
    if (timeout === 0 || timeout > 3600_000) {
      decoder.error(yaml.childNode(node, 'timeout'), '"timeout" must be between 1ms and 1h');
    }
  },
);

const heartbeat = yaml.checked(
  yaml.object(
    {
      url: yaml.required(yaml.string),
      interval: yaml.optional(yaml.duration, SELF_WATCH.heartbeatMs),
    },
    { name: 'heartbeat' },
  ),
  ({ url, interval }, node, decoder) => {
    checkAddress(url, 'url', node, decoder);
    if (interval < 1000) decoder.error(yaml.childNode(node, 'interval'), 'at least 1s');
  },
);

const notificationsFailing = yaml.object(
  {
    alert: yaml.optional(yaml.boolean, true),
    fallback: yaml.optional(yaml.string, SELF_WATCH.fallback),
  },
  { name: 'notifications_failing' },
);

const review = yaml.object(
  {
    window: yaml.optional(yaml.duration, REVIEW.windowMs),
    paging_rules_max: yaml.optional(yaml.integer(1), REVIEW.pagingRulesMax),
    firings_min: yaml.optional(yaml.integer(1), REVIEW.firingsMin),
    check_runbooks: yaml.optional(yaml.boolean, REVIEW.checksRunbooks),
    runbooks_per_minute: yaml.optional(yaml.integer(1, 60), REVIEW.runbooksPerMinute),
  },
  { name: 'review' },
);

const rawSchema = yaml.object(
  {
    group_by: yaml.optional(yaml.listOrOne(yaml.string), NO_TEXTS),
    reopen_within: yaml.optional(yaml.duration, DEFAULT_CONFIG.reopenWithinMs),
    ack_timeout: yaml.optional(yaml.duration, DEFAULT_CONFIG.ackTimeoutMs),
    retention: yaml.optional(yaml.duration, DEFAULT_CONFIG.retentionMs),
    link_expiry: yaml.optional(yaml.duration, DEFAULT_CONFIG.linkMs),
    links: yaml.optional(yaml.boolean, true),
    severity: yaml.optional(severity),
    priorities: yaml.optional(
      yaml.object(
        {
          P0: yaml.optional(priority),
          P1: yaml.optional(priority),
          P2: yaml.optional(priority),
        },
        { name: 'priorities' },
      ),
    ),
    escalations: yaml.optional(yaml.list(escalation), []),
    people: yaml.optional(yaml.list(person), []),
    schedules: yaml.optional(yaml.list(schedule), []),
    suppress: yaml.optional(yaml.list(suppressRule), []),
    recurring_silences: yaml.optional(yaml.list(recurringSilence(matchers)), []),
    responses: yaml.optional(yaml.list(response), []),
    heartbeat: yaml.optional(heartbeat),
    notifications_failing: yaml.optional(notificationsFailing),
    review: yaml.optional(review),
  },
  { name: 'incidents' },
);

type Raw = ReturnType<typeof rawSchema>;

export const incidentsSchema: yaml.Schema<IncidentsSection> = (node, decoder) => {
  const raw = yaml.checked(rawSchema, checkWhole)(node, decoder);
  return { config: configOf(raw), mentions: mentionsOf(raw, node, decoder) };
};

/** Names that alertmanager.yml has no receiver for. */
export function unknownReceivers(
  { mentions }: IncidentsSection,
  known: readonly string[],
): yaml.Problem[] {
  return mentions.flatMap(({ name, place }): yaml.Problem[] => {
    if (known.includes(name)) return [];
    const nearest = nearestName(name, known);
    const hint =
      nearest === undefined ? 'add it to alertmanager.yml' : `did you mean "${nearest}"?`;
    const message = `incidents: there is no receiver "${name}"; ${hint}`;
    return [{ severity: 'error', place, message }];
  });
}

function checkWhole(raw: Raw, node: yaml.YamlNode, decoder: yaml.Decoder): void {
  checkUnique(raw.escalations, 'escalations', node, decoder);
  checkUnique(raw.responses, 'responses', node, decoder);
  checkUnique(raw.people, 'people', node, decoder);
  checkUnique(raw.recurring_silences, 'recurring_silences', node, decoder);
  const schedules = raw.schedules.map(({ name }) => name);
  const people = raw.people.map(({ name }) => name);
  checkSchedules(raw.schedules, people, yaml.childNode(node, 'schedules'), decoder);
  const checkNames = (names: readonly string[], place: yaml.YamlNode): void => {
    const at = yaml.childNode(place, 'schedules');
    for (const name of names) checkName(name, schedules, 'schedule', at, decoder);
  };
  raw.escalations.forEach(({ steps }, i) => {
    const stepsNode = fieldOfItem(node, 'escalations', i, 'steps');
    steps.forEach((one, k) => {
      checkNames(one.schedules, yaml.itemNode(stepsNode, k));
    });
  });
  for (const name of PRIORITIES) {
    const place = yaml.childNode(yaml.childNode(node, 'priorities'), name);
    checkNames(raw.priorities?.[name]?.schedules ?? [], place);
  }
}

function checkUnique(
  items: readonly { readonly name: string }[],
  field: string,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  const seen = new Set<string>();
  items.forEach(({ name }, i) => {
    const place = fieldOfItem(node, field, i, 'name');
    if (seen.has(name)) decoder.error(place, `"${name}" stands twice in ${field}`);
    seen.add(name);
  });
}

function fieldOfItem(node: yaml.YamlNode, list: string, index: number, field: string) {
  return yaml.childNode(yaml.itemNode(yaml.childNode(node, list), index), field);
}

function checkAddress(
  url: string,
  field: string,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  if (url === '' || (URL.canParse(url) && /^https?:/.test(url))) return;
  decoder.error(yaml.childNode(node, field), `"${url}" is no address of http or https`);
}

/** Every receiver that the section names, with its place. */
function mentionsOf(raw: Raw, node: yaml.YamlNode, decoder: yaml.Decoder): ReceiverMention[] {
  const mentions: ReceiverMention[] = [];
  const add = (names: readonly string[], place: yaml.YamlNode) => {
    names.forEach((name, i) => {
      if (name !== '') mentions.push({ name, place: decoder.place(yaml.itemNode(place, i)) });
    });
  };
  raw.escalations.forEach(({ steps }, i) => {
    const stepsNode = fieldOfItem(node, 'escalations', i, 'steps');
    steps.forEach(({ receivers }, k) => {
      add(receivers, yaml.childNode(yaml.itemNode(stepsNode, k), 'receivers'));
    });
  });
  for (const name of PRIORITIES) {
    const place = yaml.childNode(yaml.childNode(node, 'priorities'), name);
    const { receivers, digest: daily } = raw.priorities?.[name] ?? { receivers: [] };
    add(receivers, yaml.childNode(place, 'receivers'));
    add(daily?.receivers ?? [], yaml.childNode(yaml.childNode(place, 'digest'), 'receivers'));
  }
  raw.people.forEach(({ receiver }, i) => {
    add([receiver], fieldOfItem(node, 'people', i, 'receiver'));
  });
  const { fallback = '' } = raw.notifications_failing ?? {};
  add([fallback], yaml.childNode(yaml.childNode(node, 'notifications_failing'), 'fallback'));
  return mentions;
}

function configOf(raw: Raw): IncidentsConfig {
  return {
    groupBy: raw.group_by,
    reopenWithinMs: raw.reopen_within,
    ackTimeoutMs: raw.ack_timeout,
    retentionMs: raw.retention,
    linkMs: raw.link_expiry,
    showsLinks: raw.links,
    severity: severityOf(raw.severity),
    priorities: {
      P0: priorityOf(raw.priorities?.P0),
      P1: priorityOf(raw.priorities?.P1),
      P2: priorityOf(raw.priorities?.P2),
    },
    escalations: raw.escalations.map(chainOf),
    people: raw.people,
    schedules: raw.schedules,
    suppress: raw.suppress.map(suppressOf),
    recurringSilences: raw.recurring_silences,
    responses: raw.responses.map(responseOf),
    selfWatch: {
      heartbeatUrl: raw.heartbeat?.url ?? '',
      heartbeatMs: raw.heartbeat?.interval ?? SELF_WATCH.heartbeatMs,
      isFailureWatched: raw.notifications_failing?.alert ?? true,
      fallback: raw.notifications_failing?.fallback ?? SELF_WATCH.fallback,
    },
    review: reviewOf(raw.review),
  };
}

function severityOf(raw: Raw['severity']): IncidentsConfig['severity'] {
  if (raw === undefined) return SEVERITY;
  const words = Object.entries(raw.words).map(([word, known]) => [word.toLowerCase(), known]);
  return {
    severityLabels: raw.labels,
    priorityLabels: raw.priority_labels,
    words: Object.fromEntries(words),
    priorities: raw.priorities,
    fallback: raw.default,
  };
}

function priorityOf(raw: ReturnType<typeof priority> | undefined): PriorityConfig {
  const { receivers = [], schedules = [], digest: daily } = raw ?? {};
  return {
    notify: { receivers, schedules },
    digest:
      daily === undefined
        ? undefined
        : { receivers: daily.receivers, minute: daily.at, timeZone: daily.time_zone },
  };
}

function chainOf(raw: ReturnType<typeof escalation>): EscalationChain {
  const targets = ({ receivers, schedules }: Targets) => ({ receivers, schedules });
  return {
    name: raw.name,
    matchers: raw.matchers,
    steps: raw.steps.map((one) => ({ waitMs: one.wait, notify: targets(one) })),
    repeat: { times: raw.repeat.times, afterMs: raw.repeat.after },
  };
}

function suppressOf(raw: ReturnType<typeof suppressRule>, index: number): SuppressRule {
  const name = raw.name === '' ? String(index + 1) : raw.name;
  return { name, matchers: raw.matchers, same: raw.same, forMs: raw.for };
}

function responseOf(raw: ReturnType<typeof response>): ResponseConfig {
  return {
    name: raw.name,
    matchers: raw.matchers,
    command: raw.command,
    environment: raw.environment,
    directory: raw.directory,
    webhook: raw.webhook,
    timeoutMs: raw.timeout,
    outputBytesMax: raw.output_limit,
    rateMax: raw.rate.max,
    rateMs: raw.rate.per,
  };
}

function reviewOf(raw: Raw['review']): IncidentsConfig['review'] {
  if (raw === undefined) return REVIEW;
  return {
    windowMs: raw.window,
    pagingRulesMax: raw.paging_rules_max,
    firingsMin: raw.firings_min,
    checksRunbooks: raw.check_runbooks,
    runbooksPerMinute: raw.runbooks_per_minute,
  };
}

/** Times in the section `incidents`: who has the duty when, and silences that come back. */
import { timeIntervalSpec } from '@tyto/alerting';
import { TytoError, yaml } from '@tyto/base';
import { instantOf, isTimeZone, type RecurringSilence, type ScheduleConfig } from '@tyto/incidents';
import type { Matcher } from '@tyto/model';
import { checkName } from './configNames.ts';

const DAY_MS = 86_400_000;
const PEOPLE_MAX = 200;

/** An IANA time zone. */
export const timeZone: yaml.Schema<string> = (node, decoder) => {
  const name = yaml.string(node, decoder);
  if (isTimeZone(name)) return name;
  decoder.error(node, `"${name}" is no time zone; write for example Asia/Seoul or UTC`);
  return 'UTC';
};

/** `09:30`, in minutes; `24:00` is the end of the day. */
export const minuteOfDay: yaml.Schema<number> = (node, decoder) => {
  const text = yaml.string(node, decoder);
  const match = /^(\d{1,2}):(\d\d)$/.exec(text);
  const minute = Number(match?.[1]) * 60 + Number(match?.[2]);
  if (match !== null && Number(match[2]) < 60 && minute <= 1440) return minute;
  decoder.error(node, `"${text}" is no time of day; write for example "09:30"`);
  return 0;
};

/** `2026-01-31`, in days since 1970-01-01. */
const date: yaml.Schema<number> = (node, decoder) => {
  const text = yaml.string(node, decoder);
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms / DAY_MS;
  decoder.error(node, `"${text}" is no date; write for example 2026-01-31`);
  return 0;
};

/** A local date and time, or RFC 3339. Local ones are in the zone that is written beside them. */
const moment = yaml.mapped(yaml.string, checkMoment, () => '1970-01-01 00:00');

function checkMoment(text: string): string {
  const isLocal = /^\d{4}-\d\d-\d\d \d\d:\d\d$/.test(text);
  if (!Number.isNaN(Date.parse(isLocal ? `${text.replace(' ', 'T')}Z` : text))) {
    if (isLocal || /T.*(Z|[+-]\d\d:\d\d)$/.test(text)) return text;
  }
  const message = `"${text}" is no time; write for example "2026-12-24 09:00"`;
  throw new TytoError('bad_data', message);
}

function momentMs(text: string, zone: string): number {
  if (text.includes('T')) return Date.parse(text);
  const [day, time] = text.split(' ');
  const [hours, minutes] = time.split(':').map(Number);
  return instantOf(Date.parse(day) / DAY_MS, hours * 60 + minutes, zone);
}

const override = yaml.object(
  {
    person: yaml.required(yaml.string),
    from: yaml.required(moment, '1970-01-01 00:00'),
    to: yaml.required(moment, '1970-01-01 00:00'),
  },
  { name: 'override' },
);

const rawSchedule = yaml.object(
  {
    name: yaml.required(yaml.string),
    time_zone: yaml.optional(timeZone, 'UTC'),
    people: yaml.required(yaml.list(yaml.string)),
    turn: yaml.optional(yaml.duration, 7 * DAY_MS),
    // The first Monday of 1970: turns of a week begin on Mondays.
    start: yaml.optional(date, 4),
    handover: yaml.optional(minuteOfDay, 9 * 60),
    overrides: yaml.optional(yaml.list(override), []),
  },
  { name: 'schedule' },
);

export const schedule: yaml.Schema<ScheduleConfig> = (node, decoder) => {
  const raw = rawSchedule(node, decoder);
  if (raw.turn === 0 || raw.turn % DAY_MS !== 0) {
    decoder.error(yaml.childNode(node, 'turn'), '"turn" must be whole days, such as 1d or 1w');
  }
  if (raw.people.length === 0 || raw.people.length > PEOPLE_MAX) {
    const place = yaml.childNode(node, 'people');
    decoder.error(place, `a schedule needs between 1 and ${PEOPLE_MAX} people`);
  }
  const overrides = raw.overrides.map(({ person, from, to }, i) => {
    const fromMs = momentMs(from, raw.time_zone);
    const toMs = momentMs(to, raw.time_zone);
    const place = yaml.itemNode(yaml.childNode(node, 'overrides'), i);
    if (toMs <= fromMs) decoder.error(place, 'the override ends before it begins');
    return { person, fromMs, toMs };
  });
  return {
    name: raw.name,
    timeZone: raw.time_zone,
    people: raw.people,
    turnDays: Math.max(1, Math.floor(raw.turn / DAY_MS)),
    startDay: raw.start,
    handoverMinute: raw.handover,
    overrides,
  };
};

/** That each has a name of its own and people who can be told. */
export function checkSchedules(
  schedules: readonly ScheduleConfig[],
  people: readonly string[],
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  const seen = new Set<string>();
  schedules.forEach((one, i) => {
    const place = yaml.itemNode(node, i);
    if (seen.has(one.name)) decoder.error(place, `the schedule "${one.name}" stands twice`);
    seen.add(one.name);
    const peopleNode = yaml.childNode(place, 'people');
    one.people.forEach((name, k) => {
      checkName(name, people, 'person', yaml.itemNode(peopleNode, k), decoder);
    });
    one.overrides.forEach(({ person }, k) => {
      const at = yaml.itemNode(yaml.childNode(place, 'overrides'), k);
      checkName(person, people, 'person', yaml.childNode(at, 'person'), decoder);
    });
  });
}

export function recurringSilence(
  matchers: yaml.Schema<readonly Matcher[]>,
): yaml.Schema<RecurringSilence> {
  const raw = yaml.object(
    {
      name: yaml.required(yaml.string),
      matchers: yaml.required(matchers),
      time_intervals: yaml.required(yaml.list(timeIntervalSpec)),
    },
    { name: 'recurring silence' },
  );
  return (node, decoder) => {
    const { name, matchers: own, time_intervals: specs } = raw(node, decoder);
    if (specs.length === 0) decoder.error(node, 'a recurring silence needs "time_intervals"');
    return { name, matchers: own, specs };
  };
}

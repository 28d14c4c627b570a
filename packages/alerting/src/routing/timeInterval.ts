/**
 * Time intervals of alertmanager.yml: times of day, weekdays, days of months, months and years in a
 * time zone. A field that is not there allows everything; of those that are, each must allow the
 * moment. Specification: `<time_interval>` in Alertmanager's configuration reference.
 */
import { TytoError, yaml } from '@tyto/base';

interface Range {
  readonly begin: number;
  readonly end: number;
}

export interface TimeIntervalSpec {
  /** Minutes of the day; the end is not in the range. */
  readonly times: readonly Range[] | undefined;
  /** 0 is Sunday. */
  readonly weekdays: readonly Range[] | undefined;
  /** Negative days count from the end of the month: -1 is the last. */
  readonly daysOfMonth: readonly Range[] | undefined;
  readonly months: readonly Range[] | undefined;
  readonly years: readonly Range[] | undefined;
  /** A name of the IANA time zone database. */
  readonly timeZone: string;
}

export interface TimeInterval {
  readonly name: string;
  readonly specs: readonly TimeIntervalSpec[];
}

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
/** A month has at least so many days: what is never right in it is never right. */
const SHORTEST_MONTH_DAYS = 28;

/** Whether a moment is within one of the interval's parts. */
function intervalContains(interval: TimeInterval, timeMs: number): boolean {
  return interval.specs.some((spec) => specContains(spec, timeMs));
}

/** The intervals of a configuration by name, each of which is computed once a minute. */
export class TimeIntervals {
  readonly #intervals: ReadonlyMap<string, TimeInterval>;
  readonly #known = new Map<string, { readonly minute: number; readonly isIn: boolean }>();

  constructor(intervals: readonly TimeInterval[]) {
    this.#intervals = new Map(intervals.map((interval) => [interval.name, interval]));
  }

  /** Whether the moment is within the interval of this name; it is within none that is unknown. */
  contains(name: string, timeMs: number): boolean {
    const minute = Math.floor(timeMs / 60_000);
    const known = this.#known.get(name);
    if (known?.minute === minute) return known.isIn;
    const interval = this.#intervals.get(name);
    const isIn = interval !== undefined && intervalContains(interval, timeMs);
    this.#known.set(name, { minute, isIn });
    return isIn;
  }

  /** Names because of which a route with these intervals is quiet: of both kinds, as configured. */
  muting(mute: readonly string[], active: readonly string[], timeMs: number): readonly string[] {
    const isActive = active.length === 0 || active.some((name) => this.contains(name, timeMs));
    return isActive ? mute.filter((name) => this.contains(name, timeMs)) : active;
  }
}

function specContains(spec: TimeIntervalSpec, timeMs: number): boolean {
  const { year, month, day, weekday, minute } = localTime(spec.timeZone, timeMs);
  const isIn = (ranges: readonly Range[] | undefined, value: number, spare = 0) =>
    ranges === undefined || ranges.some(({ begin, end }) => value >= begin && value <= end - spare);
  return (
    isIn(spec.times, minute, 1) &&
    dayOfMonthContains(spec.daysOfMonth, day, daysInMonth(year, month)) &&
    isIn(spec.months, month) &&
    isIn(spec.weekdays, weekday) &&
    isIn(spec.years, year)
  );
}

function dayOfMonthContains(
  ranges: readonly Range[] | undefined,
  day: number,
  count: number,
): boolean {
  if (ranges === undefined) return true;
  const fromStart = (value: number) => (value < 0 ? count + value + 1 : value);
  return ranges.some(({ begin, end }) => day >= fromStart(begin) && day <= fromStart(end));
}

function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What clock and calendar show in a time zone. */
function localTime(timeZone: string, timeMs: number): LocalTime {
  if (timeZone === 'UTC') {
    const date = new Date(timeMs);
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      weekday: date.getUTCDay(),
      minute: date.getUTCHours() * 60 + date.getUTCMinutes(),
    };
  }
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(timeMs)
      .map(({ type, value }) => [type, Number(value)] as const),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const [year, month, day] = [part('year'), part('month'), part('day')];
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return { year, month, day, weekday, minute: part('hour') * 60 + part('minute') };
}

/** Throws RangeError for a time zone that is none. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      ...(timeZone === 'Local' ? {} : { timeZone }),
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** `monday:friday`, `3`: a member or two. Throws TytoError. */
function parseRange(text: string, member: (text: string) => number): Range {
  const words = text.toLowerCase().split(':');
  if (words.length > 2) throw bad(`couldn't parse range ${text.toLowerCase()}, invalid format`);
  const [begin, end = begin] = words.map(member);
  return { begin, end };
}

function wholeNumber(text: string): number {
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  throw bad(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function parseWeekdays(text: string): Range {
  const range = parseRange(text, (word) => {
    if (DAYS.includes(word)) return DAYS.indexOf(word);
    throw bad(`${word} is not a valid weekday`);
  });
  if (range.begin > range.end) throw bad('start day cannot be before end day');
  return range;
}

function parseDaysOfMonth(text: string): Range {
  const { begin, end } = parseRange(text, wholeNumber);
  for (const day of [begin, end]) {
    if (day === 0 || day < -31 || day > 31) {
      throw bad(`${day} is not a valid day of the month: out of range`);
    }
  }
  if (begin < 0 && end > 0) throw bad('end day must be negative if start day is negative');
  const least = (day: number) => (day < 0 ? SHORTEST_MONTH_DAYS + day : day);
  if (least(begin) > least(end)) {
    throw bad(`end day ${end} is always before start day ${begin}`);
  }
  return { begin, end };
}

function parseMonths(text: string): Range {
  const range = parseRange(text, (word) => {
    if (MONTHS.includes(word)) return MONTHS.indexOf(word) + 1;
    const month = /^\d{1,2}$/.test(word) ? Number(word) : 0;
    if (month >= 1 && month <= 12) return month;
    throw bad(`${word} is not a valid month`);
  });
  if (range.begin > range.end) {
    const [begin, end] = [MONTHS[range.begin - 1], MONTHS[range.end - 1]];
    throw bad(`end month ${end} is before start month ${begin}`);
  }
  return range;
}

function parseYears(text: string): Range {
  const range = parseRange(text, wholeNumber);
  if (range.begin > range.end) {
    throw bad(`end year ${range.end} is before start year ${range.begin}`);
  }
  return range;
}

function parseMinute(text: string): number {
  const match = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/.exec(text);
  if (match === null) throw bad(`couldn't parse timestamp ${text}, invalid format`);
  return match[1] === undefined ? 24 * 60 : Number(match[1]) * 60 + Number(match[2]);
}

const timeFields = yaml.object(
  { start_time: yaml.optional(yaml.string, ''), end_time: yaml.optional(yaml.string, '') },
  { name: 'time range' },
);

const timeRange = yaml.mapped(
  timeFields,
  ({ start_time: start, end_time: end }) => {
    if (start === '' || end === '') throw bad('both start and end times must be provided');
    const range = { begin: parseMinute(start), end: parseMinute(end) };
    if (range.begin < range.end) return range;
    throw bad('start time cannot be equal or greater than end time');
  },
  () => ({ begin: 0, end: 0 }),
);

function ranges(parse: (text: string) => Range): yaml.Schema<Range[]> {
  return yaml.list(yaml.mapped(yaml.string, parse, () => ({ begin: 0, end: 0 })));
}

const timeZone = yaml.mapped(
  yaml.string,
  (name) => {
    try {
      // Offsets are no names of the database, though JavaScript knows them.
      if (!/^[+-]/.test(name)) formatOf(name);
      else throw new RangeError(name);
    } catch (error) {
      if (error instanceof RangeError) throw bad(`unknown time zone ${name}`);
      throw error;
    }
    return name;
  },
  () => 'UTC',
);

const specFields = yaml.object(
  {
    times: yaml.optional(yaml.list(timeRange)),
    weekdays: yaml.optional(ranges(parseWeekdays)),
    days_of_month: yaml.optional(ranges(parseDaysOfMonth)),
    months: yaml.optional(ranges(parseMonths)),
    years: yaml.optional(ranges(parseYears)),
    location: yaml.optional(timeZone, 'UTC'),
  },
  { name: 'time interval' },
);

/** One entry of `time_intervals` within a named interval. */
export const timeIntervalSpec: yaml.Schema<TimeIntervalSpec> = (node, decoder) => {
  const { times, weekdays, days_of_month, months, years, location } = specFields(node, decoder);
  return { times, weekdays, daysOfMonth: days_of_month, months, years, timeZone: location };
};

/** `what` is how Alertmanager calls it: a time interval, or a mute time interval. */
export function namedIntervals(what: string): yaml.Schema<TimeInterval[]> {
  const fields = yaml.object(
    {
      name: yaml.optional(yaml.string, ''),
      time_intervals: yaml.optional(yaml.list(timeIntervalSpec), (): TimeIntervalSpec[] => []),
    },
    { name: what },
  );
  return yaml.list((node, decoder) => {
    const { name, time_intervals: specs } = fields(node, decoder);
    if (name === '') decoder.error(node, `missing name in ${what}`);
    return { name, specs };
  });
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}

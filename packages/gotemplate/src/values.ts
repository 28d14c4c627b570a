/**
 * Go's values as templates see them, and how Go prints them. A value is a JavaScript primitive, an
 * array, a Map (Go's map: an absent key is its zero value), or one of the classes here. Nothing
 * else of JavaScript is reachable from a template.
 */
import { TytoError } from '@tyto/base';
import { formatTime } from './goTime.ts';

/** A whole number; a plain JavaScript number is a float64, as sample values are. */
export class GoInt {
  readonly value: number;
  constructor(value: number) {
    this.value = Math.trunc(value);
  }
}

/** Go's zero time, which stands for "not set". */
export const ZERO_TIME_MS = Date.parse('0001-01-01T00:00:00Z');

/** time.Time: an instant, shown in a time zone (IANA name). */
export class GoTime {
  readonly ms: number;
  readonly zone: string;
  /** Nanoseconds beyond the milliseconds, 0 to 999,999. */
  readonly restNs: number;
  constructor(ms: number, zone = 'UTC', restNs = 0) {
    this.ms = ms;
    this.zone = zone;
    this.restNs = restNs;
  }
}

/** time.Duration. */
export class GoDuration {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
}

/** Text that html/template leaves as it is. */
export class SafeHtml {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Text that is a web address already: its scheme is not judged where html/template would. */
export class SafeUrl {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** How a struct shows itself where it does not as its fields do. */
export interface Shown {
  /** What JSON, ranging and printing see instead of the struct, as for a slice with methods. */
  readonly underlying?: Value;
  /** As it prints, as Go's String method says. */
  readonly text?: () => string;
  /** Names of fields in JSON; fields without one are not shown there. */
  readonly json?: Readonly<Record<string, string>>;
}

/** A struct or any other value with named fields and methods; only these can be reached. */
export class GoStruct {
  readonly fields: ReadonlyMap<string, Value>;
  readonly methods: ReadonlyMap<string, (...args: Value[]) => Value>;
  readonly underlying: Value | undefined;
  readonly shown: Shown;

  constructor(
    fields: Readonly<Record<string, Value>>,
    methods: Readonly<Record<string, (...args: Value[]) => Value>> = {},
    shown: Shown = {},
  ) {
    this.fields = new Map(Object.entries(fields));
    this.methods = new Map(Object.entries(methods));
    this.underlying = shown.underlying;
    this.shown = shown;
  }
}

export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | GoInt
  | GoTime
  | GoDuration
  | SafeHtml
  | SafeUrl
  | GoStruct
  | readonly Value[]
  | ReadonlyMap<string, Value>;

/** map[string]string with the methods of Alertmanager's KV. */
export function keyValues(pairs: ReadonlyMap<string, string>): GoStruct {
  const names = () => sortedNames(pairs);
  const sorted = () => names().map((name): Pair => [name, pairs.get(name) ?? '']);
  return new GoStruct(
    {},
    {
      SortedPairs: () => pairsOf(sorted()),
      Remove: (removed) => {
        const gone = new Set(Array.isArray(removed) ? removed : []);
        return keyValues(new Map([...pairs].filter(([name]) => !gone.has(name))));
      },
      Names: () => names(),
      Values: () => names().map((name) => pairs.get(name) ?? ''),
    },
    { underlying: pairs, text: () => pairsText(sorted()) },
  );
}

type Pair = readonly [name: string, value: string];

function pairsOf(pairs: readonly Pair[]): GoStruct {
  const items = pairs.map(([name, value]) => new GoStruct({ Name: name, Value: value }));
  return new GoStruct(
    {},
    { Names: () => pairs.map(([name]) => name), Values: () => pairs.map(([, value]) => value) },
    { underlying: items, text: () => pairsText(pairs) },
  );
}

function pairsText(pairs: readonly Pair[]): string {
  return pairs.map(([name, value]) => `${name}=${value}`).join(', ');
}

/** Names in rising order; alertname comes first, as Alertmanager sorts them. */
function sortedNames(pairs: ReadonlyMap<string, string>): string[] {
  const names = [...pairs.keys()].sort((a, b) => (a < b ? -1 : 1));
  return names.includes('alertname')
    ? ['alertname', ...names.filter((name) => name !== 'alertname')]
    : names;
}

/** What `if`, `and`, `not` and `with` ask: false for zero values and what is empty. */
export function isTrue(value: Value): boolean {
  if (value === null || value === undefined) return false;
  if (value instanceof GoInt) return value.value !== 0;
  if (value instanceof GoDuration) return value.ms !== 0;
  if (value instanceof SafeHtml || value instanceof SafeUrl) return value.text !== '';
  if (value instanceof GoStruct) return value.underlying === undefined || isTrue(value.underlying);
  // Go calls every struct true; who writes {{ if .EndsAt }} means a time that is set.
  if (value instanceof GoTime) return value.ms !== ZERO_TIME_MS;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return typeof value === 'number' ? value !== 0 : Boolean(value);
}

/** What a value may show of itself: lists that hold themselves twice double with each level. */
const SHOWN_LENGTH_MAX = 16 * 1024 * 1024;
/** What a value costs beside its text. */
const VALUE_LENGTH = 8;

interface Budget {
  left: number;
}

function spend(budget: Budget, value: Value): void {
  budget.left -= VALUE_LENGTH + (typeof value === 'string' ? value.length : 0);
  if (budget.left < 0) throw new TytoError('execution', 'a value of the template is too large');
}

/** As fmt.Print would show it. Throws TytoError for what is too large. */
export function print(value: Value): string {
  return printed(value, { left: SHOWN_LENGTH_MAX });
}

function printed(value: Value, budget: Budget): string {
  spend(budget, value);
  if (value === null || value === undefined) return '<no value>';
  if (typeof value === 'number') return printFloat(value);
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (value instanceof GoInt) return String(value.value);
  if (value instanceof SafeHtml || value instanceof SafeUrl) return value.text;
  if (value instanceof GoTime) return formatTime('2006-01-02 15:04:05.999999999 -0700 MST', value);
  if (value instanceof GoDuration) return printDuration(value.ms);
  if (value instanceof GoStruct) return printStruct(value, budget);
  if (Array.isArray(value)) {
    return `[${value.map((item: Value) => printed(item, budget)).join(' ')}]`;
  }
  if (value instanceof Map) {
    const shown = keysOf(value).map((key) => `${key}:${printed(value.get(key), budget)}`);
    return `map[${shown.join(' ')}]`;
  }
  return '';
}

function keysOf(map: ReadonlyMap<string, Value>): string[] {
  return [...map.keys()].sort((a, b) => (a < b ? -1 : 1));
}

function printStruct(value: GoStruct, budget: Budget): string {
  if (value.shown.text !== undefined) return value.shown.text();
  if (value.underlying !== undefined) return printed(value.underlying, budget);
  return `{${[...value.fields.values()].map((field) => printed(field, budget)).join(' ')}}`;
}

/** %v of a float64: the shortest digits, with an exponent from 1e+06 on and below 1e-04. */
export function printFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  if (value === 0) return '0';
  const [digits, exponentText] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return String(value);
  const sign = exponent < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** As time.Duration prints: 1h2m3.5s, 250ms, 0s. */
export function printDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  const absolute = Math.abs(ms);
  if (absolute < 1000) return `${sign}${trimZeros(absolute)}ms`;
  const hours = Math.floor(absolute / 3600_000);
  const minutes = Math.floor((absolute % 3600_000) / 60_000);
  const seconds = (absolute % 60_000) / 1000;
  const head = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : '';
  return `${sign}${head}${trimZeros(seconds)}s`;
}

function trimZeros(value: number): string {
  return String(Number(value.toFixed(9)));
}

/** JSON as encoding/json writes it. Throws TytoError for what is longer than `lengthMax`. */
export function toJson(value: Value, lengthMax = SHOWN_LENGTH_MAX): unknown {
  return jsonOf(value, { left: lengthMax });
}

function jsonOf(value: Value, budget: Budget): unknown {
  spend(budget, value);
  if (value instanceof GoInt) return value.value;
  if (value instanceof GoTime) return formatTime('2006-01-02T15:04:05.999999999Z07:00', value);
  if (value instanceof GoDuration) return value.ms * 1e6;
  if (value instanceof SafeHtml || value instanceof SafeUrl) return value.text;
  if (value instanceof GoStruct) {
    if (value.underlying !== undefined) return jsonOf(value.underlying, budget);
    const names = value.shown.json;
    const shown = [...value.fields].filter(([name]) => names === undefined || name in names);
    return Object.fromEntries(
      shown.map(([name, field]) => [names?.[name] ?? name, jsonOf(field, budget)]),
    );
  }
  if (Array.isArray(value)) return value.map((item: Value) => jsonOf(item, budget));
  if (value instanceof Map) {
    return Object.fromEntries(keysOf(value).map((key) => [key, jsonOf(value.get(key), budget)]));
  }
  return value ?? null;
}

/** A number from what Go's numeric parameters take: numbers, and strings that hold one. */
export function toNumber(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (value instanceof GoInt) return value.value;
  if (value instanceof GoDuration) return value.ms / 1000;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  if (/^[+-]?inf(inity)?$/i.test(value)) return value.startsWith('-') ? -Infinity : Infinity;
  const number = Number(value);
  return Number.isNaN(number) && value.toLowerCase() !== 'nan' ? undefined : number;
}

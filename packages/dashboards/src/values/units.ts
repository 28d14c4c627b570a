/**
 * Values with their units, by Grafana's ids: `bytes`, `s`, `percentunit`, `suffix:req`. An id that
 * is not known is written behind the number, as people do with units of their own.
 */
import { dateTime, fromNow, isoTime } from './times.ts';

/** A value as it is shown: the parts are apart, so that the unit may be smaller. */
export interface Formatted {
  readonly prefix: string;
  readonly text: string;
  readonly suffix: string;
}

export interface FormatOptions {
  /** As many as the size of the value asks for where it is undefined. */
  readonly decimals?: number | undefined;
  readonly nowMs?: number;
  /** A name of the IANA database; the browser's where it is not given. */
  readonly timeZone?: string | undefined;
}

type Format = (value: number, options: FormatOptions) => Formatted;

const DECIMALS_MAX = 20;

/** NaN and infinities are written as such. */
export function formatValue(value: number, unit: string, options: FormatOptions = {}): Formatted {
  if (!Number.isFinite(value)) return plain(Number.isNaN(value) ? 'NaN' : infinity(value));
  return formatOf(unit)(value, options);
}

/** `12.3 MiB`: all of it as one text. */
export function formatText(value: number, unit: string, options: FormatOptions = {}): string {
  const { prefix, text, suffix } = formatValue(value, unit, options);
  return `${prefix}${text}${suffix}`;
}

function formatOf(unit: string): Format {
  const known = FORMATS.get(unit);
  if (known !== undefined) return known;
  const at = unit.indexOf(':');
  const [kind, argument] = at < 0 ? ['suffix', unit] : [unit.slice(0, at), unit.slice(at + 1)];
  switch (kind) {
    case 'prefix':
      return (value, options) => ({ ...number(value, options), prefix: argument });
    case 'time':
      return (value, { timeZone }) => plain(dateTime(value, argument.trim(), timeZone));
    case 'si': {
      const start = SI_LETTERS.indexOf(argument[0]);
      const hasLetter = argument.length > 1 && start >= 0;
      return scaled(
        1000,
        SI_NAMES,
        hasLetter ? argument.slice(1) : argument,
        hasLetter ? start : 4,
      );
    }
    case 'count':
      return scaled(1000, COUNTS, argument, 0);
    case 'currency':
      return currency(argument);
    default:
      return suffixed(unit === '' ? '' : ` ${kind === 'suffix' ? argument : unit}`);
  }
}

/** Three digits that say something; none behind the point of whole numbers. */
function decimalsOf(value: number, { decimals }: FormatOptions): number {
  if (decimals !== undefined) return Math.min(DECIMALS_MAX, Math.max(0, Math.round(decimals)));
  if (value === 0 || value % 1 === 0) return 0;
  return Math.min(DECIMALS_MAX, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
}

function number(value: number, options: FormatOptions): Formatted {
  return plain(fixed(value, options));
}

function fixed(value: number, options: FormatOptions): string {
  const text = value.toFixed(decimalsOf(value, options));
  // A small negative value that is rounded to nothing has no sign.
  return Number(text) === 0 ? text.replace('-', '') : text;
}

function plain(text: string): Formatted {
  return { prefix: '', text, suffix: '' };
}

function infinity(value: number): string {
  return value > 0 ? '+∞' : '-∞';
}

function suffixed(suffix: string): Format {
  return (value, options) => ({ ...number(value, options), suffix });
}

/** Divided by the base until it is small, with the name of how often. `start`: where 1 stands. */
function scaled(base: number, names: readonly string[], unit: string, start: number): Format {
  return (value, options) => {
    let [rest, at] = [value, start];
    while (Math.abs(rest) >= base && at + 1 < names.length) {
      rest /= base;
      at++;
    }
    while (rest !== 0 && Math.abs(rest) < 1 && at > 0 && names === SI_NAMES) {
      rest *= base;
      at--;
    }
    const name = `${names[at]}${unit}`;
    return { ...number(rest, options), suffix: name === '' ? '' : ` ${name}` };
  };
}

const SI_NAMES = ['f', 'p', 'n', 'µ', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
/** As they stand in an id such as `si:mV`. */
const SI_LETTERS = SI_NAMES.map((name) => (name === '' ? ' ' : name)).join('');
const SI_ONE = SI_NAMES.indexOf('');
const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];
const COUNTS = ['', 'K', 'M', 'B', 'T'];
const SHORT = ['', 'K', 'Mil', 'Bil', 'Tri', 'Quadr', 'Quint', 'Sext', 'Sept'];

function currency(symbol: string): Format {
  const count = scaled(1000, COUNTS, '', 0);
  return (value, options) => {
    const { text, suffix } = count(value, options);
    return { prefix: symbol, text, suffix: suffix.trim() };
  };
}

/** From the smallest unit on: each with how many of the one before it it has. */
const DURATIONS: readonly (readonly [name: string, seconds: number])[] = [
  ['ns', 1e-9],
  ['µs', 1e-6],
  ['ms', 1e-3],
  ['s', 1],
  ['mins', 60],
  ['hours', 3600],
  ['days', 86_400],
  ['weeks', 604_800],
  ['years', 31_536_000],
];

const SINGULAR: Readonly<Record<string, string>> = {
  mins: 'min',
  hours: 'hour',
  days: 'day',
  weeks: 'week',
  years: 'year',
};

/** In the largest unit of which there is one. */
function duration(secondsPerUnit: number): Format {
  return (value, options) => {
    const seconds = value * secondsPerUnit;
    const fits = DURATIONS.filter(([, size]) => Math.abs(seconds) >= size);
    const own = DURATIONS.find(([, size]) => size === secondsPerUnit) ?? DURATIONS[3];
    const [name, size] = seconds === 0 ? own : (fits.at(-1) ?? DURATIONS[0]);
    const { text } = number(seconds / size, options);
    const shown = text === '1' ? (SINGULAR[name] ?? name) : name;
    return { prefix: '', text, suffix: ` ${shown}` };
  };
}

/** `2 days, 3 hours`: the two or so largest parts. */
function longDuration(secondsPerUnit: number): Format {
  return (value, { decimals = 1 }) => {
    let rest = Math.abs(value * secondsPerUnit);
    const parts: string[] = [];
    const units = [...DURATIONS].reverse();
    for (const [name, size] of units) {
      const count = Math.floor(rest / size + 1e-9);
      if (count === 0) continue;
      rest -= count * size;
      parts.push(`${count} ${longName(name, count)}`);
      if (parts.length > decimals) break;
    }
    const text = parts.length === 0 ? '0 s' : parts.join(', ');
    return plain(value < 0 ? `-${text}` : text);
  };
}

function longName(name: string, count: number): string {
  if (name === 'mins') return count === 1 ? 'minute' : 'minutes';
  return count === 1 ? (SINGULAR[name] ?? name) : name;
}

/** `26:03:04`. */
function clock(secondsPerUnit: number): Format {
  return (value) => {
    const seconds = Math.abs(Math.round(value * secondsPerUnit));
    const two = (part: number) => String(part).padStart(2, '0');
    const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor).map(two);
    return plain(`${value < 0 ? '-' : ''}${parts.join(':')}`);
  };
}

function words(no: string, yes: string): Format {
  return (value) => plain(value === 0 ? no : yes);
}

/** Grafana's names of times; the value is in milliseconds. */
function time(pattern: string, isTodayShort = false): Format {
  return (value, { timeZone, nowMs }) => {
    const isToday =
      isTodayShort &&
      nowMs !== undefined &&
      dateTime(value, 'YYYY-MM-DD', timeZone) === dateTime(nowMs, 'YYYY-MM-DD', timeZone);
    return plain(dateTime(value, isToday ? 'HH:mm:ss' : pattern, timeZone));
  };
}

function family(base: number, names: readonly string[], unit: string, ids: readonly string[]) {
  return ids.map((id, start) => [id, scaled(base, names, unit, start)] as const);
}

const RATES = {
  cps: 'c/s',
  ops: 'ops/s',
  reqps: 'req/s',
  rps: 'rd/s',
  wps: 'wr/s',
  iops: 'io/s',
  eps: 'evt/s',
  mps: 'msg/s',
  recps: 'rec/s',
  rowsps: 'rows/s',
  cpm: 'c/m',
  opm: 'ops/m',
  reqpm: 'req/m',
  rpm: 'rd/m',
  wpm: 'wr/m',
  epm: 'evts/m',
  mpm: 'msgs/m',
  recpm: 'rec/m',
  rowspm: 'rows/m',
};

/** Written behind the number as they are. */
const SUFFIXES: Readonly<Record<string, string>> = {
  humidity: ' %H',
  celsius: ' °C',
  fahrenheit: ' °F',
  kelvin: ' K',
  degree: '°',
  pixel: ' px',
  dB: ' dB',
  rotrpm: ' rpm',
  ppm: ' ppm',
  conppm: ' ppm',
  velocityms: ' m/s',
  velocitykmh: ' km/h',
  pressurehpa: ' hPa',
  pressurembar: ' mbar',
  lux: ' lx',
  radians: ' rad',
  pH: ' pH',
};

const SI_UNITS: Readonly<Record<string, string>> = {
  hertz: 'Hz',
  rothz: 'Hz',
  watt: 'W',
  voltamp: 'VA',
  volt: 'V',
  amp: 'A',
  ohm: 'Ω',
  joule: 'J',
  watth: 'Wh',
  lengthm: 'm',
  pressurebar: 'bar',
  pressurepsi: 'psi',
  flops: 'FLOPS',
  Hs: 'H/s',
};

const CURRENCIES: Readonly<Record<string, string>> = {
  currencyUSD: '$',
  currencyEUR: '€',
  currencyGBP: '£',
  currencyJPY: '¥',
  currencyKRW: '₩',
  currencyCNY: '¥',
  currencyINR: '₹',
  currencyBTC: '₿',
};

const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['', number],
  ['none', number],
  ['string', (value) => plain(String(value))],
  ['short', scaled(1000, SHORT, '', 0)],
  ['sishort', scaled(1000, SI_NAMES, '', SI_ONE)],
  ['locale', (value, { decimals }) => plain(value.toLocaleString('en-US', digits(decimals)))],
  ['sci', (value, { decimals }) => plain(value.toExponential(decimals))],
  ['hex', (value) => plain(Math.round(value).toString(16).toUpperCase())],
  ['hex0x', (value) => plain(`0x${Math.round(value).toString(16).toUpperCase()}`)],
  ['percent', suffixed('%')],
  ['percentunit', (value, options) => ({ ...number(value * 100, options), suffix: '%' })],
  ...family(1024, BINARY, 'B', ['bytes', 'kbytes', 'mbytes', 'gbytes', 'tbytes', 'pbytes']),
  ...family(1000, DECIMAL, 'B', [
    ...['decbytes', 'deckbytes', 'decmbytes', 'decgbytes', 'dectbytes', 'decpbytes'],
  ]),
  ['bits', scaled(1024, BINARY, 'b', 0)],
  ['decbits', scaled(1000, DECIMAL, 'b', 0)],
  ...family(1000, DECIMAL, 'B/s', ['Bps', 'KBs', 'MBs', 'GBs', 'TBs', 'PBs']),
  ...family(1000, DECIMAL, 'b/s', ['bps', 'Kbits', 'Mbits', 'Gbits', 'Tbits', 'Pbits']),
  ...family(1024, BINARY, 'B/s', ['binBps', 'KiBs', 'MiBs', 'GiBs', 'TiBs', 'PiBs']),
  ...family(1024, BINARY, 'b/s', ['binbps', 'Kibits', 'Mibits', 'Gibits', 'Tibits', 'Pibits']),
  ['pps', scaled(1000, DECIMAL, 'p/s', 0)],
  ...Object.entries(RATES).map(([id, unit]) => [id, rate(unit)] as const),
  ...Object.entries(SUFFIXES).map(([id, suffix]) => [id, suffixed(suffix)] as const),
  ...Object.entries(SI_UNITS).map(
    ([id, unit]) => [id, scaled(1000, SI_NAMES, unit, SI_ONE)] as const,
  ),
  ['kwatt', scaled(1000, SI_NAMES, 'W', SI_ONE + 1)],
  ['mvolt', scaled(1000, SI_NAMES, 'V', SI_ONE - 1)],
  ['mamp', scaled(1000, SI_NAMES, 'A', SI_ONE - 1)],
  ['kwatth', scaled(1000, SI_NAMES, 'Wh', SI_ONE + 1)],
  ...Object.entries(CURRENCIES).map(([id, symbol]) => [id, currency(symbol)] as const),
  ['ns', duration(1e-9)],
  ['µs', duration(1e-6)],
  ['ms', duration(1e-3)],
  ['s', duration(1)],
  ['m', duration(60)],
  ['h', duration(3600)],
  ['d', duration(86_400)],
  ['dtdurationms', longDuration(1e-3)],
  ['dtdurations', longDuration(1)],
  ['timeticks', duration(0.01)],
  ['dthms', clock(1)],
  ['clockms', longDuration(1e-3)],
  ['clocks', longDuration(1)],
  ['bool', words('False', 'True')],
  ['bool_yes_no', words('No', 'Yes')],
  ['bool_on_off', words('Off', 'On')],
  ['dateTimeAsIso', time('YYYY-MM-DD HH:mm:ss')],
  ['dateTimeAsIsoNoDateIfToday', time('YYYY-MM-DD HH:mm:ss', true)],
  ['dateTimeAsUS', time('MM/DD/YYYY h:mm:ss a')],
  ['dateTimeAsUSNoDateIfToday', time('MM/DD/YYYY h:mm:ss a', true)],
  ['dateTimeAsLocal', time('YYYY-MM-DD HH:mm:ss')],
  ['dateTimeAsSystem', time('YYYY-MM-DD HH:mm:ss')],
  [
    'dateTimeFromNow',
    (value, { nowMs }) => plain(nowMs === undefined ? isoTime(value) : fromNow(value, nowMs)),
  ],
]);

function rate(unit: string): Format {
  const count = scaled(1000, ['', 'K', 'M', 'B', 'T'], '', 0);
  return (value, options) => {
    const { text, suffix } = count(value, options);
    return { prefix: '', text: `${text}${suffix.trim()}`, suffix: ` ${unit}` };
  };
}

function digits(decimals: number | undefined): Intl.NumberFormatOptions {
  if (decimals === undefined) return {};
  return { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
}

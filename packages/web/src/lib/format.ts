/**
 * Numbers for people. Bytes are binary (KiB), plain numbers take SI prefixes, and three significant
 * digits are kept, because a reader in a hurry compares magnitudes. Durations show their two
 * largest units. Words differ by language, digits do not.
 */

export type Language = 'ko' | 'en';

const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;
const SI_UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const SI_SMALL_UNITS = ['', 'm', 'µ', 'n', 'p'] as const;

type DurationUnit = 'year' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond';

const DURATION_UNITS: readonly (readonly [unit: DurationUnit, ms: number])[] = [
  ['year', 365 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
  ['millisecond', 1],
];

const UNIT_WORDS: Record<Language, Record<DurationUnit, string>> = {
  en: { year: ' y', day: ' d', hour: ' h', minute: ' min', second: ' s', millisecond: ' ms' },
  ko: { year: '년', day: '일', hour: '시간', minute: '분', second: '초', millisecond: '밀리초' },
};

/** From here on an age is told in minutes. */
const AGE_IN_MINUTES_MS = 10 * 60_000;

/** What a number measures; decides its unit wherever it is shown. */
export type Unit = 'number' | 'ratio' | 'bytes' | 'bytesPerSecond';

export function formatUnit(value: number, unit: Unit): string {
  if (unit === 'ratio') return formatPercent(value);
  if (unit === 'bytes') return formatBytes(value);
  if (unit === 'bytesPerSecond') return `${formatBytes(value)}/s`;
  return formatSi(value);
}

export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return specialNumber(bytes);
  let scaled = Math.abs(bytes);
  let unit = 0;
  while (roundsUpTo(scaled, 1024) && unit < BINARY_UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${sign(bytes)}${threeDigits(scaled)} ${BINARY_UNITS[unit]}`;
}

/** `1.23M`, `45.6k`, `0.789`, `12m` (thousandths); zero is `0`. */
export function formatSi(value: number): string {
  if (!Number.isFinite(value)) return specialNumber(value);
  if (value === 0) return '0';
  let scaled = Math.abs(value);
  if (scaled < 0.001) {
    let unit = 0;
    while (scaled < 1 && unit < SI_SMALL_UNITS.length - 1) {
      scaled *= 1000;
      unit++;
    }
    if (scaled < 0.01) return value.toExponential(2);
    return `${sign(value)}${threeDigits(scaled)}${SI_SMALL_UNITS[unit]}`;
  }
  let unit = 0;
  while (roundsUpTo(scaled, 1000) && unit < SI_UNITS.length - 1) {
    scaled /= 1000;
    unit++;
  }
  if (roundsUpTo(scaled, 1000)) return value.toExponential(2);
  return `${sign(value)}${threeDigits(scaled)}${SI_UNITS[unit]}`;
}

/** Of a ratio: 0.123 is `12.3%`. */
export function formatPercent(ratio: number): string {
  if (!Number.isFinite(ratio)) return specialNumber(ratio);
  const percent = ratio * 100;
  const digits = Math.abs(percent) >= 99.95 || percent === 0 ? 0 : 1;
  return `${percent.toFixed(digits)}%`;
}

/** The value of a sample in full: grouped nowhere, so that it can be copied. */
export function formatValue(value: number): string {
  return Number.isFinite(value) ? String(value) : specialNumber(value);
}

/** A whole number with separators. */
export function formatCount(count: number, language: Language): string {
  return new Intl.NumberFormat(language).format(count);
}

/** The two largest units of a duration: `3 h 12 min`, `3시간 12분`. */
export function formatSpan(ms: number, language: Language): string {
  if (!Number.isFinite(ms)) return specialNumber(ms);
  const words = UNIT_WORDS[language];
  let rest = ms >= 1000 ? Math.round(ms / 1000) * 1000 : ms;
  const first = DURATION_UNITS.findIndex(([, size]) => rest >= size);
  if (first === -1)
    return rest > 0 ? `${threeDigits(rest)}${words.millisecond}` : `0${words.second}`;
  const parts: string[] = [];
  for (const [unit, size] of DURATION_UNITS.slice(first, first + 2)) {
    const isLast = unit === 'millisecond';
    const count = isLast ? Math.round(rest) : Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${words[unit]}`);
  }
  return parts.join(' ');
}

/** A short duration of a scrape or an evaluation, in seconds: `0.34 ms`, `12.3 ms`, `1.25 s`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return specialNumber(seconds);
  if (seconds === 0) return '0 ms';
  if (seconds < 1) return `${threeDigits(seconds * 1000)} ms`;
  return `${threeDigits(seconds)} s`;
}

/** How old something is: like a span, but nobody counts the seconds of half an hour. */
export function formatAge(ms: number, language: Language): string {
  const isLong = ms >= AGE_IN_MINUTES_MS;
  return formatSpan(isLong ? Math.floor(ms / 60_000) * 60_000 : ms, language);
}

export function formatAgo(ms: number, language: Language): string {
  if (ms < 1000) return language === 'ko' ? '방금' : 'just now';
  const span = formatAge(ms, language);
  return language === 'ko' ? `${span} 전` : `${span} ago`;
}

function sign(value: number): string {
  return value < 0 ? '-' : '';
}

function specialNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** Whether `scaled` would be shown as `limit` or more, so that 1023.9 B becomes 1 KiB. */
function roundsUpTo(scaled: number, limit: number): boolean {
  return Math.round(scaled) >= limit;
}

function threeDigits(value: number): string {
  if (value < 1) return String(Number(value.toPrecision(3)));
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return trimZeros(value.toFixed(digits));
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

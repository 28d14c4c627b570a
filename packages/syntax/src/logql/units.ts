/** How LogQL reads durations and sizes, in queries and in logs: as Go's libraries do. */
import { formatDuration, parseDuration } from '@tyto/base';

const GO_UNITS_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const GO_DURATION = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const GO_DURATION_PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
/** Beyond 2^63 nanoseconds Go has no duration. */
const DURATION_NS_MAX = 2 ** 63;

/** Nanoseconds of a duration as time.ParseDuration reads it; undefined where it does not. */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0' || text === '+0' || text === '-0') return 0;
  if (text.length > 100 || !GO_DURATION.test(text)) return undefined;
  let nanoseconds = 0;
  for (const [, count, unit] of text.matchAll(GO_DURATION_PART)) {
    nanoseconds += Number(count) * GO_UNITS_NS[unit];
  }
  if (nanoseconds >= DURATION_NS_MAX) return undefined;
  const whole = Math.trunc(nanoseconds);
  return text.startsWith('-') ? -whole : whole;
}

/** Nanoseconds of a duration in a query: Go's notation, or Prometheus' with days and weeks. */
export function parseQueryDuration(text: string): number | undefined {
  const ms = text === '0' ? undefined : parseDuration(text);
  return ms === undefined ? parseGoDuration(text) : ms * 1e6;
}

/** A duration that `parseQueryDuration` reads back. */
export function formatNanoseconds(nanoseconds: number): string {
  if (Number.isInteger(nanoseconds / 1e6)) return formatDuration(nanoseconds / 1e6);
  return `${nanoseconds}ns`;
}

const BYTE_UNIT_VALUES: Record<string, number> = { '': 1, b: 1 };
for (const [index, letter] of ['k', 'm', 'g', 't', 'p', 'e'].entries()) {
  BYTE_UNIT_VALUES[letter] = 1000 ** (index + 1);
  BYTE_UNIT_VALUES[`${letter}b`] = 1000 ** (index + 1);
  BYTE_UNIT_VALUES[`${letter}i`] = 1024 ** (index + 1);
  BYTE_UNIT_VALUES[`${letter}ib`] = 1024 ** (index + 1);
}
const BYTES = /^(\d[\d,]*\.?\d*|\.\d+)\s*([a-zA-Z]*)$/;
const BYTES_MAX = 2 ** 64;

/** A size such as `42MB` or `1.5 KiB` in bytes; undefined where it is none. */
export function parseBytes(text: string): number | undefined {
  const match = text.length > 100 ? null : BYTES.exec(text);
  if (match === null) return undefined;
  const unit = match[2].toLowerCase();
  const size = Object.hasOwn(BYTE_UNIT_VALUES, unit) ? BYTE_UNIT_VALUES[unit] : undefined;
  if (size === undefined) return undefined;
  const value = Number(match[1].replaceAll(',', '')) * size;
  return value >= BYTES_MAX ? undefined : Math.trunc(value);
}

/** A size that `parseBytes` reads back. */
export function formatBytes(bytes: number): string {
  return `${bytes.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 0 })}B`;
}

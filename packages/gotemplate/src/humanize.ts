/** humanize and its relatives, with Prometheus' rounding and words. */
import { fail } from './execute.ts';
import { printf } from './printf.ts';
import { GoDuration, GoTime, print, printFloat, toNumber, type Value } from './values.ts';

/** Go counts nanoseconds in 63 bits. */
const SECONDS_MAX = 2 ** 63 / 1e9;

function numberOf(value: Value): number {
  const number = toNumber(value);
  return number === undefined
    ? fail(`can't convert ${print(value).slice(0, 40)} to float`)
    : number;
}

/** Four significant digits, as %.4g. */
function short(value: number): string {
  return printf('%.4g', [value]);
}

export function humanize(value: Value): string {
  let number = numberOf(value);
  if (number === 0 || !Number.isFinite(number)) return special(number) ?? short(number);
  let prefix = '';
  if (Math.abs(number) >= 1) {
    for (const larger of ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']) {
      if (Math.abs(number) < 1000) break;
      prefix = larger;
      number /= 1000;
    }
    return short(number) + prefix;
  }
  for (const smaller of ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']) {
    if (Math.abs(number) >= 1) break;
    prefix = smaller;
    number *= 1000;
  }
  return short(number) + prefix;
}

export function humanize1024(value: Value): string {
  let number = numberOf(value);
  const plain = special(number);
  if (plain !== undefined) return plain;
  if (Math.abs(number) <= 1) return short(number);
  let prefix = '';
  for (const larger of ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']) {
    if (Math.abs(number) < 1024) break;
    prefix = larger;
    number /= 1024;
  }
  return short(number) + prefix;
}

export function humanizeDuration(value: Value): string {
  let seconds = numberOf(value);
  const plain = special(seconds);
  if (plain !== undefined) return plain;
  if (seconds === 0) return `${short(seconds)}s`;
  if (Math.abs(seconds) >= 1) return wholeDuration(seconds);
  let prefix = '';
  for (const smaller of ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']) {
    if (Math.abs(seconds) >= 1) break;
    prefix = smaller;
    seconds *= 1000;
  }
  return `${short(seconds)}${prefix}s`;
}

function wholeDuration(given: number): string {
  const sign = given < 0 ? '-' : '';
  const total = Math.abs(given);
  const whole = Math.trunc(total);
  const seconds = whole % 60;
  const minutes = Math.trunc(whole / 60) % 60;
  const hours = Math.trunc(whole / 3600) % 24;
  const days = Math.trunc(whole / 86_400);
  if (days !== 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours !== 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes !== 0) return `${sign}${minutes}m ${seconds}s`;
  // Below a minute the fraction is worth showing.
  return `${sign}${short(total)}s`;
}

export function humanizePercentage(value: Value): string {
  return `${printf('%.4g', [numberOf(value) * 100])}%`;
}

export function humanizeTimestamp(value: Value): string {
  const seconds = numberOf(value);
  const plain = special(seconds);
  if (plain !== undefined) return plain;
  return print(toTime(seconds));
}

export function toTime(value: Value): GoTime {
  const seconds = numberOf(value);
  if (!(Math.abs(seconds) < SECONDS_MAX)) {
    return fail(`${print(value)} cannot be represented as a nanoseconds timestamp`);
  }
  return new GoTime(seconds * 1000);
}

export function toDuration(value: Value): GoDuration {
  const seconds = numberOf(value);
  if (!(Math.abs(seconds) < SECONDS_MAX)) {
    return fail(`${print(value)} cannot be represented as a duration`);
  }
  return new GoDuration(seconds * 1000);
}

function special(value: number): string | undefined {
  return Number.isFinite(value) ? undefined : printFloat(value);
}

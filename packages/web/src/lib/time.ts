/**
 * Points in time as text and back, in the browser's zone or in UTC. The notation is the same in
 * both languages, `2026-11-21 18:20:03`, because it sorts and can be pasted into a query.
 */

export type Zone = 'local' | 'utc';

export interface CivilTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const PATTERN = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?Z?$/;

export function civilTime(ms: number, zone: Zone): CivilTime {
  const date = new Date(ms);
  if (zone === 'utc') {
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
    };
  }
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
  };
}

export function formatDate(ms: number, zone: Zone): string {
  const { year, month, day } = civilTime(ms, zone);
  return `${year}-${two(month)}-${two(day)}`;
}

export function formatClock(ms: number, zone: Zone): string {
  const { hour, minute, second } = civilTime(ms, zone);
  return `${two(hour)}:${two(minute)}:${two(second)}`;
}

/** `2026-11-21 18:20:03`. */
export function formatTime(ms: number, zone: Zone): string {
  return Number.isFinite(ms) ? `${formatDate(ms, zone)} ${formatClock(ms, zone)}` : '–';
}

/** With the zone, for titles: `2026-11-21 18:20:03 UTC` or `… +09:00`. */
export function formatTimeZoned(ms: number, zone: Zone): string {
  if (!Number.isFinite(ms)) return '–';
  return `${formatTime(ms, zone)} ${zone === 'utc' ? 'UTC' : formatOffset(ms)}`;
}

/** Milliseconds of what a person typed, or undefined. */
export function parseTime(text: string, zone: Zone): number | undefined {
  const match = PATTERN.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const parts = [year, Number(month) - 1, day, hour ?? 0, minute ?? 0, second ?? 0].map(Number);
  const [y = 0, mo = 0, d = 1, h = 0, mi = 0, s = 0] = parts;
  const isUtc = zone === 'utc' || text.trim().endsWith('Z');
  const ms = isUtc ? Date.UTC(y, mo, d, h, mi, s) : new Date(y, mo, d, h, mi, s).getTime();
  const back = civilTime(ms, isUtc ? 'utc' : 'local');
  const isReal = back.month === mo + 1 && back.day === d && back.minute === mi && h < 24;
  return isReal && Number.isFinite(ms) ? ms : undefined;
}

/** Milliseconds of RFC 3339 text, NaN for Go's zero time and for nothing. */
export function parseServerTime(text: string | undefined): number {
  if (text === undefined || text === '' || text.startsWith('0001-')) return Number.NaN;
  return Date.parse(text);
}

/** Labels of a time axis: the clock, and the date where the day changes. Input in seconds. */
export function axisTimes(ticks: readonly number[], zone: Zone): string[] {
  let previousDate = '';
  const withSeconds = ticks.length > 1 && (ticks[1] ?? 0) - (ticks[0] ?? 0) < 60;
  return ticks.map((seconds) => {
    const ms = seconds * 1000;
    const date = formatDate(ms, zone);
    const clock = formatClock(ms, zone).slice(0, withSeconds ? 8 : 5);
    const isNewDay = previousDate !== '' && date !== previousDate;
    previousDate = date;
    const isMidnight = clock.startsWith('00:00') && ms % 60_000 === 0;
    return isNewDay || isMidnight ? `${clock}\n${date.slice(5)}` : clock;
  });
}

function formatOffset(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

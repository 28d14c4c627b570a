/**
 * Durations in Prometheus' notation: `1h30m`, `15s`, `100ms`; units y w d h m s ms, each at most
 * once and from large to small. `0` needs no unit.
 */

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['y', 365 * 24 * 3600_000],
  ['w', 7 * 24 * 3600_000],
  ['d', 24 * 3600_000],
  ['h', 3600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

const PATTERN = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** 2^63 nanoseconds in milliseconds: the largest duration that Prometheus takes. */
const DURATION_MS_MAX = 9_223_372_036_854;

/** Milliseconds of `text`, or undefined when it is no duration or overflows. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = text === '' ? null : PATTERN.exec(text);
  if (match === null) return undefined;
  let total = 0;
  for (let i = 0; i < UNITS.length; i++) total += Number(match[i + 1] ?? 0) * UNITS[i][1];
  return total <= DURATION_MS_MAX ? total : undefined;
}

/** The shortest text that parses back to `ms`; years and weeks only where they are exact. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  let rest = Math.round(ms);
  let text = '';
  for (const [unit, size] of UNITS) {
    const exactOnly = unit === 'y' || unit === 'w' || unit === 'd';
    if (exactOnly && rest % size !== 0) continue;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

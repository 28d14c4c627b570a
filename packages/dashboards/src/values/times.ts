/** Times as texts, by the patterns of moment.js that dashboards are written with. */

/** Milliseconds since 1970 by a pattern; a time that no calendar has is shown as a number. */
export function dateTime(ms: number, pattern: string, timeZone?: string): string {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return String(ms);
  const parts = partsOf(ms, timeZone);
  return (pattern === '' ? 'YYYY-MM-DD HH:mm:ss' : pattern).replace(TOKEN, (token) => {
    if (token.startsWith('[')) return token.slice(1, -1);
    return parts(token);
  });
}

/** `3 minutes ago`, `in 2 days`. */
export function fromNow(ms: number, nowMs: number): string {
  const seconds = Math.round((ms - nowMs) / 1000);
  const size = Math.abs(seconds);
  const [unit, unitSeconds] = STEPS.find(([, from]) => size >= from) ?? STEPS[STEPS.length - 1];
  const count = Math.round(size / unitSeconds);
  const text = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}

export function isoTime(ms: number): string {
  return dateTime(ms, 'YYYY-MM-DD[T]HH:mm:ss[Z]', 'UTC');
}

const STEPS: readonly (readonly [unit: string, seconds: number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

const TOKEN =
  /\[[^\]]*\]|YYYY|YY|MMMM|MMM|MM|M|DD|Do|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|X|x|Z/g;

function partsOf(ms: number, timeZone: string | undefined): (token: string) => string {
  const date = new Date(ms);
  const of = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat('en-US', { ...options, ...(timeZone ? { timeZone } : {}) }).format(
      date,
    );
  const hour = () => Number(of({ hour: '2-digit', hourCycle: 'h23' }));
  const two = (value: number | string) => String(value).padStart(2, '0');
  const tokens: Readonly<Record<string, () => string>> = {
    YYYY: () => of({ year: 'numeric' }),
    YY: () => of({ year: '2-digit' }),
    MMMM: () => of({ month: 'long' }),
    MMM: () => of({ month: 'short' }),
    MM: () => of({ month: '2-digit' }),
    M: () => of({ month: 'numeric' }),
    DD: () => two(of({ day: 'numeric' })),
    D: () => of({ day: 'numeric' }),
    Do: () => ordinal(Number(of({ day: 'numeric' }))),
    dddd: () => of({ weekday: 'long' }),
    ddd: () => of({ weekday: 'short' }),
    HH: () => two(hour()),
    H: () => String(hour()),
    hh: () => two(hour() % 12 || 12),
    h: () => String(hour() % 12 || 12),
    mm: () => two(of({ minute: 'numeric' })),
    m: () => of({ minute: 'numeric' }),
    ss: () => two(of({ second: 'numeric' })),
    s: () => of({ second: 'numeric' }),
    SSS: () => String(date.getUTCMilliseconds()).padStart(3, '0'),
    A: () => (hour() < 12 ? 'AM' : 'PM'),
    a: () => (hour() < 12 ? 'am' : 'pm'),
    X: () => String(Math.floor(ms / 1000)),
    x: () => String(ms),
    Z: () => of({ timeZoneName: 'longOffset' }).replace(/^.*GMT/, '') || '+00:00',
  };
  return (token) => tokens[token]();
}

function ordinal(day: number): string {
  const ends = ['th', 'st', 'nd', 'rd'];
  const rest = day % 100;
  return `${day}${ends[(rest - 20) % 10] ?? ends[rest] ?? ends[0]}`;
}

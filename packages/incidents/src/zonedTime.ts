/** Wall clocks of the world: an instant's date and time in an IANA time zone, and back. */

const DAY_MS = 86_400_000;

export interface LocalTime {
  /** Days since 1970-01-01 of the local date. */
  readonly day: number;
  /** 0 to 1439. */
  readonly minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether a name is one that `localTime` knows. */
export function isTimeZone(name: string): boolean {
  try {
    return formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

export function localTime(ms: number, timeZone: string): LocalTime {
  const local = localMs(ms, timeZone);
  const day = Math.floor(local / DAY_MS);
  return { day, minute: Math.floor((local - day * DAY_MS) / 60_000) };
}

/**
 * The instant of a local date and time. Of a time that a change of clocks skips, the one as much
 * later; of one that comes twice, the first.
 */
export function instantOf(day: number, minute: number, timeZone: string): number {
  const wanted = day * DAY_MS + minute * 60_000;
  // The offset is that of an instant, which is what is looked for: those around it are tried.
  const offsets = [-DAY_MS, DAY_MS].map((more) => localMs(wanted + more, timeZone) - wanted - more);
  const fitting = offsets
    .map((offset) => wanted - offset)
    .filter((ms) => localMs(ms, timeZone) === wanted);
  return fitting.length > 0 ? Math.min(...fitting) : wanted - offsets[0];
}

/** The local date and time, as if it were UTC. */
function localMs(ms: number, timeZone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(ms)) parts[type] = Number(value);
  const { year, month, day, hour, minute, second } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** Go's time layouts: `2006-01-02 15:04:05` shows which part goes where. */
import type { GoTime } from './values.ts';

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const WEEKDAYS = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
];

/** The parts of a layout. */
export const LAYOUT =
  /January|Jan|Monday|Mon|MST|2006|Z07:00:00|Z07:00|Z0700|Z07|-07:00:00|-07:00|-0700|-07|01|02|03|04|05|06|002|_2|15|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5/g;

interface ClockParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ms: number;
  readonly offsetMinutes: number;
  readonly zoneName: string;
}

interface Parts extends ClockParts {
  readonly restNs: number;
}

/** The time in a layout, as time.Format gives it. */
export function formatTime(layout: string, time: GoTime): string {
  const parts = { ...partsOf(time.ms, time.zone), restNs: time.restNs };
  return layout.replace(LAYOUT, (token) => formatToken(token, parts));
}

/** Whether an IANA zone name is known. */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function partsOf(ms: number, zone: string): ClockParts {
  const offsetMinutes = zone === 'UTC' ? 0 : zoneOffsetMinutes(ms, zone);
  const local = new Date(ms + offsetMinutes * 60_000);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth(),
    day: local.getUTCDate(),
    weekday: local.getUTCDay(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    ms: local.getUTCMilliseconds(),
    offsetMinutes,
    zoneName: zone === 'UTC' ? 'UTC' : zoneNameOf(ms, zone),
  };
}

function zoneOffsetMinutes(ms: number, zone: string): number {
  const text = intlPart(ms, zone, 'longOffset');
  const match = /GMT([+-])(\d\d):(\d\d)/.exec(text);
  if (match === null) return 0;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

/** The zone's abbreviation where it has one, otherwise its offset, as Go shows it. */
function zoneNameOf(ms: number, zone: string): string {
  const known: Readonly<Record<string, string>> = { 'Asia/Seoul': 'KST', 'Asia/Tokyo': 'JST' };
  if (known[zone] !== undefined) return known[zone];
  const name = intlPart(ms, zone, 'short');
  return name.startsWith('GMT+') || name.startsWith('GMT-') ? name.slice(3) : name;
}

function intlPart(ms: number, zone: string, style: 'longOffset' | 'short'): string {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: style });
  return format.formatToParts(ms).find((part) => part.type === 'timeZoneName')?.value ?? '';
}

function formatToken(token: string, parts: Parts): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const hour12 = parts.hour % 12 === 0 ? 12 : parts.hour % 12;
  switch (token) {
    case '2006':
      return String(parts.year).padStart(4, '0');
    case '06':
      return two(parts.year % 100);
    case 'January':
      return MONTHS[parts.month];
    case 'Jan':
      return MONTHS[parts.month].slice(0, 3);
    case '01':
      return two(parts.month + 1);
    case '1':
      return String(parts.month + 1);
    case 'Monday':
      return WEEKDAYS[parts.weekday];
    case 'Mon':
      return WEEKDAYS[parts.weekday].slice(0, 3);
    case '02':
      return two(parts.day);
    case '_2':
      return String(parts.day).padStart(2, ' ');
    case '2':
      return String(parts.day);
    case '15':
      return two(parts.hour);
    case '03':
      return two(hour12);
    case '3':
      return String(hour12);
    case '04':
      return two(parts.minute);
    case '4':
      return String(parts.minute);
    case '05':
      return two(parts.second);
    case '5':
      return String(parts.second);
    case 'PM':
      return parts.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return parts.hour >= 12 ? 'pm' : 'am';
    case 'MST':
      return parts.zoneName;
    case '002':
      return dayOfYear(parts);
    default:
      return token.startsWith('.') || token.startsWith(',')
        ? fraction(token, parts)
        : offset(token, parts);
  }
}

function dayOfYear(parts: Parts): string {
  const day = Date.UTC(parts.year, parts.month, parts.day) - Date.UTC(parts.year, 0, 1);
  return String(day / 86_400_000 + 1).padStart(3, '0');
}

/** `.000` keeps its zeros, `.999` drops them. */
function fraction(token: string, parts: Parts): string {
  const digits =
    String(parts.ms).padStart(3, '0') +
    String(parts.restNs).padStart(6, '0').padEnd(token.length, '0');
  const cut = digits.slice(0, token.length - 1);
  if (token[1] === '0') return token[0] + cut;
  const trimmed = cut.replace(/0+$/, '');
  return trimmed === '' ? '' : token[0] + trimmed;
}

function offset(token: string, parts: Parts): string {
  const minutes = Math.abs(parts.offsetMinutes);
  if (token.startsWith('Z') && minutes === 0) return 'Z';
  const sign = parts.offsetMinutes < 0 ? '-' : '+';
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0');
  const rest = String(minutes % 60).padStart(2, '0');
  const shape = token.slice(1);
  if (shape === '07') return sign + hours;
  const seconds = shape.endsWith(':00:00') ? ':00' : '';
  return shape.includes(':') ? `${sign}${hours}:${rest}${seconds}` : `${sign}${hours}${rest}`;
}

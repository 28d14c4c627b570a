/** A time read by a layout of Go's, as time.Parse does: `2006-01-02` shows which part is where. */
import { LAYOUT, MONTHS, WEEKDAYS } from './goTime.ts';

/** What a part of a layout looks like in a text. */
const PATTERNS: Readonly<Record<string, string>> = {
  '2006': '\\d{4}',
  '06': '\\d{2}',
  '01': '\\d{2}',
  '1': '\\d{1,2}',
  '02': '\\d{2}',
  _2: '[ \\d]\\d',
  '2': '\\d{1,2}',
  '002': '\\d{3}',
  '15': '\\d{2}',
  '03': '\\d{2}',
  '3': '\\d{1,2}',
  '04': '\\d{2}',
  '4': '\\d{1,2}',
  '05': '\\d{2}',
  '5': '\\d{1,2}',
  PM: '[AP]M',
  pm: '[ap]m',
  MST: '[A-Z]{3,5}|[+-]\\d{2}',
};

/** Milliseconds since 1970 in UTC; undefined where the text does not fit the layout. */
export function parseTime(layout: string, text: string): number | undefined {
  const tokens: string[] = [];
  let pattern = '';
  let at = 0;
  for (const match of layout.matchAll(LAYOUT)) {
    pattern += escaped(layout.slice(at, match.index));
    pattern += `(${patternOf(match[0])})`;
    tokens.push(match[0]);
    at = match.index + match[0].length;
  }
  pattern += escaped(layout.slice(at));
  const found = new RegExp(`^${pattern}$`, 'i').exec(text);
  if (found === null) return undefined;
  const parts = new Map(tokens.map((token, i) => [token, found[i + 1]]));
  return timeOf(parts);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function patternOf(token: string): string {
  if (token === 'January') return MONTHS.join('|');
  if (token === 'Jan') return MONTHS.map((name) => name.slice(0, 3)).join('|');
  if (token === 'Monday') return WEEKDAYS.join('|');
  if (token === 'Mon') return WEEKDAYS.map((name) => name.slice(0, 3)).join('|');
  if (/^[.,]/.test(token))
    return token[1] === '0' ? `[.,]\\d{${token.length - 1}}` : '(?:[.,]\\d+)?';
  if (/^[Z-]/.test(token)) {
    const digits = token.slice(1).replaceAll(/\d/g, '\\d');
    return token.startsWith('Z') ? `Z|[+-]${digits}` : `[+-]${digits}`;
  }
  return PATTERNS[token] ?? escaped(token);
}

function timeOf(parts: ReadonlyMap<string, string>): number | undefined {
  const number = (...tokens: string[]) => {
    const given = tokens.map((token) => parts.get(token)).find((one) => one !== undefined);
    return given === undefined ? undefined : Number(given);
  };
  const short = number('06');
  const year = number('2006') ?? (short === undefined ? 0 : short + (short < 69 ? 2000 : 1900));
  const month = number('01', '1') ?? monthOf(parts) ?? 1;
  const day = number('02', '_2', '2') ?? 1;
  const hour12 = number('03', '3');
  const isLate = /p/i.test(parts.get('PM') ?? parts.get('pm') ?? '');
  const hour = number('15') ?? (hour12 === undefined ? 0 : (hour12 % 12) + (isLate ? 12 : 0));
  const minute = number('04', '4') ?? 0;
  const second = number('05', '5') ?? 0;
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // The 31st of a month that has none.
  if (date.getUTCDate() !== day) return undefined;
  const seconds = (hour * 60 + minute) * 60 + second - offsetSeconds(parts);
  return date.getTime() + Math.round((seconds + fractionOf(parts)) * 1000);
}

function monthOf(parts: ReadonlyMap<string, string>): number | undefined {
  const name = (parts.get('January') ?? parts.get('Jan'))?.slice(0, 3).toLowerCase();
  if (name === undefined) return undefined;
  return MONTHS.findIndex((month) => month.toLowerCase().startsWith(name)) + 1;
}

function fractionOf(parts: ReadonlyMap<string, string>): number {
  const [, digits = ''] = [...parts].find(([token]) => /^[.,]/.test(token)) ?? [];
  return digits === '' ? 0 : Number(`0.${digits.slice(1)}`);
}

function offsetSeconds(parts: ReadonlyMap<string, string>): number {
  const [, offset = ''] = [...parts].find(([token]) => /^[Z-]0?7/.test(token)) ?? [];
  const match = /^([+-])(\d\d):?(\d\d)?:?(\d\d)?$/.exec(offset);
  if (match === null) return 0;
  const [, sign, hours, minutes = '0', seconds = '0'] = match;
  const all = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === '-' ? -all : all;
}

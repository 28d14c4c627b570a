/**
 * Messages of syslog: RFC 5424, and the older RFC 3164, of which every program has its own idea.
 * What cannot be read as either is a message as a whole: losing it would help nobody.
 *
 *   <34>1 2003-10-11T22:14:15.003Z host app procid msgid [id name="value"] text
 *   <34>Oct 11 22:14:15 host app[pid]: text
 */
import { parseTimeNs } from './lokiPushJson.ts';

export interface SyslogMessage {
  /** Undefined where the message tells none. */
  readonly timestampNs: bigint | undefined;
  readonly facility: string;
  readonly severity: string;
  /** '' for what the message does not tell. */
  readonly hostname: string;
  readonly app: string;
  readonly process: string;
  readonly messageId: string;
  /** Structured data: `id_name` and value. */
  readonly data: readonly (readonly [name: string, value: string])[];
  readonly text: string;
}

const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'security',
  'console',
  'solaris-cron',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
];
const SEVERITIES = [
  'emergency',
  'alert',
  'critical',
  'error',
  'warning',
  'notice',
  'informational',
  'debug',
];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** user.notice, as RFC 3164 has it for a message that does not say. */
const PRIORITY_DEFAULT = 13;
const PRIORITY_MAX = 191;
const DATA_COUNT_MAX = 64;

const PRIORITY = /^<(\d{1,3})>/;
const HEADER_5424 = /^1 (\S{1,64}) (\S{1,255}) (\S{1,255}) (\S{1,255}) (\S{1,255}) ?/;
const TIME_3164 = '([A-Z][a-z]{2}) {1,2}(\\d{1,2}) (\\d\\d):(\\d\\d):(\\d\\d)(?:\\.\\d+)?';
/** Newer programs write their time as RFC 3339. */
const HEADER_3164 = new RegExp(`^(?:${TIME_3164}|(\\d{4}-\\d\\d-\\d\\dT\\S{8,32})) (\\S{1,255}) `);
const TAG = /^([^\s:[\]]{1,128})(?:\[([^\]\s]{1,128})\])?: ?/;
const ELEMENT = /\[([^\s\]="]{1,128})((?: [^\s\]="]{1,128}="(?:[^"\\\]]|\\.)*")*)\]/y;
const PARAMETER = / ([^\s\]="]+)="((?:[^"\\\]]|\\.)*)"/g;

/** `nowMs` tells the year of times that have none; they are read as UTC. */
export function parseSyslog(given: string, nowMs: number): SyslogMessage {
  const priority = PRIORITY.exec(given);
  const number = Number(priority?.[1] ?? PRIORITY_DEFAULT);
  const isValid = priority !== null && number <= PRIORITY_MAX;
  const text = isValid ? given.slice(priority[0].length) : given;
  const value = isValid ? number : PRIORITY_DEFAULT;
  const levels = { facility: FACILITIES[value >> 3], severity: SEVERITIES[value & 7] };
  const header = isValid ? HEADER_5424.exec(text) : null;
  if (header !== null) return { ...levels, ...modern(header, text.slice(header[0].length)) };
  return { ...levels, ...old(text, nowMs) };
}

type Rest = Omit<SyslogMessage, 'facility' | 'severity'>;

function modern(header: RegExpExecArray, rest: string): Rest {
  const [, time, ...names] = header;
  const [hostname, app, process, messageId] = names.map((name) => (name === '-' ? '' : name));
  const { data, length } = structuredData(rest);
  // A byte order mark says that the text is UTF-8.
  const text = rest.slice(length).replace(/^ ?\ufeff?/, '');
  return { timestampNs: parseTimeNs(time), hostname, app, process, messageId, data, text };
}

function structuredData(text: string): { data: [string, string][]; length: number } {
  const data: [string, string][] = [];
  if (text.startsWith('-')) return { data, length: 1 };
  let length = 0;
  for (;;) {
    ELEMENT.lastIndex = length;
    const element = ELEMENT.exec(text);
    if (element === null) return { data, length };
    length += element[0].length;
    for (const [, name, value] of element[2].matchAll(PARAMETER)) {
      if (data.length >= DATA_COUNT_MAX) break;
      data.push([`${element[1]}_${name}`, value.replace(/\\(["\\\]])/g, '$1')]);
    }
  }
}

function old(given: string, nowMs: number): Rest {
  const header = HEADER_3164.exec(given);
  const rest = header === null ? given : given.slice(header[0].length);
  const tag = TAG.exec(rest);
  return {
    timestampNs: header === null ? undefined : timeOf(header, nowMs),
    hostname: header?.[7] ?? '',
    app: tag?.[1] ?? '',
    process: tag?.[2] ?? '',
    messageId: '',
    data: [],
    text: tag === null ? rest : rest.slice(tag[0].length),
  };
}

function timeOf(header: RegExpExecArray, nowMs: number): bigint | undefined {
  if (header[6] !== undefined) return parseTimeNs(header[6]);
  const month = MONTHS.indexOf(header[1]);
  if (month < 0) return undefined;
  const [day, hour, minute, second] = header.slice(2, 6).map(Number);
  const year = new Date(nowMs).getUTCFullYear();
  const at = (which: number) => Date.UTC(which, month, day, hour, minute, second);
  // In January a message of December is of last year.
  const ms = at(year) - nowMs > DAY_MS ? at(year - 1) : at(year);
  return BigInt(ms) * 1_000_000n;
}

const DAY_MS = 86_400_000;

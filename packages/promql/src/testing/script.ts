/** The language of Prometheus' promqltest: load, clear and eval commands, as plain data. */
import { TytoError } from '@tyto/base';
import { parseDurationSeconds, parseNumber, unquote } from '@tyto/syntax';
import { type NotedSeries, parseSeries } from './seriesNotation.ts';

export interface LoadCommand {
  readonly kind: 'load';
  readonly stepMs: number;
  readonly series: readonly NotedSeries[];
  /** Classic histograms are loaded as native ones with custom buckets, too. */
  readonly withCustomBuckets: boolean;
}

export type Expectation =
  | { readonly type: 'fail' | 'warn' | 'info'; readonly message: RegExp | string | undefined }
  | { readonly type: 'no_warn' | 'no_info' | 'ordered' }
  | { readonly type: 'string'; readonly text: string }
  | {
      readonly type: 'range_vector';
      readonly startMs: number;
      readonly endMs: number;
      readonly stepMs: number;
    };

export interface EvalCommand {
  readonly kind: 'eval';
  readonly line: number;
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  readonly expectations: readonly Expectation[];
  readonly series: readonly NotedSeries[];
  /** The value of a scalar result. */
  readonly scalar: number | undefined;
}

export type ScriptCommand = LoadCommand | { readonly kind: 'clear' } | EvalCommand;

const LOAD = /^load(_with_nhcb)?\s+(\S+)$/;
const INSTANT = /^eval(?:_(fail|warn|info|ordered))?\s+instant\s+(?:at\s+(\S+)\s+)?(.+)$/;
const RANGE =
  /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/;

/** Parses a script. Throws TytoError `bad_data` with the line. */
export function parseScript(text: string): ScriptCommand[] {
  const lines = text.split('\n').map((line) => line.trim());
  const commands: ScriptCommand[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    if (line === '' || line.startsWith('#')) continue;
    const start = at;
    const body: string[] = [];
    while (line !== 'clear' && at + 1 < lines.length && !endsBody(lines[at + 1])) {
      at++;
      if (!lines[at].startsWith('#')) body.push(lines[at]);
    }
    commands.push(parseCommand(line, body, start + 1));
  }
  return commands;
}

/** A command's lines end at an empty line or where the next command begins. */
function endsBody(line: string): boolean {
  return line === '' || /^(?:clear$|eval[_ ]|load[_ ])/.test(line);
}

function parseCommand(head: string, body: readonly string[], line: number): ScriptCommand {
  if (head === 'clear') return { kind: 'clear' };
  const load = LOAD.exec(head);
  if (load !== null) {
    return {
      kind: 'load',
      stepMs: timeMs(load[2]),
      series: body.map(parseSeries),
      withCustomBuckets: load[1] !== undefined,
    };
  }
  const instant = INSTANT.exec(head);
  if (instant !== null) {
    const [, mode, at = '0', query] = instant;
    return evalCommand(line, query, [timeMs(at), timeMs(at), 0], mode, body);
  }
  const range = RANGE.exec(head);
  if (range !== null) {
    const [, mode, from, to, step, query] = range;
    return evalCommand(line, query, [timeMs(from), timeMs(to), timeMs(step)], mode, body);
  }
  throw new TytoError('bad_data', `unknown command "${head}"`, { place: { line, column: 1 } });
}

function evalCommand(
  line: number,
  query: string,
  [startMs, endMs, stepMs]: readonly [number, number, number],
  mode: string | undefined,
  body: readonly string[],
): EvalCommand {
  const expectations: Expectation[] = [];
  if (mode !== undefined) expectations.push(modeExpectation(mode, body));
  const series: NotedSeries[] = [];
  let scalar: number | undefined;
  for (const text of body) {
    if (text.startsWith('expected_fail_')) continue;
    if (text.startsWith('expect ')) {
      expectations.push(parseExpectation(text.slice('expect '.length).trim()));
    } else if (/^[-+]?(\d\S*|inf|nan)$/i.test(text)) {
      scalar = signedNumber(text);
    } else {
      series.push(parseSeries(text));
    }
  }
  return { kind: 'eval', line, query, startMs, endMs, stepMs, expectations, series, scalar };
}

function modeExpectation(mode: string, body: readonly string[]): Expectation {
  if (mode === 'ordered') return { type: 'ordered' };
  let message: RegExp | string | undefined;
  for (const text of body) {
    const exact = /^expected_fail_message\s+(.+)$/.exec(text);
    const pattern = /^expected_fail_regexp\s+(.+)$/.exec(text);
    if (exact !== null) message = exact[1];
    if (pattern !== null) message = new RegExp(pattern[1]);
  }
  return { type: mode as 'fail' | 'warn' | 'info', message };
}

function parseExpectation(text: string): Expectation {
  const string = /^string\s+(.+)$/.exec(text);
  if (string !== null) return { type: 'string', text: unquote(string[1]) };
  const vector = /^range vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/.exec(text);
  if (vector !== null) {
    const [startMs, endMs, stepMs] = vector.slice(1).map(timeMs);
    return { type: 'range_vector', startMs, endMs, stepMs };
  }
  if (text === 'ordered' || text === 'no_warn' || text === 'no_info') return { type: text };
  const message = /^(fail|warn|info)(?:\s+(msg|regex):\s*(.+))?$/.exec(text);
  if (message === null) throw new TytoError('bad_data', `unknown expectation "${text}"`);
  const [, type, kind, wanted] = message;
  return {
    type: type as 'fail' | 'warn' | 'info',
    message: kind === 'regex' ? new RegExp(wanted) : wanted,
  };
}

/** A time or step: a duration, or seconds; either may have a sign. */
function timeMs(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[-+]/, '');
  const seconds = /[a-z]$/.test(digits) ? parseDurationSeconds(digits) : Number(digits);
  if (seconds === undefined || Number.isNaN(seconds)) {
    throw new TytoError('bad_data', `not a time: "${text}"`);
  }
  return Math.round(sign * seconds * 1000);
}

function signedNumber(text: string): number {
  const value = parseNumber(text.replace(/^[-+]/, '')) ?? Number.NaN;
  return text.startsWith('-') ? -value : value;
}

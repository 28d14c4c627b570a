/**
 * Test scripts of LogQL: entries to load, and queries with what they must answer. The notation is
 * told in packages/logql/suite/README.md.
 */
import { parseDuration, TytoError } from '@tyto/base';
import { Labels, type LogEntry } from '@tyto/model';
import { parseLogSelector } from '@tyto/syntax';

export interface LoadedStream {
  readonly labels: Labels;
  readonly entries: readonly LogEntry[];
}

export interface ExpectedEntry {
  readonly timestampNs: bigint;
  readonly line: string;
  /** Metadata and parsed labels together; undefined where they are not looked at. */
  readonly labels: Labels | undefined;
}

export type Evaluation =
  | { readonly kind: 'instant'; readonly timeNs: bigint }
  | {
      readonly kind: 'range';
      readonly startNs: bigint;
      readonly endNs: bigint;
      readonly stepNs: bigint;
    }
  | {
      readonly kind: 'logs';
      readonly startNs: bigint;
      readonly endNs: bigint;
      readonly limit: number;
      readonly direction: 'forward' | 'backward';
      readonly intervalNs: bigint;
    };

export type Expected =
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'scalar'; readonly value: number }
  /** A value for each step, undefined for none; of an instant query there is one. */
  | {
      readonly kind: 'series';
      readonly ordered: boolean;
      readonly series: readonly {
        readonly labels: Labels;
        readonly values: (number | undefined)[];
      }[];
    }
  | {
      readonly kind: 'streams';
      readonly streams: readonly { readonly labels: Labels; readonly entries: ExpectedEntry[] }[];
    };

export type LogqlCommand =
  | { readonly kind: 'clear' }
  | { readonly kind: 'load'; readonly streams: readonly LoadedStream[] }
  | {
      readonly kind: 'eval';
      readonly line: number;
      readonly query: string;
      readonly evaluation: Evaluation;
      readonly expected: Expected;
      /** Entries of a store of its own, for an evaluation of a single line. */
      readonly own: readonly LoadedStream[] | undefined;
    };

/** Throws TytoError `bad_data` with the line of what is not understood. */
export function parseLogqlScript(text: string): LogqlCommand[] {
  return new ScriptParser(text).parse();
}

const LINE_STREAM = Labels.of({ stream: 'line' });
const LOGS = new RegExp(
  '^logs(?: from (\\S+))?(?: to (\\S+))?(?: limit (\\d+))?( forward)?' +
    '(?: interval (\\S+))? (.*)$',
);
const DAY_NS = 86_400_000_000_000n;

class ScriptParser {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split('\n');
  }

  parse(): LogqlCommand[] {
    const commands: LogqlCommand[] = [];
    for (; this.#at < this.#lines.length; ) {
      const line = this.#lines[this.#at];
      if (isBlank(line)) this.#at++;
      else commands.push(this.#command(line.trim()));
    }
    return commands;
  }

  #command(line: string): LogqlCommand {
    const at = this.#at++;
    if (line === 'clear') return { kind: 'clear' };
    if (line === 'load') return { kind: 'load', streams: this.#streams().map(loaded) };
    const failing = line.startsWith('eval_fail ');
    if (!failing && !line.startsWith('eval ')) throw this.#problem('no command', at);
    const rest = line.slice(line.indexOf(' ') + 1);
    if (rest.startsWith('line ')) return this.#evalLine(rest.slice(5), at, failing);
    const { evaluation, query } = this.#evaluation(rest, at);
    const expected = failing ? this.#error() : this.#expected(evaluation);
    return { kind: 'eval', line: at + 1, query, evaluation, expected, own: undefined };
  }

  #problem(reason: string, at = this.#at): TytoError {
    return new TytoError('bad_data', `line ${at + 1}: ${reason}: ${this.#lines[at]}`);
  }

  #error(): Expected {
    return { kind: 'error', message: this.#indented()[0]?.trim() ?? '' };
  }

  #evaluation(text: string, at: number): { evaluation: Evaluation; query: string } {
    const instant = /^instant at (\S+) (.*)$/.exec(text);
    if (instant !== null) {
      const evaluation: Evaluation = { kind: 'instant', timeNs: durationNs(instant[1]) };
      return { evaluation, query: instant[2] };
    }
    const range = /^range from (\S+) to (\S+) step (\S+) (.*)$/.exec(text);
    if (range !== null) {
      const [startNs, endNs, stepNs] = range.slice(1, 4).map(durationNs);
      return { evaluation: { kind: 'range', startNs, endNs, stepNs }, query: range[4] };
    }
    const logs = LOGS.exec(text);
    if (logs === null) throw this.#problem('no evaluation', at);
    const [, start, end, limit, forward, interval, query] = logs;
    const evaluation: Evaluation = {
      kind: 'logs',
      startNs: start === undefined ? 0n : durationNs(start),
      endNs: end === undefined ? DAY_NS : durationNs(end),
      limit: Number(limit ?? 100),
      direction: forward === undefined ? 'backward' : 'forward',
      intervalNs: interval === undefined ? 0n : durationNs(interval),
    };
    return { evaluation, query };
  }

  /** ``eval line `text` {metadata} stages``, with `=>` and the line and labels that come out. */
  #evalLine(text: string, at: number, failing: boolean): LogqlCommand {
    const [line, afterLine] = takeText(text);
    const [metadata, stages] = takeLabels(afterLine);
    const entry = { timestampNs: 1_000_000_000n, line, metadata: metadata ?? Labels.empty };
    const { evaluation } = this.#evaluation('logs x', at);
    return {
      kind: 'eval',
      line: at + 1,
      query: `{stream="line"} ${stages.trim()}`,
      evaluation,
      expected: failing ? this.#error() : this.#lineExpected(at),
      own: [{ labels: LINE_STREAM, entries: [entry] }],
    };
  }

  #lineExpected(at: number): Expected {
    const wanted = this.#indented()[0]?.trim() ?? '';
    if (wanted === '=> nothing') return { kind: 'streams', streams: [] };
    if (!wanted.startsWith('=> ')) throw this.#problem('nothing is expected', at);
    const [line, rest] = takeText(wanted.slice(3));
    const [labels] = takeLabels(rest);
    const entry = { timestampNs: 1_000_000_000n, line, labels };
    return { kind: 'streams', streams: [{ labels: LINE_STREAM, entries: [entry] }] };
  }

  #expected(evaluation: Evaluation): Expected {
    if (evaluation.kind === 'logs') {
      const streams = this.#streams().map(({ labels, entries }) => ({
        labels,
        entries: entries.map(({ timestampNs, line, labels: own }) => ({
          timestampNs,
          line,
          labels: own,
        })),
      }));
      return { kind: 'streams', streams };
    }
    const lines = this.#indented();
    const ordered = lines[0]?.trim() === 'ordered';
    const series = (ordered ? lines.slice(1) : lines).map((line) => {
      const [labels, rest] = takeLabels(line.trim());
      if (labels === undefined && lines.length > 1) throw this.#problem('no labels');
      return { labels, values: rest.trim().split(/\s+/).flatMap(valuesOf) };
    });
    const [only] = series;
    if (series.length === 1 && only.labels === undefined) {
      return { kind: 'scalar', value: only.values[0] ?? Number.NaN };
    }
    return {
      kind: 'series',
      ordered,
      series: series.map(({ labels = Labels.empty, values }) => ({ labels, values })),
    };
  }

  /** Indented lines that follow. */
  #indented(): string[] {
    const lines: string[] = [];
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at];
      if (!line.startsWith(' ')) break;
      if (!isBlank(line)) lines.push(line);
    }
    return lines;
  }

  #streams(): { labels: Labels; entries: ReadEntry[] }[] {
    const streams: { labels: Labels; entries: ReadEntry[] }[] = [];
    for (const line of this.#indented()) {
      const text = line.trim();
      if (text.startsWith('{'))
        streams.push({ labels: takeLabels(text)[0] ?? Labels.empty, entries: [] });
      else streams.at(-1)?.entries.push(...entriesOf(text));
    }
    return streams;
  }
}

interface ReadEntry {
  readonly timestampNs: bigint;
  readonly line: string;
  readonly labels: Labels | undefined;
}

function loaded({ labels, entries }: { labels: Labels; entries: ReadEntry[] }): LoadedStream {
  return {
    labels,
    entries: entries.map(({ timestampNs, line, labels: metadata = Labels.empty }) => ({
      timestampNs,
      line,
      metadata,
    })),
  };
}

/** ``10s `line` {a="b"}``, or ``10s to 1m every 10s `line $i` ``, whose ends are both included. */
function entriesOf(text: string): ReadEntry[] {
  const match = /^(\S+)(?: to (\S+) every (\S+))? (.*)$/.exec(text);
  if (match === null) throw new TytoError('bad_data', `no entry: ${text}`);
  const [, start, end, step, rest] = match;
  const [line, afterLine] = takeText(rest);
  const [labels] = takeLabels(afterLine);
  const startNs = durationNs(start);
  if (end === undefined || step === undefined) return [{ timestampNs: startNs, line, labels }];
  const entries: ReadEntry[] = [];
  const [endNs, stepNs] = [durationNs(end), durationNs(step)];
  for (let timestampNs = startNs; timestampNs <= endNs; timestampNs += stepNs) {
    const index = String(entries.length);
    const own = labels === undefined ? undefined : numbered(labels, index);
    entries.push({ timestampNs, line: line.replaceAll('$i', index), labels: own });
  }
  return entries;
}

function numbered(labels: Labels, index: string): Labels {
  return Labels.fromEntries(
    [...labels.entries()].map(([name, value]) => [name, value.replaceAll('$i', index)]),
  );
}

function durationNs(text: string): bigint {
  const ns = /^(\d+)ns$/.exec(text);
  if (ns !== null) return BigInt(ns[1]);
  const ms = parseDuration(text);
  if (ms === undefined) throw new TytoError('bad_data', `no duration: ${text}`);
  return BigInt(ms) * 1_000_000n;
}

/** A text in backticks or quotes at the beginning, and what follows it. */
function takeText(text: string): [value: string, rest: string] {
  const raw = /^\s*`([^`]*)`/.exec(text);
  if (raw !== null) return [raw[1], text.slice(raw[0].length)];
  const quoted = /^\s*"(?:[^"\\]|\\.)*"/.exec(text);
  if (quoted === null) throw new TytoError('bad_data', `no text in quotes: ${text}`);
  return [JSON.parse(quoted[0]), text.slice(quoted[0].length)];
}

/** Labels in braces at the beginning, where there are any, and what follows them. */
function takeLabels(text: string): [labels: Labels | undefined, rest: string] {
  const found = /^\s*\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}/.exec(text);
  if (found === null) return [undefined, text];
  const rest = text.slice(found[0].length);
  if (/^\s*\{\s*\}$/.test(found[0])) return [Labels.empty, rest];
  const matchers = parseLogSelector(`{_=~".+",${found[0].trim().slice(1)}`).slice(1);
  return [Labels.fromEntries(matchers.map(({ name, value }) => [name, value])), rest];
}

/** `3`, `_` for nothing, `5x4` for a value that comes four times. */
function valuesOf(text: string): (number | undefined)[] {
  if (text === '') return [];
  const [value, count = '1'] = text.split('x');
  const number = value === '_' ? undefined : Number(value.replace('Inf', 'Infinity'));
  return Array.from({ length: Number(count) }, () => number);
}

function isBlank(line: string): boolean {
  return /^\s*(?:#|$)/.test(line);
}

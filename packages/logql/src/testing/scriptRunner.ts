/** Runs test scripts of LogQL over a store, and says how each query fared. */
import { errorMessage, ManualClock } from '@tyto/base';
import { compareLabels, Labels, type LogStore } from '@tyto/model';
import { LogqlEngine } from '../engine.ts';
import type { LogqlStream, LogqlValue } from '../results.ts';
import { type Expected, type LogqlCommand, parseLogqlScript } from './script.ts';

export interface LogqlOutcome {
  /** Of the script. */
  readonly line: number;
  readonly query: string;
  /** What is not as it should be; undefined where all is. */
  readonly problem: string | undefined;
}

const TENANT = 'suite';
/** 2024-05-01T12:00:00Z, which `now` tells in templates. */
const NOW_MS = 1_714_564_800_000;
const PRECISION = 1e-9;

/** `openStore` gives an empty store; it is asked for one at each `clear`, too. */
export async function runLogqlScript(
  text: string,
  openStore: () => Promise<LogStore>,
): Promise<LogqlOutcome[]> {
  const outcomes: LogqlOutcome[] = [];
  let store = await openStore();
  for (const command of parseLogqlScript(text)) {
    if (command.kind === 'clear') store = await openStore();
    else if (command.kind === 'load') await store.append(TENANT, command.streams);
    else {
      const own = command.own === undefined ? store : await openStore();
      if (command.own !== undefined) await own.append(TENANT, command.own);
      const { line, query } = command;
      outcomes.push({ line, query, problem: await problemOf(command, own) });
    }
  }
  return outcomes;
}

async function problemOf(
  command: LogqlCommand & { readonly kind: 'eval' },
  store: LogStore,
): Promise<string | undefined> {
  const { expected } = command;
  try {
    const value = await evaluate(command, store);
    if (expected.kind === 'error') return `expected to fail with: ${expected.message}`;
    return difference(expected, value, stepTimes(command));
  } catch (error) {
    const message = errorMessage(error);
    if (expected.kind !== 'error') return `failed: ${message}`;
    return message.includes(expected.message) ? undefined : `failed otherwise: ${message}`;
  }
}

async function evaluate(
  { query, evaluation }: LogqlCommand & { readonly kind: 'eval' },
  store: LogStore,
): Promise<LogqlValue> {
  const engine = new LogqlEngine({ store, clock: new ManualClock(NOW_MS) });
  const common = { tenant: TENANT, query, limit: 100, direction: 'backward' } as const;
  switch (evaluation.kind) {
    case 'instant':
      return (await engine.instant({ ...common, ...evaluation })).value;
    case 'range':
      return (await engine.range({ ...common, ...evaluation, intervalNs: 0n })).value;
    case 'logs':
      return (await engine.range({ ...common, ...evaluation, stepNs: 1_000_000_000n })).value;
  }
}

function stepTimes({ evaluation }: LogqlCommand & { readonly kind: 'eval' }): number[] {
  if (evaluation.kind !== 'range') return [];
  const { startNs, endNs, stepNs } = evaluation;
  const times: number[] = [];
  for (let at = startNs; at <= endNs; at += stepNs) times.push(Number(at / 1_000_000n));
  return times;
}

function difference(
  expected: Exclude<Expected, { kind: 'error' }>,
  value: LogqlValue,
  times: readonly number[],
): string | undefined {
  const [wanted, got] = [textOfExpected(expected), textOfValue(value, times, expected)];
  return wanted === got ? undefined : `expected\n${wanted}\nbut got\n${got}`;
}

function textOfExpected(expected: Exclude<Expected, { kind: 'error' }>): string {
  switch (expected.kind) {
    case 'scalar':
      return shownNumber(expected.value);
    case 'series': {
      const lines = expected.series.map(({ labels, values }) => ({
        labels,
        text: `${labels} ${values.map(shownNumber).join(' ')}`,
      }));
      return inOrder(lines, expected.ordered);
    }
    case 'streams': {
      const shown = expected.streams.map(({ labels, entries }) => ({
        labels,
        text: [`${labels}`, ...entries.map(shownEntry)].join('\n  '),
      }));
      return inOrder(shown, false);
    }
  }
}

function textOfValue(value: LogqlValue, times: readonly number[], expected: Expected): string {
  switch (value.type) {
    case 'scalar':
      return shownNumber(value.sample.value);
    case 'vector': {
      const lines = value.samples.map(({ labels, value: number }) => ({
        labels,
        text: `${labels} ${shownNumber(number)}`,
      }));
      return inOrder(lines, expected.kind === 'series' && expected.ordered);
    }
    case 'matrix': {
      const lines = value.series.map(({ labels, samples }) => {
        const at = new Map(samples.map(({ timestampMs, value: number }) => [timestampMs, number]));
        return {
          labels,
          text: `${labels} ${times.map((ms) => shownNumber(at.get(ms))).join(' ')}`,
        };
      });
      return inOrder(lines, false);
    }
    case 'streams':
      return textOfStreams(value.streams, expected);
  }
}

/** Labels of entries are shown where the script tells them. */
function textOfStreams(streams: readonly LogqlStream[], expected: Expected): string {
  const wanted = expected.kind === 'streams' ? expected.streams : [];
  const shown = streams.map(({ labels, entries }) => {
    const own = wanted.find((stream) => stream.labels.equals(labels))?.entries ?? [];
    const lines = entries.map(({ timestampNs, line, metadata, parsed }, i) => {
      const looksAtLabels = own[i] === undefined || own[i].labels !== undefined;
      const all = Labels.fromEntries([...metadata.entries(), ...parsed.entries()]);
      return shownEntry({ timestampNs, line, labels: looksAtLabels ? all : undefined });
    });
    return { labels, text: [`${labels}`, ...lines].join('\n  ') };
  });
  return inOrder(shown, false);
}

function shownEntry(entry: {
  readonly timestampNs: bigint;
  readonly line: string;
  readonly labels: Labels | undefined;
}): string {
  const labels = entry.labels === undefined ? '' : ` ${entry.labels}`;
  return `${entry.timestampNs}ns ${JSON.stringify(entry.line)}${labels}`;
}

function inOrder(lines: { labels: Labels; text: string }[], ordered: boolean): string {
  if (!ordered) lines.sort((a, b) => compareLabels(a.labels, b.labels));
  return lines.map(({ text }) => text).join('\n');
}

/** A number to a precision that the order of additions does not change. */
function shownNumber(value: number | undefined): string {
  if (value === undefined) return '_';
  return Number.isFinite(value)
    ? String(Number(value.toPrecision(Math.round(-Math.log10(PRECISION)))))
    : String(value);
}

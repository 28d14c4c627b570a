/** Runs promqltest scripts against the engine over any store, and says what came out otherwise. */
import { errorMessage } from '@tyto/base';
import type { FloatHistogram, MetricStore, QueryResult } from '@tyto/model';
import { type EngineOptions, QueryEngine } from '../engine.ts';
import { detectReset, withHint } from '../histograms/arithmetic.ts';
import { compareResult } from './compare.ts';
import { customBucketSeries } from './customBuckets.ts';
import { type EvalCommand, type LoadCommand, parseScript } from './script.ts';
import type { NotedValue } from './seriesNotation.ts';

/** A store for tests; its appenders may also take histograms. */
export interface ScriptStore {
  readonly store: MetricStore;
  close(): Promise<void>;
}

export interface EvalOutcome {
  readonly line: number;
  readonly query: string;
  /** What was wrong; undefined when the eval passed. */
  readonly failure: string | undefined;
}

interface HistogramAppender {
  appendHistogram(ref: number, timestampMs: number, histogram: FloatHistogram): number;
}

/** Runs all commands of a script; every `clear` opens a fresh store. */
export async function runScript(
  text: string,
  openStore: () => Promise<ScriptStore>,
  options: EngineOptions = {},
): Promise<EvalOutcome[]> {
  const outcomes: EvalOutcome[] = [];
  let current = await openStore();
  for (const command of parseScript(text)) {
    if (command.kind === 'clear') {
      await current.close();
      current = await openStore();
    } else if (command.kind === 'load') {
      await loadSeries(current.store, command);
    } else {
      const { line, query } = command;
      outcomes.push({ line, query, failure: await runEval(current.store, command, options) });
    }
  }
  await current.close();
  return outcomes;
}

/** Appends the series of a load command, in one batch. */
export async function loadSeries(store: MetricStore, command: LoadCommand): Promise<void> {
  const appender = store.appender();
  // The store keeps no start timestamps of samples.
  const given = command.series.filter(({ isStartTimestamps }) => !isStartTimestamps);
  const all = command.withCustomBuckets ? [...given, ...customBucketSeries(given)] : given;
  // Of several lines for one series the last one counts.
  const lastLine = new Map(all.map((series) => [series.labels.key, series]));
  for (const { labels, values } of lastLine.values()) {
    const ref = appender.series(labels);
    const noted = withResetHints(values);
    for (let i = 0; i < noted.length; i++) {
      const value = noted[i];
      const timestampMs = i * command.stepMs;
      if (value.kind === 'float') appender.append(ref, timestampMs, value.value);
      else if (value.kind === 'stale') appender.appendStale(ref, timestampMs);
      else if (value.kind === 'histogram' && 'appendHistogram' in appender) {
        (appender as unknown as HistogramAppender).appendHistogram(
          ref,
          timestampMs,
          value.histogram,
        );
      }
    }
  }
  await appender.commit();
}

/** Stores note on each histogram whether there was a counter reset before it. */
function withResetHints(values: readonly NotedValue[]): NotedValue[] {
  let previous: FloatHistogram | undefined;
  return values.map((value) => {
    if (value.kind === 'gap') return value;
    const before = previous;
    previous = value.kind === 'histogram' ? value.histogram : undefined;
    if (value.kind !== 'histogram' || value.histogram.counterResetHint === 'gauge') return value;
    return { ...value, histogram: withHint(value.histogram, resetHint(value.histogram, before)) };
  });
}

function resetHint(
  histogram: FloatHistogram,
  previous: FloatHistogram | undefined,
): FloatHistogram['counterResetHint'] {
  if (histogram.counterResetHint === 'reset') return 'unknown';
  if (previous === undefined || previous.counterResetHint === 'gauge') return 'unknown';
  // After a reset a store says nothing, because what came before may be gone when it is read.
  return detectReset(withHint(histogram, 'unknown'), previous) ? 'unknown' : 'not_reset';
}

async function runEval(
  store: MetricStore,
  command: EvalCommand,
  options: EngineOptions,
): Promise<string | undefined> {
  const engine = new QueryEngine(store, options);
  const { query, startMs, endMs, stepMs } = command;
  const expectedFailures = command.expectations.filter(({ type }) => type === 'fail');
  let result: QueryResult;
  try {
    result =
      stepMs === 0
        ? await engine.instant(query, startMs)
        : await engine.range(query, startMs, endMs, stepMs);
  } catch (error) {
    return judgeFailure(errorMessage(error), command);
  }
  if (expectedFailures.length > 0) return 'expected the query to fail, but it did not';
  return judgeAnnotations(result, command) ?? compareResult(result.value, command);
}

function judgeFailure(message: string, command: EvalCommand): string | undefined {
  const expected = command.expectations.filter((expectation) => expectation.type === 'fail');
  if (expected.length === 0) return `failed: ${message}`;
  for (const expectation of expected) {
    const wanted = 'message' in expectation ? expectation.message : undefined;
    if (!matches(wanted, message)) return `failed with "${message}" instead of "${wanted}"`;
  }
  return undefined;
}

function judgeAnnotations(result: QueryResult, command: EvalCommand): string | undefined {
  return judgeKind('warn', result.warnings, command) ?? judgeKind('info', result.infos, command);
}

function judgeKind(
  kind: 'warn' | 'info',
  found: readonly string[],
  { expectations }: EvalCommand,
): string | undefined {
  const wanted = expectations.filter((expectation) => expectation.type === kind);
  for (const expectation of wanted) {
    const message = 'message' in expectation ? expectation.message : undefined;
    if (!found.some((text) => matches(message, text))) {
      return `expected ${kind} "${message ?? ''}", found ${JSON.stringify(found)}`;
    }
  }
  const patterns = wanted.map((expectation) =>
    'message' in expectation ? expectation.message : undefined,
  );
  const surplus = found.find((text) => !patterns.some((pattern) => matches(pattern, text)));
  const none = expectations.some(({ type }) => type === `no_${kind}`);
  if (surplus !== undefined && (none || wanted.length > 0)) return `unexpected ${kind}: ${surplus}`;
  return undefined;
}

function matches(pattern: RegExp | string | undefined, text: string): boolean {
  if (pattern === undefined) return true;
  return typeof pattern === 'string' ? pattern === text : pattern.test(text);
}

/** Runs promqltest scripts against the engine over any store, and says what came out otherwise. */
import { errorMessage } from '@tyto/base';
import type { MetricStore, QueryResult, QueryValue } from '@tyto/model';
import { type EngineOptions, QueryEngine } from '../engine.ts';
import { compareResult } from './compare.ts';
import { customBucketSeries } from './customBuckets.ts';
import { type EvalCommand, type LoadCommand, parseScript } from './script.ts';
import { withResetHints } from './resetHints.ts';

/** A store for tests. */
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

export interface ScriptOptions extends EngineOptions {
  /** Instant queries must say the same as the middle of a range query around them. */
  readonly checkRanges?: boolean;
}

/** Runs all commands of a script; every `clear` opens a fresh store. */
export async function runScript(
  text: string,
  openStore: () => Promise<ScriptStore>,
  options: ScriptOptions = {},
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
  const given = command.series.filter(({ isStartTimestamps }) => !isStartTimestamps);
  const all = command.withCustomBuckets ? [...given, ...customBucketSeries(given)] : given;
  // Start timestamps are noted as distances from their samples' times.
  const started = command.series.filter(({ isStartTimestamps }) => isStartTimestamps);
  const offsets = new Map(started.map(({ labels, values }) => [labels.key, values]));
  // Of several lines for one series the last one counts.
  const lastLine = new Map(all.map((series) => [series.labels.key, series]));
  for (const { labels, values } of lastLine.values()) {
    const ref = appender.series(labels);
    const noted = withResetHints(values);
    const startOffsets = offsets.get(labels.key) ?? [];
    for (let i = 0; i < noted.length; i++) {
      const value = noted[i];
      const timestampMs = i * command.stepMs;
      const offset = startOffsets[i];
      const startMs = offset?.kind === 'float' ? timestampMs + offset.value : 0;
      if (value.kind === 'float') appender.append(ref, timestampMs, value.value, startMs);
      else if (value.kind === 'stale') appender.appendStale(ref, timestampMs);
      else if (value.kind === 'histogram') {
        appender.appendHistogram(ref, timestampMs, value.histogram, startMs);
      }
    }
  }
  await appender.commit();
}

async function runEval(
  store: MetricStore,
  command: EvalCommand,
  options: ScriptOptions,
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
  const failure = judgeAnnotations(result, command) ?? compareResult(result.value, command);
  if (failure !== undefined || options.checkRanges !== true || stepMs !== 0) return failure;
  return compareWithRange(engine, result.value, command);
}

const RANGE_STEP_MS = 60_000;
/** What depends on the range of the query by itself. */
const RANGE_DEPENDENT = /\b(?:start|end|step|range|sort\w*)\(/;

async function compareWithRange(
  engine: QueryEngine,
  instant: QueryValue,
  { query, startMs }: EvalCommand,
): Promise<string | undefined> {
  if (instant.type !== 'vector' || RANGE_DEPENDENT.test(query)) return undefined;
  let range: QueryValue;
  try {
    const [fromMs, toMs] = [startMs - RANGE_STEP_MS, startMs + RANGE_STEP_MS];
    range = (await engine.range(query, fromMs, toMs, RANGE_STEP_MS)).value;
  } catch (error) {
    return `as a range query: ${errorMessage(error)}`;
  }
  if (range.type !== 'matrix') return 'a range query yields a matrix';
  const found = new Map<string, string>();
  for (const { labels, timestamps, values, histograms } of range.series) {
    const index = timestamps.indexOf(startMs);
    const histogram = histograms?.find(({ timestampMs }) => timestampMs === startMs)?.histogram;
    if (index >= 0) found.set(labels.key, String(values[index]));
    if (histogram !== undefined) found.set(labels.key, JSON.stringify(histogram));
  }
  for (const { labels, value, histogram } of instant.samples) {
    const wanted = histogram === undefined ? String(value) : JSON.stringify(histogram);
    const other = found.get(labels.key);
    if (other !== wanted) return `${labels}: ${wanted}, but ${other} in a range query`;
  }
  const surplus = found.size - instant.samples.length;
  return surplus === 0 ? undefined : `${surplus} more series in a range query`;
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

/**
 * Runs one test of rules: the series of the test go into a store in memory, the rules are evaluated
 * step by step, and what fires and what expressions say is compared with what the test expects.
 * Rules never see samples of a later step, as they would not in production.
 */
import { AlertingRule, RuleGroup, type RuleGroupConfig } from '@tyto/alerting';
import { errorMessage, formatDuration, ManualClock, silentLogger, TytoError } from '@tyto/base';
import { Labels, MemoryMetricStore, SampleColumns, type VectorSample } from '@tyto/model';
import {
  type NotedValue,
  parseLabels,
  parseSeries,
  parseValues,
  QueryEngine,
  withResetHints,
} from '@tyto/promql';
import type { Features } from '../../features.ts';
import { histogramText } from './histogramText.ts';
import type { AlertTest, ExpectedSample, ExprTest, TestGroup } from './testFile.ts';

export interface TestSettings {
  readonly rules: readonly RuleGroupConfig[];
  readonly evaluationIntervalMs: number;
  /** Groups in the order of their evaluation; others follow. */
  readonly groupOrder: readonly string[];
  /** Numbers may differ in their last bit. */
  readonly isFuzzy: boolean;
  /** What expressions may be written with, and how they are evaluated. */
  readonly features: Features;
}

export interface Failure {
  /** What failed, or what was wrong with the test itself. */
  readonly head: string;
  readonly expected: readonly string[];
  readonly found: readonly string[];
}

export interface TestOutcome {
  readonly failures: readonly Failure[];
  /** Everything that is in the store in the end, a line a series. */
  dump(): Promise<string[]>;
}

/** More evaluations than this are a mistyped time. */
const EVALUATIONS_MAX = 5_000_000;

const NOTHING: readonly string[] = [];

/** Never rejects for what the test or its rules say: that is a failure. */
export async function runTest(test: TestGroup, settings: TestSettings): Promise<TestOutcome> {
  const run = new TestRun(test, settings);
  try {
    await run.run();
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    run.fail(error.message);
  }
  return { failures: run.failures, dump: () => run.dump() };
}

class TestRun {
  readonly failures: Failure[] = [];
  readonly #test: TestGroup;
  readonly #settings: TestSettings;
  readonly #store = new MemoryMetricStore();
  readonly #engine: QueryEngine;
  readonly #groups: readonly RuleGroup[];
  /** Where errors of the test end the run. */
  #isOver = false;

  constructor(test: TestGroup, settings: TestSettings) {
    this.#test = test;
    this.#settings = settings;
    const { syntax, useStartTimes } = settings.features;
    this.#engine = new QueryEngine(this.#store, {
      subqueryStepMs: settings.evaluationIntervalMs,
      experimental: syntax,
      useStartTimes,
    });
    this.#groups = ordered(settings).map((config) => this.#createGroup(config));
  }

  async run(): Promise<void> {
    const { alertTests, exprTests, startMs, name } = this.#test;
    const nameless = alertTests.find(({ alertname }) => alertname === '');
    if (nameless !== undefined) {
      const place = name === '' ? '' : ` (in TestGroup ${name})`;
      const time = formatDuration(nameless.evalMs);
      const what = 'an item under alert_rule_test misses required attribute alertname';
      throw bad(`${what} at eval_time ${time}${place}`);
    }
    const { evaluationIntervalMs: stepMs } = this.#settings;
    const lastMs = Math.max(0, ...[...alertTests, ...exprTests].map(({ evalMs }) => evalMs));
    if (lastMs / stepMs > EVALUATIONS_MAX) {
      throw bad(`the test takes more than ${EVALUATIONS_MAX} evaluations; use a longer interval`);
    }
    const feed = new SeriesFeed(this.#store, this.#test);
    const waiting = [...alertTests].sort((a, b) => a.evalMs - b.evalMs);
    for (let atMs = 0; atMs <= lastMs && !this.#isOver; atMs += stepMs) {
      await feed.upTo(startMs + atMs);
      await this.#evaluate(atMs);
      while (waiting.length > 0 && waiting[0].evalMs < atMs + stepMs && !this.#isOver) {
        this.#checkAlerts(waiting[0]);
        waiting.shift();
      }
    }
    if (this.#isOver) return;
    for (const exprTest of exprTests) await this.#checkExpression(exprTest);
  }

  fail(head: string, expected = NOTHING, found = NOTHING): void {
    const { name } = this.#test;
    this.failures.push({ head: name === '' ? head : `name: ${name},\n${head}`, expected, found });
  }

  async dump(): Promise<string[]> {
    const selection = await this.#store.select({
      matchers: [],
      minTimeMs: -Infinity,
      maxTimeMs: Infinity,
    });
    const lines: string[] = [];
    for (let i = 0; i < selection.size; i++) {
      const columns = new SampleColumns();
      selection.readInto(i, columns);
      const samples = Array.from({ length: columns.length }, (_, at) => {
        const histogram = columns.histograms?.[at];
        const value = histogram === undefined ? columns.values[at] : histogramText(histogram);
        return `${columns.isStale(at) ? 'stale' : value} @[${columns.timestamps[at] / 1000}]`;
      });
      lines.push(`${selection.labels(i)} => ${samples.join(' ')}`);
    }
    return lines.sort();
  }

  #createGroup(config: RuleGroupConfig): RuleGroup {
    return new RuleGroup(
      config,
      {
        clock: new ManualClock(0),
        logger: silentLogger,
        store: this.#store,
        query: (expression, timeMs) => this.#engine.instant(expression, timeMs),
        sink: { send: () => undefined },
        externalLabels: Labels.of(this.#test.externalLabels),
        externalUrl: this.#test.externalUrl,
        evaluationIntervalMs: this.#test.intervalMs,
        queryOffsetMs: 0,
        resendDelayMs: 0,
        restore: { outageToleranceMs: 0, gracePeriodMs: 0 },
      },
      false,
    );
  }

  async #evaluate(atMs: number): Promise<void> {
    for (const group of this.#groups) {
      await group.evaluate(this.#test.startMs + atMs);
      for (const { rule, lastError } of group.rules) {
        if (lastError === '') continue;
        const name = rule instanceof AlertingRule ? rule.config.alert : rule.record;
        this.fail(`rule: ${name}, time: ${formatDuration(atMs)}, err: ${lastError}`);
        this.#isOver = true;
      }
    }
  }

  #checkAlerts({ alertname, evalMs, alerts }: AlertTest): void {
    const expected = alerts.map(({ labels, annotations }) =>
      alertText(Labels.of(labels), Labels.of(annotations)),
    );
    const found = this.#groups
      .flatMap((group) => group.rules.map(({ rule }) => rule))
      .filter((rule) => rule instanceof AlertingRule)
      .filter((rule) => rule.config.alert === alertname)
      .flatMap((rule) => rule.alerts().filter(({ state }) => state === 'firing'))
      .map(({ labels, annotations }) => alertText(labels, annotations));
    expected.sort();
    found.sort();
    if (expected.join('\n') === found.join('\n') && expected.length === found.length) return;
    const head = `alertname: ${alertname}, time: ${formatDuration(evalMs)},`;
    this.fail(head, expected, found);
  }

  async #checkExpression({ expr, evalMs, samples }: ExprTest): Promise<void> {
    const head = `expr: ${JSON.stringify(expr)}, time: ${formatDuration(evalMs)},`;
    try {
      const timeMs = this.#test.startMs + evalMs;
      const { value } = await this.#engine.instant(expr, timeMs);
      const found = vectorOf(value, timeMs).map(comparable);
      const expected = samples.map(expectedSample);
      found.sort(byLabels);
      expected.sort(byLabels);
      const isSame =
        expected.length === found.length &&
        expected.every((one, i) => isEqual(one, found[i], this.#settings.isFuzzy));
      if (!isSame) this.fail(head, expected.map(sampleText), found.map(sampleText));
    } catch (error) {
      if (!(error instanceof TytoError)) throw error;
      this.fail(`${head} err: ${errorMessage(error)}`);
    }
  }
}

interface FedSeries {
  readonly ref: number;
  readonly values: readonly NotedValue[];
  /** Since when each sample counts, as distances from its time. */
  readonly startOffsets: readonly NotedValue[];
  at: number;
}

/** Appends the samples of a test's series as their time comes. */
class SeriesFeed {
  readonly #store: MemoryMetricStore;
  readonly #series: FedSeries[];
  readonly #test: TestGroup;

  constructor(store: MemoryMetricStore, test: TestGroup) {
    this.#store = store;
    this.#test = test;
    const lines = test.series.map(({ series, values }) => parseSeries(`${series} ${values}`));
    const started = lines.filter(({ isStartTimestamps }) => isStartTimestamps);
    const offsets = new Map(started.map(({ labels, values }) => [labels.key, values]));
    // Of several lines for one series the last one counts.
    const given = lines.filter(({ isStartTimestamps }) => !isStartTimestamps);
    const byKey = new Map(given.map((line) => [line.labels.key, line]));
    const appender = store.appender();
    this.#series = [...byKey.values()].map(({ labels, values }) => ({
      ref: appender.series(labels),
      values: withResetHints(values),
      startOffsets: offsets.get(labels.key) ?? [],
      at: 0,
    }));
  }

  async upTo(timeMs: number): Promise<void> {
    const { startMs, intervalMs } = this.#test;
    for (const series of this.#series) {
      const appender = this.#store.appender();
      for (; series.at < series.values.length; series.at++) {
        const sampleMs = startMs + series.at * intervalMs;
        if (sampleMs > timeMs) break;
        const value = series.values[series.at];
        const offset = series.startOffsets[series.at];
        const sinceMs = offset?.kind === 'float' ? sampleMs + offset.value : 0;
        if (value.kind === 'float') appender.append(series.ref, sampleMs, value.value, sinceMs);
        else if (value.kind === 'stale') appender.appendStale(series.ref, sampleMs);
        else if (value.kind === 'histogram') {
          appender.appendHistogram(series.ref, sampleMs, value.histogram, sinceMs);
        }
      }
      await appender.commit();
    }
  }
}

/** Named groups in the order of their names in the test, and the rest in that of the files. */
function ordered({ rules, groupOrder }: TestSettings): RuleGroupConfig[] {
  const rank = (name: string) => {
    const index = groupOrder.indexOf(name);
    return index < 0 ? groupOrder.length : index;
  };
  return [...rules].sort((a, b) => rank(a.name) - rank(b.name));
}

function alertText(labels: Labels, annotations: Labels): string {
  return `Labels:${labels}\nAnnotations:${annotations}`;
}

interface ComparedSample {
  readonly labels: Labels;
  readonly value: number;
  /** '' where the value is a float. */
  readonly histogram: string;
}

function vectorOf(
  value: Awaited<ReturnType<QueryEngine['instant']>>['value'],
  timestampMs: number,
): readonly VectorSample[] {
  if (value.type === 'vector') return value.samples;
  if (value.type === 'scalar') return [{ labels: Labels.empty, timestampMs, value: value.value }];
  throw new TytoError('execution', 'rule result is not a vector or scalar');
}

function comparable({ labels, value, histogram }: VectorSample): ComparedSample {
  return histogram === undefined
    ? { labels, value, histogram: '' }
    : { labels, value: 0, histogram: histogramText(histogram) };
}

function expectedSample({ labels, value, histogram }: ExpectedSample): ComparedSample {
  const parsed = parseLabels(labels);
  if (histogram === '') return { labels: parsed, value, histogram };
  const values = parseValues(histogram);
  const [first] = values;
  if (values.length !== 1 || first.kind !== 'histogram') {
    throw bad(`labels ${JSON.stringify(labels)}: expected one histogram, found "${histogram}"`);
  }
  return { labels: parsed, value: 0, histogram: histogramText(first.histogram) };
}

function byLabels(a: ComparedSample, b: ComparedSample): number {
  return a.labels.key < b.labels.key ? -1 : a.labels.key > b.labels.key ? 1 : 0;
}

function isEqual(a: ComparedSample, b: ComparedSample, isFuzzy: boolean): boolean {
  if (!a.labels.equals(b.labels) || a.histogram !== b.histogram) return false;
  if (Object.is(a.value, b.value) || a.value === b.value) return true;
  return isFuzzy && areNeighbours(a.value, b.value);
}

/** Whether no float lies between two of equal sign. */
function areNeighbours(a: number, b: number): boolean {
  const bits = new BigInt64Array(new Float64Array([a, b]).buffer);
  const distance = bits[0] - bits[1];
  return Math.sign(a) === Math.sign(b) && (distance === 1n || distance === -1n);
}

function sampleText({ labels, value, histogram }: ComparedSample): string {
  return `${labels} ${histogram === '' ? value : histogram}`;
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}

/** The smallest store that keeps the contract: for tests, and as the yardstick of the real one. */
import { TytoError } from '@tyto/base';
import type { Exemplar, SeriesExemplars } from './exemplar.ts';
import { type Labels, METRIC_NAME } from './labels.ts';
import { matchesAll } from './matcher.ts';
import {
  APPENDED,
  type AppendResult,
  DUPLICATE,
  type ExemplarRequest,
  type LabelRequest,
  type Limited,
  type MetricAppender,
  type MetricStore,
  OUT_OF_ORDER,
  REPEATED,
  type SelectRequest,
  type SeriesRef,
  type SeriesSelection,
  UNKNOWN_SERIES,
} from './metricStore.ts';
import type { FloatHistogram } from './histogram.ts';
import { bitsOf, isStaleBits, SampleColumns } from './samples.ts';

interface MemorySeries {
  readonly labels: Labels;
  readonly columns: SampleColumns;
  readonly exemplars: Exemplar[];
}

interface PendingSample {
  readonly series: MemorySeries;
  readonly timestampMs: number;
  readonly value: number | 'stale' | FloatHistogram;
  readonly startTimeMs: number;
}

export class MemoryMetricStore implements MetricStore {
  readonly #series: MemorySeries[] = [];
  readonly #byKey = new Map<string, SeriesRef>();

  appender(): MetricAppender {
    let pending: PendingSample[] = [];
    let exemplars: [series: MemorySeries, exemplar: Exemplar][] = [];
    const append = (
      ref: SeriesRef,
      timestampMs: number,
      value: PendingSample['value'],
      startTimeMs = 0,
    ): AppendResult => {
      const series = this.#series[ref];
      if (series === undefined) return UNKNOWN_SERIES;
      const previous = pending.findLast((sample) => sample.series === series);
      const verdict = judge(series, previous, timestampMs, value);
      if (verdict === APPENDED) pending.push({ series, timestampMs, value, startTimeMs });
      return verdict;
    };
    return {
      series: (labels) => this.#resolve(labels),
      append,
      appendStale: (ref, timestampMs) => append(ref, timestampMs, 'stale'),
      appendHistogram: append,
      appendRun(ref, timestamps, values, from, count) {
        const bits = bitsOf(values);
        let answer: AppendResult = APPENDED;
        for (let i = from; i < from + count; i++) {
          const value = isStaleBits(bits, i) ? 'stale' : values[i];
          const result = append(ref, timestamps[i], value);
          if (answer === APPENDED) answer = result;
        }
        return answer;
      },
      appendRow(timestampMs, refs, values, count, results) {
        for (let i = 0; i < count; i++) results[i] = append(refs[i], timestampMs, values[i]);
        return results.subarray(0, count).filter((result) => result !== APPENDED).length;
      },
      appendExemplar: (ref, exemplar) => {
        const series = this.#series[ref];
        if (series === undefined) return UNKNOWN_SERIES;
        const verdict = judgeExemplar(series.exemplars.at(-1), exemplar);
        if (verdict === APPENDED) exemplars.push([series, exemplar]);
        return verdict;
      },
      commit: async () => {
        for (const [series, exemplar] of exemplars) series.exemplars.push(exemplar);
        exemplars = [];
        for (const { series, timestampMs, value, startTimeMs } of pending) {
          const { columns } = series;
          if (value === 'stale') columns.pushStale(timestampMs);
          else if (typeof value === 'number') columns.push(timestampMs, value);
          else columns.pushHistogram(timestampMs, value);
          columns.setStartTime(columns.length - 1, startTimeMs);
        }
        pending = [];
      },
      rollback: () => {
        pending = [];
        exemplars = [];
      },
    };
  }

  async select(request: SelectRequest): Promise<SeriesSelection> {
    if (request.matchers.every((matcher) => matcher.matches(''))) {
      throw new TytoError('bad_data', 'a selector must have a matcher that the empty string fails');
    }
    const found = this.#series.filter(
      ({ labels, columns }) =>
        matchesAll(request.matchers, labels) &&
        hasSamples(columns, request.minTimeMs, request.maxTimeMs),
    );
    return {
      size: found.length,
      labels: (index) => found[index].labels,
      readInto(index, target) {
        const { columns } = found[index];
        for (let i = 0; i < columns.length; i++) {
          const timestampMs = columns.timestamps[i];
          if (timestampMs < request.minTimeMs || timestampMs > request.maxTimeMs) continue;
          const histogram = columns.histograms?.[i];
          if (columns.isStale(i)) target.pushStale(timestampMs);
          else if (histogram !== undefined) target.pushHistogram(timestampMs, histogram);
          else target.push(timestampMs, columns.values[i]);
          target.setStartTime(target.length - 1, columns.startTimes?.[i] ?? 0);
        }
      },
    };
  }

  async labelNames(request: LabelRequest): Promise<Limited<string>> {
    const names = new Set<string>();
    for (const labels of this.#matching(request)) {
      for (const [name] of labels.entries()) names.add(name);
    }
    return limited([...names].sort(), request.limit);
  }

  async labelValues(name: string, request: LabelRequest): Promise<Limited<string>> {
    const values = new Set<string>();
    for (const labels of this.#matching(request)) {
      if (labels.has(name)) values.add(labels.get(name));
    }
    return limited([...values].sort(), request.limit);
  }

  async series(request: LabelRequest): Promise<Limited<Labels>> {
    return limited(this.#matching(request), request.limit);
  }

  async exemplars(request: ExemplarRequest): Promise<readonly SeriesExemplars[]> {
    const { matcherSets, minTimeMs, maxTimeMs } = request;
    return this.#series
      .filter(({ labels }) => matcherSets.some((set) => matchesAll(set, labels)))
      .map(({ labels, exemplars }) => ({
        seriesLabels: labels,
        exemplars: exemplars.filter(
          ({ timestampMs }) => timestampMs >= minTimeMs && timestampMs <= maxTimeMs,
        ),
      }))
      .filter(({ exemplars }) => exemplars.length > 0);
  }

  #resolve(labels: Labels): SeriesRef {
    let ref = this.#byKey.get(labels.key);
    if (ref === undefined) {
      ref = this.#series.length;
      this.#series.push({ labels, columns: new SampleColumns(16), exemplars: [] });
      this.#byKey.set(labels.key, ref);
    }
    return ref;
  }

  #matching(request: LabelRequest): Labels[] {
    const sets = request.matcherSets;
    return this.#series
      .filter(({ columns }) => hasSamples(columns, request.minTimeMs, request.maxTimeMs))
      .filter(({ labels }) => sets.length === 0 || sets.some((set) => matchesAll(set, labels)))
      .map(({ labels }) => labels);
  }
}

/** The verdict on a sample, given what the series and the open batch end with. */
function judge(
  series: MemorySeries,
  previous: PendingSample | undefined,
  timestampMs: number,
  value: PendingSample['value'],
): AppendResult {
  const { columns } = series;
  const last = columns.length - 1;
  const lastMs = previous?.timestampMs ?? (last >= 0 ? columns.timestamps[last] : -Infinity);
  if (timestampMs > lastMs) return APPENDED;
  if (timestampMs < lastMs) return OUT_OF_ORDER;
  const lastValue = previous?.value ?? (columns.isStale(last) ? 'stale' : columns.values[last]);
  return Object.is(lastValue, value) ? REPEATED : DUPLICATE;
}

/** The verdict on an exemplar, given its series' newest. */
export function judgeExemplar(newest: Exemplar | undefined, exemplar: Exemplar): AppendResult {
  if (newest === undefined || exemplar.timestampMs > newest.timestampMs) return APPENDED;
  if (exemplar.timestampMs < newest.timestampMs) return OUT_OF_ORDER;
  const same = newest.value === exemplar.value && newest.labels.equals(exemplar.labels);
  return same ? REPEATED : DUPLICATE;
}

function hasSamples(columns: SampleColumns, minTimeMs: number, maxTimeMs: number): boolean {
  for (let i = 0; i < columns.length; i++) {
    const timestampMs = columns.timestamps[i];
    if (timestampMs >= minTimeMs && timestampMs <= maxTimeMs) return true;
  }
  return false;
}

function limited<T>(items: T[], limit: number): Limited<T> {
  const truncated = limit > 0 && items.length > limit;
  return { items: truncated ? items.slice(0, limit) : items, truncated };
}

/** A convenience for tests: appends samples of one series and commits. */
export async function appendSamples(
  store: MetricStore,
  labels: Labels,
  samples: readonly (readonly [timestampMs: number, value: number])[],
): Promise<void> {
  const appender = store.appender();
  const ref = appender.series(labels);
  for (const [timestampMs, value] of samples) {
    const result = appender.append(ref, timestampMs, value);
    if (result !== APPENDED) {
      throw new Error(`sample ${timestampMs} of ${labels.get(METRIC_NAME)} refused: ${result}`);
    }
  }
  await appender.commit();
}

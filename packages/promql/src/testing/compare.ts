/** Whether a result is what a script expects, with Prometheus' tolerance for floats. */
import type { FloatHistogram, MatrixSeries, QueryValue, VectorSample } from '@tyto/model';
import { bucketMap } from '../histograms/buckets.ts';
import type { EvalCommand } from './script.ts';
import type { NotedSeries, NotedValue } from './seriesNotation.ts';

const EPSILON = 1e-6;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/** Undefined when the result is as expected, otherwise the difference. */
export function compareResult(value: QueryValue, command: EvalCommand): string | undefined {
  const text = command.expectations.find((expectation) => expectation.type === 'string');
  if (text !== undefined) {
    const same = value.type === 'string' && value.value === text.text;
    return same ? undefined : `expected the string ${JSON.stringify(text.text)}`;
  }
  switch (value.type) {
    case 'string':
      return 'unexpected string result';
    case 'scalar':
      if (command.scalar === undefined) return `unexpected scalar ${value.value}`;
      return almostEqual(value.value, command.scalar)
        ? undefined
        : `expected ${command.scalar}, found ${value.value}`;
    case 'matrix':
      return compareMatrix(value.series, command);
    case 'vector':
      return compareVector(value.samples, command);
  }
}

function compareVector(samples: readonly VectorSample[], command: EvalCommand): string | undefined {
  const { series } = command;
  if (command.scalar !== undefined) return 'expected a scalar, found a vector';
  const shown = () => samples.map((sample) => `${sample.labels} ${shownSample(sample)}`).join('; ');
  if (samples.length !== series.length) {
    return `expected ${series.length} elements, found ${samples.length}: ${shown()}`;
  }
  const ordered = command.expectations.some(({ type }) => type === 'ordered');
  for (let i = 0; i < series.length; i++) {
    const wanted = series[i];
    const found = ordered ? samples[i] : samples.find(({ labels }) => labels.equals(wanted.labels));
    if (found === undefined || !found.labels.equals(wanted.labels)) {
      return `no ${wanted.labels} in: ${shown()}`;
    }
    const problem = compareValue(wanted.values[0], found.value, found.histogram);
    if (problem !== undefined) return `${wanted.labels}: ${problem}`;
  }
  return undefined;
}

function shownSample({ value, histogram }: VectorSample): string {
  return histogram === undefined ? String(value) : JSON.stringify(histogram);
}

function compareMatrix(found: readonly MatrixSeries[], command: EvalCommand): string | undefined {
  const range = command.expectations.find(({ type }) => type === 'range_vector');
  const times = range?.type === 'range_vector' ? range : command;
  const wanted = command.series.filter(({ values }) => values.some(({ kind }) => kind !== 'gap'));
  if (wanted.length !== found.length) {
    const shown = found.map(({ labels, values }) => `${labels} ${values.join(' ')}`).join('; ');
    return `expected ${wanted.length} series, found ${found.length}: ${shown}`;
  }
  for (const series of wanted) {
    const match = found.find(({ labels }) => labels.equals(series.labels));
    if (match === undefined) {
      return `no ${series.labels} among ${found.map(({ labels }) => labels.toString()).join()}`;
    }
    const problem = compareSeries(series, match, times.startMs, times.stepMs);
    if (problem !== undefined) return `${series.labels}: ${problem}`;
  }
  return undefined;
}

function compareSeries(
  wanted: NotedSeries,
  found: MatrixSeries,
  startMs: number,
  stepMs: number,
): string | undefined {
  const floats = new Map<number, number>();
  found.timestamps.forEach((timeMs, i) => {
    floats.set(timeMs, found.values[i]);
  });
  const histograms = new Map(found.histograms?.map((one) => [one.timestampMs, one.histogram]));
  let matched = 0;
  for (let i = 0; i < wanted.values.length; i++) {
    const value = wanted.values[i];
    if (value.kind === 'gap') continue;
    const timeMs = startMs + i * stepMs;
    const float = floats.get(timeMs);
    const histogram = histograms.get(timeMs);
    if (float === undefined && histogram === undefined) return `nothing at ${timeMs}`;
    const problem = compareValue(value, float ?? 0, histogram);
    if (problem !== undefined) return `at ${timeMs}: ${problem}`;
    matched++;
  }
  const total = floats.size + histograms.size;
  if (matched !== total) {
    const shown = [...found.timestamps].map((timeMs, i) => `${timeMs}=${found.values[i]}`);
    return `expected ${matched} points, found ${total}: ${shown.join(' ')}`;
  }
  return undefined;
}

function compareValue(
  wanted: NotedValue | undefined,
  value: number,
  histogram: FloatHistogram | undefined,
): string | undefined {
  if (wanted?.kind === 'histogram') {
    if (histogram === undefined) return `expected a histogram, found ${value}`;
    return compareHistogram(wanted.histogram, histogram, wanted.hasHint);
  }
  if (wanted?.kind !== 'float') return 'the script expects no value';
  if (histogram !== undefined) return `expected ${wanted.value}, found a histogram`;
  return almostEqual(wanted.value, value) ? undefined : `expected ${wanted.value}, found ${value}`;
}

function compareHistogram(
  wanted: FloatHistogram,
  found: FloatHistogram,
  withHint: boolean,
): string | undefined {
  const problem = `expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`;
  const scalars =
    wanted.schema === found.schema &&
    almostEqual(wanted.count, found.count) &&
    almostEqual(wanted.sum, found.sum) &&
    almostEqual(wanted.zeroCount, found.zeroCount) &&
    (wanted.schema === -53 || almostEqual(wanted.zeroThreshold, found.zeroThreshold)) &&
    wanted.customValues.length === found.customValues.length &&
    wanted.customValues.every((bound, i) => bound === found.customValues[i]);
  if (!scalars) return problem;
  if (withHint && wanted.counterResetHint !== found.counterResetHint) return problem;
  for (const negative of [false, true]) {
    const a = bucketMap(wanted, negative);
    const b = bucketMap(found, negative);
    for (const index of new Set([...a.keys(), ...b.keys()])) {
      if (!almostEqual(a.get(index) ?? 0, b.get(index) ?? 0)) return problem;
    }
  }
  return undefined;
}

function almostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  if (a === b) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < EPSILON * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < EPSILON;
}

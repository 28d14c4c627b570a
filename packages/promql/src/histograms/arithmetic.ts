/** Arithmetic on native histograms, with Prometheus' rules for resolutions and reset hints. */
import type { FloatHistogram } from '@tyto/model';
import {
  fromSparse,
  mapCustomBounds,
  reduceResolution,
  type SparseHistogram,
  toSparse,
  usesCustomBuckets,
  widenZeroBucket,
} from './sparse.ts';

/** What there is to tell about an addition. */
export interface AdditionNotes {
  /** One side had a counter reset and the other explicitly none. */
  conflictingResets?: boolean;
  /** Custom bounds differed, and only the common ones are left. */
  reconciledBounds?: boolean;
}

/** Whether two histograms can be added: both exponential, or both with custom bounds. */
export function compatible(left: FloatHistogram, right: FloatHistogram): boolean {
  return usesCustomBuckets(left) === usesCustomBuckets(right);
}

/** `left + sign * right` of compatible histograms, at the coarser resolution of the two. */
export function addHistograms(
  left: FloatHistogram,
  right: FloatHistogram,
  sign: 1 | -1,
  notes: AdditionNotes = {},
): FloatHistogram {
  const sum = toSparse(left);
  const other = toSparse(right);
  align(sum, other, notes);
  sum.count += sign * other.count;
  sum.sum += sign * other.sum;
  sum.zeroCount += sign * other.zeroCount;
  addBuckets(sum.positive, other.positive, sign);
  addBuckets(sum.negative, other.negative, sign);
  sum.hint = combinedHint(left.counterResetHint, right.counterResetHint, notes);
  return fromSparse(sum);
}

/** Brings two histograms to the same resolution, zero bucket and custom bounds. */
export function align(left: SparseHistogram, right: SparseHistogram, notes: AdditionNotes): void {
  if (usesCustomBuckets(left)) {
    const same =
      left.customValues.length === right.customValues.length &&
      left.customValues.every((bound, i) => bound === right.customValues[i]);
    if (same) return;
    const common = left.customValues.filter((bound) => right.customValues.includes(bound));
    mapCustomBounds(left, common);
    mapCustomBounds(right, common);
    notes.reconciledBounds = true;
    return;
  }
  while (left.zeroThreshold !== right.zeroThreshold) {
    if (left.zeroThreshold > right.zeroThreshold) widenZeroBucket(right, left.zeroThreshold);
    else widenZeroBucket(left, right.zeroThreshold);
  }
  const schema = Math.min(left.schema, right.schema);
  reduceResolution(left, schema);
  reduceResolution(right, schema);
}

function addBuckets(
  left: Map<number, number>,
  right: ReadonlyMap<number, number>,
  sign: 1 | -1,
): void {
  for (const [index, count] of right) left.set(index, (left.get(index) ?? 0) + sign * count);
}

function combinedHint(
  left: FloatHistogram['counterResetHint'],
  right: FloatHistogram['counterResetHint'],
  notes: AdditionNotes,
): FloatHistogram['counterResetHint'] {
  if (left === right) return left;
  if (left === 'gauge' || right === 'gauge') return 'gauge';
  if (left !== 'unknown' && right !== 'unknown') notes.conflictingResets = true;
  return 'unknown';
}

/** Every count and the sum times `factor`. A negative factor makes a gauge of it. */
export function scaleHistogram(histogram: FloatHistogram, factor: number): FloatHistogram {
  return mapCounts(histogram, factor < 0, (count) => count * factor);
}

/** Every count and the sum divided by `divisor`. */
export function divideHistogram(histogram: FloatHistogram, divisor: number): FloatHistogram {
  const divided = mapCounts(histogram, divisor < 0, (count) => count / divisor);
  // Nothing is known of the buckets after a division by zero; count and sum say what happened.
  if (divisor !== 0) return divided;
  const { positiveSpans: _p, negativeSpans: _n, ...rest } = divided;
  return {
    ...rest,
    positiveSpans: [],
    negativeSpans: [],
    positiveBuckets: [],
    negativeBuckets: [],
  };
}

function mapCounts(
  histogram: FloatHistogram,
  isGauge: boolean,
  convert: (count: number) => number,
): FloatHistogram {
  return {
    ...histogram,
    counterResetHint: isGauge ? 'gauge' : histogram.counterResetHint,
    zeroCount: convert(histogram.zeroCount),
    count: convert(histogram.count),
    sum: convert(histogram.sum),
    positiveBuckets: histogram.positiveBuckets.map(convert),
    negativeBuckets: histogram.negativeBuckets.map(convert),
  };
}

export function withHint(
  histogram: FloatHistogram,
  counterResetHint: FloatHistogram['counterResetHint'],
): FloatHistogram {
  return { ...histogram, counterResetHint };
}

/** Whether two histograms have the same layout and counts; hints do not matter. */
export function equalHistograms(left: FloatHistogram, right: FloatHistogram): boolean {
  if (left.schema !== right.schema || left.zeroThreshold !== right.zeroThreshold) return false;
  if (left.count !== right.count || left.zeroCount !== right.zeroCount) return false;
  if (!Object.is(left.sum, right.sum) && left.sum !== right.sum) return false;
  if (left.customValues.join() !== right.customValues.join()) return false;
  const a = toSparse(left);
  const b = toSparse(right);
  return equalBuckets(a.positive, b.positive) && equalBuckets(a.negative, b.negative);
}

function equalBuckets(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
  for (const index of new Set([...a.keys(), ...b.keys()])) {
    if ((a.get(index) ?? 0) !== (b.get(index) ?? 0)) return false;
  }
  return true;
}

/** Whether a counter was reset between two histograms of a series. */
export function detectReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (current.counterResetHint === 'reset') return true;
  if (current.counterResetHint === 'not_reset') return false;
  if (current.count < previous.count) return true;
  if (!compatible(current, previous)) return true;
  const now = toSparse(current);
  const before = toSparse(previous);
  if (usesCustomBuckets(now)) {
    align(now, before, {});
  } else {
    if (current.schema > previous.schema) return true;
    if (current.zeroThreshold < previous.zeroThreshold) return true;
    widenZeroBucket(before, current.zeroThreshold);
    if (before.zeroThreshold !== current.zeroThreshold) return true;
    reduceResolution(before, current.schema);
    if (now.zeroCount < before.zeroCount) return true;
  }
  return fell(now.positive, before.positive) || fell(now.negative, before.negative);
}

function fell(now: ReadonlyMap<number, number>, before: ReadonlyMap<number, number>): boolean {
  for (const [index, count] of before) if ((now.get(index) ?? 0) < count) return true;
  return false;
}

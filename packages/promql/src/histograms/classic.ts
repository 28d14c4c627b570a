/** Arithmetic on the buckets of a classic histogram at one step. */

/** The buckets of a histogram as columns, by rising bound; `present` is 1 where there is one. */
export interface BucketColumns {
  readonly bounds: readonly number[];
  readonly values: readonly Float64Array[];
  readonly present: readonly Uint8Array[];
}

/** Counts that differ by less than this share differ by rounding. */
const TOLERANCE = 1e-12;
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/**
 * The buckets at a step, those of equal bounds added up. Counts that fall from one bucket to the
 * next are raised by `makeMonotonic`, which remembers whether it had to.
 */
export class Buckets {
  readonly bounds: number[] = [];
  readonly counts: number[] = [];
  forcedMonotonic = false;
  forcedFrom = 0;
  forcedTo = 0;
  forcedDifference = 0;

  constructor(columns: BucketColumns, step: number) {
    for (let i = 0; i < columns.bounds.length; i++) {
      if (columns.present[i][step] === 0) continue;
      const bound = columns.bounds[i];
      const last = this.bounds.length - 1;
      if (last >= 0 && this.bounds[last] === bound) this.counts[last] += columns.values[i][step];
      else {
        this.bounds.push(bound);
        this.counts.push(columns.values[i][step]);
      }
    }
  }

  get size(): number {
    return this.bounds.length;
  }

  get endsInInfinity(): boolean {
    return this.bounds.at(-1) === Number.POSITIVE_INFINITY;
  }

  makeMonotonic(): void {
    let previous = this.counts[0];
    for (let i = 1; i < this.counts.length; i++) {
      const count = this.counts[i];
      if (count === previous) continue;
      if (almostEqual(previous, count)) {
        this.counts[i] = previous;
      } else if (count < previous) {
        this.counts[i] = previous;
        if (!this.forcedMonotonic) this.forcedFrom = this.bounds[i];
        this.forcedMonotonic = true;
        this.forcedTo = this.bounds[i];
        this.forcedDifference = Math.max(this.forcedDifference, previous - count);
      } else {
        previous = count;
      }
    }
  }
}

/** The quantile by linear interpolation within its bucket. */
export function bucketQuantile(q: number, buckets: Buckets): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  if (!buckets.endsInInfinity) return Number.NaN;
  buckets.makeMonotonic();
  const { bounds, counts, size } = buckets;
  if (size < 2) return Number.NaN;
  const observations = counts[size - 1];
  if (observations === 0) return Number.NaN;
  let rank = q * observations;
  let index = 0;
  while (index < size - 1 && !(counts[index] >= rank)) index++;
  if (index === size - 1) return bounds[size - 2];
  if (index === 0 && bounds[0] <= 0) return bounds[0];
  let start = 0;
  let count = counts[index];
  if (index > 0) {
    start = bounds[index - 1];
    count -= counts[index - 1];
    rank -= counts[index - 1];
  }
  return start + (bounds[index] - start) * (rank / count);
}

/** The share of observations between two values, by linear interpolation within buckets. */
export function bucketFraction(lower: number, upper: number, buckets: Buckets): number {
  if (!buckets.endsInInfinity) return Number.NaN;
  buckets.makeMonotonic();
  const total = buckets.counts[buckets.size - 1];
  if (total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, buckets) - rankOf(lower, buckets)) / total;
}

/** How many observations are below `value`. */
function rankOf(value: number, { bounds, counts, size }: Buckets): number {
  let rank = 0;
  for (let i = 0; i < size; i++) {
    const upper = bounds[i];
    const lower = i > 0 ? bounds[i - 1] : upper > 0 ? 0 : Number.NEGATIVE_INFINITY;
    if (lower >= value) return rank;
    if (upper > value) {
      if (lower === Number.NEGATIVE_INFINITY || upper === Number.POSITIVE_INFINITY) {
        return upper === Number.POSITIVE_INFINITY ? rank : counts[i];
      }
      return rank + ((counts[i] - rank) * (value - lower)) / (upper - lower);
    }
    rank = counts[i];
  }
  return rank;
}

function almostEqual(a: number, b: number): boolean {
  if (a === b) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < TOLERANCE * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < TOLERANCE;
}

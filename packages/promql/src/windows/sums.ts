/**
 * Compensated sums (Neumaier's variant of Kahan's) and what is built on them: sum, avg, stddev,
 * stdvar over windows. `from` and `to` come from windowBounds; `present` becomes 1 where a window
 * has a sample.
 */

/** The error term that goes with `sum + increment`, given the one before. */
export function compensate(increment: number, sum: number, error: number): number {
  const total = sum + increment;
  if (total === Infinity || total === -Infinity) return 0;
  return Math.abs(sum) >= Math.abs(increment)
    ? error + (sum - total + increment)
    : error + (increment - total + sum);
}

export function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  let error = 0;
  for (let i = from; i < to; i++) {
    const value = values[i];
    error = compensate(value, sum, error);
    sum += value;
  }
  return Number.isFinite(sum) ? sum + error : sum;
}

/** The mean; it changes to a running mean when the sum would overflow. */
export function meanOf(values: Float64Array, from: number, to: number): number {
  let sum = values[from];
  let error = 0;
  let mean = 0;
  let running = false;
  for (let i = from + 1; i < to; i++) {
    const value = values[i];
    const count = i - from + 1;
    if (!running) {
      const total = sum + value;
      if (total !== Infinity && total !== -Infinity) {
        error = compensate(value, sum, error);
        sum = total;
        continue;
      }
      running = true;
      mean = sum / (count - 1);
      error /= count - 1;
    }
    const share = (count - 1) / count;
    const increment = value / count;
    error = compensate(increment, share * mean, share * error);
    mean = share * mean + increment;
  }
  if (running) return mean + error;
  const count = to - from;
  return sum / count + error / count;
}

/** The population variance, by Welford's method with compensated sums. */
export function varianceOf(values: Float64Array, from: number, to: number): number {
  let mean = 0;
  let meanError = 0;
  let squares = 0;
  let squaresError = 0;
  for (let i = from; i < to; i++) {
    const delta = values[i] - (mean + meanError);
    const share = delta / (i - from + 1);
    meanError = compensate(share, mean, meanError);
    mean += share;
    const square = delta * (values[i] - (mean + meanError));
    squaresError = compensate(square, squares, squaresError);
    squares += square;
  }
  return (squares + squaresError) / (to - from);
}

export function sumWindows(
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (from[step] >= to[step]) continue;
    out[step] = sumOf(values, from[step], to[step]);
    present[step] = 1;
  }
}

export function averageWindows(
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (from[step] >= to[step]) continue;
    out[step] = meanOf(values, from[step], to[step]);
    present[step] = 1;
  }
}

/** The variance, or its root with `isDeviation`. */
export function varianceWindows(
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  isDeviation: boolean,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (from[step] >= to[step]) continue;
    const variance = varianceOf(values, from[step], to[step]);
    out[step] = isDeviation ? Math.sqrt(variance) : variance;
    present[step] = 1;
  }
}

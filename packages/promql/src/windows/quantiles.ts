/** Quantiles of windows and of vectors, and the median absolute deviation. */

/** Sorts numbers in place, NaN first: PromQL's order. Typed arrays put NaN last. */
export function sortWithNaNFirst(values: Float64Array): void {
  values.sort();
  let numbers = values.length;
  while (numbers > 0 && Number.isNaN(values[numbers - 1])) numbers--;
  if (numbers === values.length) return;
  values.copyWithin(values.length - numbers, 0, numbers);
  values.fill(Number.NaN, 0, values.length - numbers);
}

/** The q-quantile by linear interpolation; sorts `values`. NaN for none, infinite beyond [0, 1]. */
export function quantileOf(q: number, values: Float64Array): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  sortWithNaNFirst(values);
  const rank = q * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

export function quantileWindows(
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  quantiles: Float64Array,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (from[step] >= to[step]) continue;
    out[step] = quantileOf(quantiles[step], values.slice(from[step], to[step]));
    present[step] = 1;
  }
}

/** The median of the distances from the median. */
export function deviationWindows(
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (from[step] >= to[step]) continue;
    const window = values.slice(from[step], to[step]);
    present[step] = 1;
    if (window.some(Number.isNaN)) {
      out[step] = Number.NaN;
      continue;
    }
    const median = quantileOf(0.5, window);
    for (let i = 0; i < window.length; i++) window[i] = Math.abs(window[i] - median);
    out[step] = quantileOf(0.5, window);
  }
}

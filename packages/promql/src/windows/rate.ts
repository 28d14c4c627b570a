/**
 * rate, increase and delta: the difference of a window's ends, freed of counter resets and
 * extrapolated to the window's borders as Prometheus does it. This is the slow twin of the
 * WebAssembly kernel; the arguments are primitive so that either can stand here.
 */

/** A border nearer than this many sample distances is taken as reached. */
const BORDER_FACTOR = 1.1;

/**
 * For each step the extrapolated difference within (end - range, end]; per second with `isRate`.
 * `present[step]` becomes 1 where a window has two samples. Samples have no stale markers.
 */
export function rateWindows(
  timestamps: Float64Array,
  values: Float64Array,
  count: number,
  startMs: number,
  stepMs: number,
  stepCount: number,
  rangeMs: number,
  isCounter: boolean,
  isRate: boolean,
  out: Float64Array,
  present: Uint8Array,
): void {
  // Indexes of the samples that are smaller than the one before them; there are few of them.
  const resets: number[] = [];
  let resetFirst = 0;
  let first = 0;
  let behind = 0;
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + step * stepMs;
    const beginMs = endMs - rangeMs;
    for (; behind < count && timestamps[behind] <= endMs; behind++) {
      if (isCounter && behind > 0 && values[behind] < values[behind - 1]) resets.push(behind);
    }
    while (first < behind && timestamps[first] <= beginMs) first++;
    const last = behind - 1;
    if (last <= first) continue;
    let difference = values[last] - values[first];
    while (resetFirst < resets.length && resets[resetFirst] <= first) resetFirst++;
    for (let i = resetFirst; i < resets.length; i++) difference += values[resets[i] - 1];
    const factor = extrapolation(
      timestamps[first],
      timestamps[last],
      last - first,
      beginMs,
      endMs,
      isCounter,
      values[first],
      difference,
    );
    out[step] = difference * (isRate ? factor / (rangeMs / 1000) : factor);
    present[step] = 1;
  }
}

/** How much longer the whole window is taken to be than what the samples cover. */
export function extrapolation(
  firstMs: number,
  lastMs: number,
  gapCount: number,
  beginMs: number,
  endMs: number,
  isCounter: boolean,
  firstValue: number,
  difference: number,
): number {
  const sampled = (lastMs - firstMs) / 1000;
  const distance = sampled / gapCount;
  const threshold = distance * BORDER_FACTOR;
  let toStart = (firstMs - beginMs) / 1000;
  let toEnd = (endMs - lastMs) / 1000;
  if (toStart >= threshold) toStart = distance / 2;
  if (isCounter && difference > 0 && firstValue >= 0) {
    // A counter cannot have been below zero.
    const toZero = sampled * (firstValue / difference);
    if (toZero < toStart) toStart = toZero;
  }
  if (toEnd >= threshold) toEnd = distance / 2;
  return (sampled + toStart + toEnd) / sampled;
}

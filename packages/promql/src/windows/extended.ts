/**
 * The windows of `anchored` and `smoothed` range selectors, which also look at samples beyond
 * their ends, at most the lookback away. Nothing is extrapolated: an anchored window begins with
 * the sample before it, a smoothed one is interpolated at both ends.
 */

/** The value at `atMs` on the line between two samples; after a counter reset from zero. */
function interpolate(
  timestamps: Float64Array,
  values: Float64Array,
  index: number,
  atMs: number,
  isCounter: boolean,
): number {
  const y2 = values[index + 1];
  const y1 = isCounter && y2 < values[index] ? 0 : values[index];
  const share = (atMs - timestamps[index]) / (timestamps[index + 1] - timestamps[index]);
  return y1 + (y2 - y1) * share;
}

/** rate, increase and delta over anchored or smoothed windows. */
export function extendedRateWindows(
  timestamps: Float64Array,
  values: Float64Array,
  count: number,
  startMs: number,
  stepMs: number,
  stepCount: number,
  rangeMs: number,
  lookbackMs: number,
  isSmoothed: boolean,
  isCounter: boolean,
  isRate: boolean,
  out: Float64Array,
  present: Uint8Array,
): void {
  let first = 0;
  let behind = 0;
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + step * stepMs;
    const beginMs = endMs - rangeMs;
    while (behind < count && timestamps[behind] <= endMs) behind++;
    while (first + 1 < count && timestamps[first + 1] <= beginMs) first++;
    if (first < count && timestamps[first] <= beginMs - lookbackMs) first++;
    let last = behind - 1;
    const hasAfter = behind < count && timestamps[behind] < endMs + lookbackMs;
    if (isSmoothed && hasAfter && (last < 0 || timestamps[last] < endMs)) last = behind;
    if (last < first || timestamps[last] <= beginMs || timestamps[first] > endMs) continue;
    const cutsLeft = isSmoothed && timestamps[first] < beginMs && first < last;
    const cutsRight = isSmoothed && timestamps[last] > endMs && last > first;
    const left = cutsLeft
      ? interpolate(timestamps, values, first, beginMs, isCounter)
      : values[first];
    const right = cutsRight
      ? interpolate(timestamps, values, last - 1, endMs, isCounter)
      : values[last];
    let difference = right - left;
    if (isCounter) {
      let previous = left;
      for (let i = first; i <= last; i++) {
        if (timestamps[i] <= beginMs || timestamps[i] >= endMs) continue;
        if (values[i] < previous) difference += previous;
        previous = values[i];
      }
      if (right < previous) difference += previous;
    }
    out[step] = isRate ? difference / (rangeMs / 1000) : difference;
    present[step] = 1;
  }
}

/** Moves the begin of each window that has a sample to the sample before it, if that is near. */
export function anchorBounds(
  timestamps: Float64Array,
  startMs: number,
  stepMs: number,
  stepCount: number,
  rangeMs: number,
  lookbackMs: number,
  from: Int32Array,
  to: Int32Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    const before = from[step] - 1;
    if (from[step] >= to[step] || before < 0) continue;
    const beginMs = startMs + step * stepMs - rangeMs;
    if (timestamps[before] > beginMs - lookbackMs) from[step] = before;
  }
}

/** Instant selectors: the value on the line between the samples around each step. */
export function smoothedInstants(
  timestamps: Float64Array,
  values: Float64Array,
  count: number,
  startMs: number,
  stepMs: number,
  stepCount: number,
  lookbackMs: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  let behind = 0;
  for (let step = 0; step < stepCount; step++) {
    const atMs = startMs + step * stepMs;
    while (behind < count && timestamps[behind] <= atMs) behind++;
    const hasBefore = behind > 0 && timestamps[behind - 1] > atMs - lookbackMs;
    const hasAfter = behind < count && timestamps[behind] < atMs + lookbackMs;
    if (!hasBefore && !hasAfter) continue;
    if (hasBefore && hasAfter) {
      out[step] = interpolate(timestamps, values, behind - 1, atMs, false);
    } else {
      out[step] = values[hasBefore ? behind - 1 : behind];
    }
    present[step] = 1;
  }
}

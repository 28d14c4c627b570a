/**
 * Which samples lie in each step's window (end - range, end]. Ends rise with the steps, so two
 * cursors pass over the samples once. Windows are left-open, as in Prometheus 3.
 */

/** Writes for each step the index of the first sample and the one behind the last. */
export function windowBounds(
  timestamps: Float64Array,
  count: number,
  startMs: number,
  stepMs: number,
  stepCount: number,
  rangeMs: number,
  from: Int32Array,
  to: Int32Array,
): void {
  let first = 0;
  let behind = 0;
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + step * stepMs;
    const beginMs = endMs - rangeMs;
    while (behind < count && timestamps[behind] <= endMs) behind++;
    while (first < behind && timestamps[first] <= beginMs) first++;
    from[step] = first;
    to[step] = behind;
  }
}

/** Writes for each step the index of the newest sample of its window, -1 where there is none. */
export function latestIndexes(
  timestamps: Float64Array,
  count: number,
  startMs: number,
  stepMs: number,
  stepCount: number,
  lookbackMs: number,
  latest: Int32Array,
): void {
  let behind = 0;
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + step * stepMs;
    while (behind < count && timestamps[behind] <= endMs) behind++;
    const fresh = behind > 0 && timestamps[behind - 1] > endMs - lookbackMs;
    latest[step] = fresh ? behind - 1 : -1;
  }
}

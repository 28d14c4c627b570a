/**
 * exact_increase and exact_rate: by how much a counter really rose within a window, whole numbers
 * for whole numbers. Counting begins at the newest sample before the window; a counter that is new
 * in the window begins at zero.
 */

/** A first value that is so many times the next step is what a counter had before it was seen. */
const OLD_COUNTER_FACTOR = 10;

/**
 * Writes a result for each step whose window has a sample. `from` and `to` come from windowBounds;
 * samples up to `lookbackMs` before a window count as being before it. The results of all windows
 * in a row add up to the increase over all of them.
 */
export function exactIncreaseWindows(
  timestamps: Float64Array,
  values: Float64Array,
  count: number,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  beginMs: (step: number) => number,
  lookbackMs: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    const first = from[step];
    if (first >= to[step]) continue;
    const hasBefore = first > 0 && timestamps[first - 1] > beginMs(step) - lookbackMs;
    let increase = hasBefore
      ? risen(values[first - 1], values[first])
      : bornWith(values, first, count);
    for (let i = first + 1; i < to[step]; i++) increase += risen(values[i - 1], values[i]);
    out[step] = increase;
    present[step] = 1;
  }
}

/** From one sample to the next; a fall is a restart from zero. */
function risen(before: number, value: number): number {
  return value < before ? value : value - before;
}

/** What a series' first sample counts for: all of it, unless it had been counting for long. */
function bornWith(values: Float64Array, first: number, count: number): number {
  const step = first + 1 < count ? Math.abs(values[first + 1] - values[first]) : 0;
  return Math.abs(values[first]) < OLD_COUNTER_FACTOR * (step + 1) ? values[first] : 0;
}

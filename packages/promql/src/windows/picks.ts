/**
 * Windows of which one sample or a count is the answer: min, max, first, last, count, present,
 * changes, resets, and the times of the first four. `from` and `to` come from windowBounds.
 */

/** Writes for each step the index of the sample with the least value, -1 for an empty window. */
export function leastIndexes(
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  preferLater: boolean,
  picked: Int32Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    let best = from[step] < to[step] ? from[step] : -1;
    for (let i = best + 1; best >= 0 && i < to[step]; i++) {
      const value = values[i];
      const least = values[best];
      if (value < least || Number.isNaN(least) || (preferLater && value === least)) best = i;
    }
    picked[step] = best;
  }
}

/** Writes for each step the index of the sample with the greatest value, -1 for none. */
export function greatestIndexes(
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  preferLater: boolean,
  picked: Int32Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    let best = from[step] < to[step] ? from[step] : -1;
    for (let i = best + 1; best >= 0 && i < to[step]; i++) {
      const value = values[i];
      const greatest = values[best];
      if (value > greatest || Number.isNaN(greatest) || (preferLater && value === greatest)) {
        best = i;
      }
    }
    picked[step] = best;
  }
}

export function countWindows(
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (from[step] >= to[step]) continue;
    out[step] = to[step] - from[step];
    present[step] = 1;
  }
}

/** How often the value changed; NaN following NaN is no change. */
export function changesWindows(
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (from[step] >= to[step]) continue;
    let changes = 0;
    for (let i = from[step] + 1; i < to[step]; i++) {
      const bothNaN = Number.isNaN(values[i]) && Number.isNaN(values[i - 1]);
      if (values[i] !== values[i - 1] && !bothNaN) changes++;
    }
    out[step] = changes;
    present[step] = 1;
  }
}

/** How often the value fell. */
export function resetsWindows(
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (from[step] >= to[step]) continue;
    let resets = 0;
    for (let i = from[step] + 1; i < to[step]; i++) {
      if (values[i] < values[i - 1]) resets++;
    }
    out[step] = resets;
    present[step] = 1;
  }
}

/** irate and idelta: the last two samples of a window. */
export function lastPairWindows(
  timestamps: Float64Array,
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  isRate: boolean,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    const last = to[step] - 1;
    if (last <= from[step]) continue;
    const fell = isRate && values[last] < values[last - 1];
    const difference = fell ? values[last] : values[last] - values[last - 1];
    const seconds = (timestamps[last] - timestamps[last - 1]) / 1000;
    out[step] = isRate ? difference / seconds : difference;
    present[step] = 1;
  }
}

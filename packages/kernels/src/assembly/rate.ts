// Prometheus 3's rate, increase and delta, for all windows of one series. See windows.ts for what
// windows are, and for the kernels that find them and the resets of a counter.

/**
 * Writes the result of each step and 1 to `present`, or 0 where fewer than two samples lie in a
 * window. `resets` are the indexes of values that are smaller than the one before; none for gauges.
 */
export function rateOf(
  timestamps: usize,
  values: usize,
  froms: usize,
  tos: usize,
  resets: usize,
  resetCount: i32,
  startMs: f64,
  stepMs: f64,
  stepCount: i32,
  rangeMs: f64,
  isCounter: i32,
  isRate: i32,
  out: usize,
  present: usize,
): void {
  const rangeSeconds = rangeMs / 1000.0;
  // Of the resets only those within a window count for it; there are few of them.
  let resetFirst = 0;
  for (let step = 0; step < stepCount; step++) {
    const first = load<i32>(froms + (<usize>step << 2));
    const last = load<i32>(tos + (<usize>step << 2)) - 1;
    if (last <= first) {
      store<u8>(present + step, 0);
      continue;
    }
    const endMs = startMs + <f64>step * stepMs;
    let difference = at(values, last) - at(values, first);
    while (resetFirst < resetCount && indexAt(resets, resetFirst) <= first) resetFirst++;
    for (let i = resetFirst; i < resetCount && indexAt(resets, i) <= last; i++) {
      difference += at(values, indexAt(resets, i) - 1);
    }
    const factor = extrapolation(
      at(timestamps, first),
      at(timestamps, last),
      last - first,
      endMs - rangeMs,
      endMs,
      isCounter,
      at(values, first),
      difference,
    );
    const result = difference * (isRate ? factor / rangeSeconds : factor);
    store<f64>(out + (<usize>step << 3), result);
    store<u8>(present + step, 1);
  }
}

/** How much longer the whole window is taken to be than what its samples cover. */
function extrapolation(
  firstMs: f64,
  lastMs: f64,
  intervals: i32,
  fromMs: f64,
  endMs: f64,
  isCounter: i32,
  firstValue: f64,
  difference: f64,
): f64 {
  const sampled = (lastMs - firstMs) / 1000.0;
  const average = sampled / <f64>intervals;
  const threshold = average * 1.1;
  let toStart = (firstMs - fromMs) / 1000.0;
  let toEnd = (endMs - lastMs) / 1000.0;
  if (toStart >= threshold) toStart = average / 2.0;
  if (isCounter && difference > 0.0 && firstValue >= 0.0) {
    // A counter cannot have been below zero: it reaches no further back than to its zero.
    const toZero = sampled * (firstValue / difference);
    if (toZero < toStart) toStart = toZero;
  }
  if (toEnd >= threshold) toEnd = average / 2.0;
  return (sampled + toStart + toEnd) / sampled;
}

// @ts-ignore: decorator
@inline
function indexAt(base: usize, index: i32): i32 {
  return load<i32>(base + (<usize>index << 2));
}

// @ts-ignore: decorator
@inline
function at(base: usize, index: i32): f64 {
  return load<f64>(base + (<usize>index << 3));
}

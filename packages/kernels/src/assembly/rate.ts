// Prometheus 3's rate, increase and delta over left-open windows, for all steps of one series.

/**
 * For step i, the window is (startMs + i * stepMs - rangeMs, startMs + i * stepMs]. Writes the
 * result and 1 to `present`, or 0 where fewer than two samples lie in the window. Timestamps rise
 * strictly and there are no stale markers among the values.
 */
export function rateWindows(
  timestamps: usize,
  values: usize,
  count: i32,
  startMs: f64,
  stepMs: f64,
  stepCount: i32,
  rangeMs: f64,
  isCounter: i32,
  isRate: i32,
  out: usize,
  present: usize,
  resets: usize,
): void {
  // Indexes of the samples that are smaller than the one before them; there are few of them, and
  // only those within a window count for it.
  let resetCount = 0;
  let resetFirst = 0;
  let first = 0;
  let next = 0;
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + <f64>step * stepMs;
    const fromMs = endMs - rangeMs;
    for (; next < count && at(timestamps, next) <= endMs; next++) {
      if (isCounter && next > 0 && at(values, next) < at(values, next - 1)) {
        store<i32>(resets + (<usize>resetCount << 2), next);
        resetCount++;
      }
    }
    while (first < next && at(timestamps, first) <= fromMs) first++;
    const last = next - 1;
    if (last <= first) {
      store<u8>(present + step, 0);
      continue;
    }
    let difference = at(values, last) - at(values, first);
    while (resetFirst < resetCount && load<i32>(resets + (<usize>resetFirst << 2)) <= first) {
      resetFirst++;
    }
    for (let i = resetFirst; i < resetCount; i++) {
      difference += at(values, load<i32>(resets + (<usize>i << 2)) - 1);
    }
    const factor = extrapolation(
      at(timestamps, first),
      at(timestamps, last),
      last - first,
      fromMs,
      endMs,
      isCounter,
      at(values, first),
      difference,
    );
    store<f64>(out + (<usize>step << 3), difference * (isRate ? factor / (rangeMs / 1000.0) : factor));
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
function at(base: usize, index: i32): f64 {
  return load<f64>(base + (<usize>index << 3));
}

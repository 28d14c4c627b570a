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
  corrections: usize,
): void {
  if (isCounter) sumResets(values, count, corrections);
  let first = 0;
  let next = 0;
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + <f64>step * stepMs;
    const fromMs = endMs - rangeMs;
    while (next < count && at(timestamps, next) <= endMs) next++;
    while (first < next && at(timestamps, first) <= fromMs) first++;
    const last = next - 1;
    if (last <= first) {
      store<u8>(present + step, 0);
      continue;
    }
    let increase = at(values, last) - at(values, first);
    if (isCounter) increase += at(corrections, last) - at(corrections, first);
    const result = extrapolate(
      increase,
      at(values, first),
      at(timestamps, first),
      at(timestamps, last),
      last - first,
      fromMs,
      endMs,
      isCounter,
    );
    store<f64>(out + (<usize>step << 3), isRate ? result / (rangeMs / 1000.0) : result);
    store<u8>(present + step, 1);
  }
}

/** corrections[i]: what all counter resets up to sample i have taken away. */
function sumResets(values: usize, count: i32, corrections: usize): void {
  let sum = 0.0;
  for (let i = 0; i < count; i++) {
    if (i > 0 && at(values, i) < at(values, i - 1)) sum += at(values, i - 1);
    store<f64>(corrections + (<usize>i << 3), sum);
  }
}

function extrapolate(
  increase: f64,
  firstValue: f64,
  firstMs: f64,
  lastMs: f64,
  intervals: i32,
  fromMs: f64,
  endMs: f64,
  isCounter: i32,
): f64 {
  const sampled = (lastMs - firstMs) / 1000.0;
  const average = sampled / <f64>intervals;
  const threshold = average * 1.1;
  let toStart = (firstMs - fromMs) / 1000.0;
  let toEnd = (endMs - lastMs) / 1000.0;
  if (toStart >= threshold) toStart = average / 2.0;
  if (isCounter) {
    // A counter cannot have been below zero: it reaches no further back than to its zero.
    let toZero = toStart;
    if (increase > 0.0 && firstValue >= 0.0) toZero = sampled * (firstValue / increase);
    if (toZero < toStart) toStart = toZero;
  }
  if (toEnd >= threshold) toEnd = average / 2.0;
  return increase * ((sampled + toStart + toEnd) / sampled);
}

// @ts-ignore: decorator
@inline
function at(base: usize, index: i32): f64 {
  return load<f64>(base + (<usize>index << 3));
}

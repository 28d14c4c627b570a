/** The slow, obvious twin of rateWindows: each window on its own, as the specification tells it. */
import type { RateKind } from './kernels.ts';

/** Same contract as rateWindows. */
export function rateWindowsSlowly(
  kind: RateKind,
  timestamps: Float64Array,
  values: Float64Array,
  count: number,
  startMs: number,
  stepMs: number,
  stepCount: number,
  rangeMs: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + step * stepMs;
    const inside: number[] = [];
    for (let i = 0; i < count; i++) {
      if (timestamps[i] > endMs - rangeMs && timestamps[i] <= endMs) inside.push(i);
    }
    present[step] = inside.length >= 2 ? 1 : 0;
    if (inside.length < 2) continue;
    const times = inside.map((i) => timestamps[i]);
    const window = inside.map((i) => values[i]);
    out[step] = rateOf(kind, times, window, endMs - rangeMs, endMs);
  }
}

function rateOf(
  kind: RateKind,
  times: readonly number[],
  values: readonly number[],
  fromMs: number,
  endMs: number,
): number {
  const isCounter = kind !== 'delta';
  const last = values.length - 1;
  let increase = values[last] - values[0];
  for (let i = 1; isCounter && i <= last; i++) {
    if (values[i] < values[i - 1]) increase += values[i - 1];
  }
  const sampled = (times[last] - times[0]) / 1000;
  const average = sampled / last;
  let toStart = (times[0] - fromMs) / 1000;
  let toEnd = (endMs - times[last]) / 1000;
  if (toStart >= average * 1.1) toStart = average / 2;
  if (toEnd >= average * 1.1) toEnd = average / 2;
  if (isCounter && increase > 0 && values[0] >= 0) {
    toStart = Math.min(toStart, sampled * (values[0] / increase));
  }
  const factor = (sampled + toStart + toEnd) / sampled;
  return increase * (kind === 'rate' ? factor / ((endMs - fromMs) / 1000) : factor);
}

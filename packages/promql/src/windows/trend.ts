/** Windows through which a line or a curve is laid: deriv, predict_linear, smoothing. */
import { compensate } from './sums.ts';

/** Slope and intercept of the last regression; written by `regress`, read at once after it. */
const line = new Float64Array(2);

/** Least squares over [from, to) with x in seconds since `interceptMs`. */
function regress(
  timestamps: Float64Array,
  values: Float64Array,
  from: number,
  to: number,
  interceptMs: number,
): void {
  const count = to - from;
  let [sumX, errorX, sumY, errorY] = [0, 0, 0, 0];
  let [sumXY, errorXY, sumXX, errorXX] = [0, 0, 0, 0];
  let constant = true;
  for (let i = from; i < to; i++) {
    const y = values[i];
    const x = (timestamps[i] - interceptMs) / 1000;
    if (y !== values[from]) constant = false;
    errorX = compensate(x, sumX, errorX);
    sumX += x;
    errorY = compensate(y, sumY, errorY);
    sumY += y;
    errorXY = compensate(x * y, sumXY, errorXY);
    sumXY += x * y;
    errorXX = compensate(x * x, sumXX, errorXX);
    sumXX += x * x;
  }
  if (constant) {
    const finite = Number.isFinite(values[from]);
    line[0] = finite ? 0 : Number.NaN;
    line[1] = finite ? values[from] : Number.NaN;
    return;
  }
  sumX += errorX;
  sumY += errorY;
  const covariance = sumXY + errorXY - (sumX * sumY) / count;
  const variance = sumXX + errorXX - (sumX * sumX) / count;
  line[0] = covariance / variance;
  line[1] = sumY / count - (line[0] * sumX) / count;
}

/** The slope per second of the line through a window of at least two samples. */
export function slopeWindows(
  timestamps: Float64Array,
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (to[step] - from[step] < 2) continue;
    regress(timestamps, values, from[step], to[step], timestamps[from[step]]);
    out[step] = line[0];
    present[step] = 1;
  }
}

/** Where the line is `aheadS[step]` seconds after the evaluation time. */
export function predictWindows(
  timestamps: Float64Array,
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  startMs: number,
  stepMs: number,
  aheadS: Float64Array,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (to[step] - from[step] < 2) continue;
    regress(timestamps, values, from[step], to[step], startMs + step * stepMs);
    out[step] = line[0] * aheadS[step] + line[1];
    present[step] = 1;
  }
}

/** Holt's linear method: a smoothed value and a smoothed trend. */
export function smoothWindows(
  values: Float64Array,
  from: Int32Array,
  to: Int32Array,
  stepCount: number,
  smoothing: Float64Array,
  trending: Float64Array,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < stepCount; step++) {
    const first = from[step];
    if (to[step] - first < 2) continue;
    let previous = 0;
    let smoothed = values[first];
    let trend = values[first + 1] - values[first];
    for (let i = first + 1; i < to[step]; i++) {
      if (i > first + 1) {
        trend = trending[step] * (smoothed - previous) + (1 - trending[step]) * trend;
      }
      const next = smoothing[step] * values[i] + (1 - smoothing[step]) * (smoothed + trend);
      previous = smoothed;
      smoothed = next;
    }
    out[step] = smoothed;
    present[step] = 1;
  }
}

/** How rate, increase and delta extrapolate to a window's borders, for what the kernel does not do. */

/** A border nearer than this many sample distances is taken as reached. */
const BORDER_FACTOR = 1.1;

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

/** The same where the counter is known to have been zero at `zeroMs`, within the window. */
export function extrapolationFromZero(
  zeroMs: number,
  firstMs: number,
  lastMs: number,
  gapCount: number,
  endMs: number,
): number {
  const covered = (lastMs - zeroMs) / 1000;
  // One sample tells nothing of how far the next one may be.
  const distance = gapCount > 0 ? (lastMs - firstMs) / 1000 / gapCount : 0;
  let toEnd = (endMs - lastMs) / 1000;
  if (toEnd >= distance * BORDER_FACTOR) toEnd = distance / 2;
  return (covered + toEnd) / covered;
}

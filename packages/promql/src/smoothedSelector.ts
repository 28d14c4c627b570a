/** Instant selectors with `smoothed`: values on the line between the samples around a step. */
import { SampleColumns } from '@tyto/model';
import type { VectorSelector } from '@tyto/syntax';
import { messages } from './annotations.ts';
import { type Column, FLOAT, type Grid, HISTOGRAM } from './column.ts';
import type { Evaluation } from './evaluation.ts';
import { between } from './functions/extendedHistograms.ts';
import { compatible } from './histograms/arithmetic.ts';
import { smoothedInstants } from './windows/extended.ts';

/** Stale markers are no samples here; floats and histograms are not interpolated together. */
export function fillSmoothed(
  node: VectorSelector,
  given: SampleColumns,
  seen: Grid,
  column: Column,
  evaluation: Evaluation,
): void {
  const samples = given.staleCount === 0 ? given : withoutStale(given);
  const { timestamps, values, length } = samples;
  const { startMs, stepMs, count } = seen;
  const { lookbackMs } = evaluation.times.options;
  if (samples.histograms === null) {
    const { values: out, present } = column;
    smoothedInstants(timestamps, values, length, startMs, stepMs, count, lookbackMs, out, present);
    return;
  }
  let behind = 0;
  for (let step = 0; step < count; step++) {
    const atMs = startMs + step * stepMs;
    while (behind < length && timestamps[behind] <= atMs) behind++;
    const hasBefore = behind > 0 && timestamps[behind - 1] > atMs - lookbackMs;
    const hasAfter = behind < length && timestamps[behind] < atMs + lookbackMs;
    if (!hasBefore && !hasAfter) continue;
    const first = hasBefore ? behind - 1 : behind;
    fillStep(node, samples, first, hasAfter ? behind : first, atMs, column, step, evaluation);
  }
}

function fillStep(
  node: VectorSelector,
  samples: SampleColumns,
  first: number,
  second: number,
  atMs: number,
  column: Column,
  step: number,
  { annotations }: Evaluation,
): void {
  const { timestamps, values, histograms } = samples;
  const a = histograms?.[first];
  const b = histograms?.[second];
  const name = column.labels.metricName;
  const gapMs = timestamps[second] - timestamps[first];
  const share = gapMs === 0 ? 0 : (atMs - timestamps[first]) / gapMs;
  if (a === undefined && b === undefined) {
    column.values[step] = values[first] + (values[second] - values[first]) * share;
    column.present[step] = FLOAT;
  } else if (a === undefined || b === undefined) {
    annotations.warn(messages.mixedFloatsHistograms(name), node.span);
  } else if (!compatible(a, b)) {
    annotations.warn(messages.mixedSchemas(name), node.span);
  } else if (column.histograms !== null) {
    const isCounter = b.counterResetHint !== 'gauge';
    column.histograms[step] = share === 0 ? a : between(a, b, share, isCounter);
    column.present[step] = HISTOGRAM;
  }
}

function withoutStale(samples: SampleColumns): SampleColumns {
  const kept = new SampleColumns(samples.length);
  for (let i = 0; i < samples.length; i++) {
    if (samples.isStale(i)) continue;
    const histogram = samples.histograms?.[i];
    if (histogram !== undefined) kept.pushHistogram(samples.timestamps[i], histogram);
    else kept.push(samples.timestamps[i], samples.values[i]);
  }
  return kept;
}

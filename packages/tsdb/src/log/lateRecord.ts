/** Records of samples that came late: floats and histograms as in the records of others. */
import { bitsOf } from '@tyto/model';
import type { LateSample } from '../head/lateSamples.ts';
import { LATE_HISTOGRAMS, LATE_SAMPLES } from './frame.ts';
import { encodeHistograms, type LoggedHistogram } from './histogramRecord.ts';
import { encodeSamples, RECORD_SAMPLES_MAX } from './record.ts';

export interface LoggedLateSample {
  readonly id: number;
  readonly sample: LateSample;
}

export function encodeLateSamples(logged: readonly LoggedLateSample[]): Uint8Array[] {
  const floats = logged.filter(({ sample }) => sample.histogram === undefined);
  const ids = Uint32Array.from(floats, ({ id }) => id);
  const timestamps = Float64Array.from(floats, ({ sample }) => sample.timestampMs);
  const values = new Float64Array(floats.length);
  const bits = bitsOf(values);
  floats.forEach(({ sample: { low, high } }, i) => {
    bits[2 * i] = low;
    bits[2 * i + 1] = high;
  });
  const records: Uint8Array[] = [];
  for (let from = 0; from < floats.length; from += RECORD_SAMPLES_MAX) {
    const count = Math.min(RECORD_SAMPLES_MAX, floats.length - from);
    const slice = ids.subarray(from, from + count);
    records.push(encodeSamples(slice, timestamps, values, from, count, LATE_SAMPLES));
  }
  const histograms: LoggedHistogram[] = [];
  for (const { id, sample } of logged) {
    const { timestampMs, histogram } = sample;
    if (histogram !== undefined) histograms.push({ id, timestampMs, histogram });
  }
  return [...records, ...encodeHistograms(histograms, LATE_HISTOGRAMS)];
}

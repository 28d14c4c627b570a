/** Records of samples that came late: floats and histograms as in the records of others. */
import { bitsOf } from '@tyto/model';
import type { LateSample } from '../head/lateSamples.ts';
import { LATE_HISTOGRAMS, LATE_SAMPLES } from './frame.ts';
import { encodeHistograms, type LoggedHistogram } from './histogramRecord.ts';
import { encodeSamples, RECORD_SAMPLES_MAX } from './record.ts';
import { startedRecord } from './startedRecord.ts';

export interface LoggedLateSample {
  readonly id: number;
  readonly sample: LateSample;
}

export function encodeLateSamples(logged: readonly LoggedLateSample[]): Uint8Array[] {
  const floats = logged.filter(({ sample }) => sample.histogram === undefined);
  const ids = Uint32Array.from(floats, ({ id }) => id);
  const timestamps = Float64Array.from(floats, ({ sample }) => sample.timestampMs);
  const startTimes = Float64Array.from(floats, ({ sample }) => sample.startTimeMs);
  const values = new Float64Array(floats.length);
  const bits = bitsOf(values);
  floats.forEach(({ sample: { low, high } }, i) => {
    bits[2 * i] = low;
    bits[2 * i + 1] = high;
  });
  const records: Uint8Array[] = [];
  for (let from = 0; from < floats.length; from += RECORD_SAMPLES_MAX) {
    const count = Math.min(RECORD_SAMPLES_MAX, floats.length - from);
    const record = encodeSamples(ids, timestamps, values, from, count, LATE_SAMPLES);
    records.push(startedRecord(record, startTimes, from, count));
  }
  const histograms: LoggedHistogram[] = [];
  for (const { id, sample } of logged) {
    const { timestampMs, histogram, startTimeMs } = sample;
    if (histogram !== undefined) histograms.push({ id, timestampMs, histogram, startTimeMs });
  }
  return [...records, ...encodeHistograms(histograms, LATE_HISTOGRAMS)];
}

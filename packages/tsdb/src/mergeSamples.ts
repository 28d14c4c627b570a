/** Two runs of samples in the same columns made one: what sources that overlap in time need. */
import { bitsOf, isStaleBits, type SampleColumns } from '@tyto/model';
import { lowerBound } from './chunkRead.ts';

/**
 * Samples [from, middle) and [middle, length) rise in time each; afterwards all of them do. Of two
 * at one time the first run's stays. Nothing is done, in constant time, where the second run is
 * the later one as a whole.
 */
export function mergeRuns(columns: SampleColumns, from: number, middle: number): void {
  const { timestamps, length } = columns;
  if (from >= middle || middle >= length) return;
  if (timestamps[middle] > timestamps[middle - 1]) return;
  const start = lowerBound(timestamps, from, middle, timestamps[middle]);
  // Where the first run's rest is copied out, the result can be written over both from the left.
  const count = middle - start;
  const ownTimes = timestamps.slice(start, middle);
  const bits = bitsOf(columns.values);
  const ownBits = bits.slice(2 * start, 2 * middle);
  const { histograms, startTimes } = columns;
  const ownStartTimes = startTimes?.slice(start, middle);
  const ownHistograms = histograms?.slice(start, middle);
  let own = 0;
  let other = middle;
  let to = start;
  while (own < count) {
    if (other < length && timestamps[other] < ownTimes[own]) {
      move(columns, bits, to++, other++);
      continue;
    }
    if (other < length && timestamps[other] === ownTimes[own]) {
      if (isStaleBits(bits, other)) columns.staleCount--;
      other++;
    }
    timestamps[to] = ownTimes[own];
    bits[2 * to] = ownBits[2 * own];
    bits[2 * to + 1] = ownBits[2 * own + 1];
    if (histograms !== null) histograms[to] = ownHistograms?.[own];
    if (startTimes !== null) startTimes[to] = ownStartTimes?.[own] ?? 0;
    to++;
    own++;
  }
  while (other < length) move(columns, bits, to++, other++);
  columns.length = to;
  if (histograms !== null) histograms.length = to;
}

function move(columns: SampleColumns, bits: Uint32Array, to: number, from: number): void {
  columns.timestamps[to] = columns.timestamps[from];
  bits[2 * to] = bits[2 * from];
  bits[2 * to + 1] = bits[2 * from + 1];
  if (columns.histograms !== null) columns.histograms[to] = columns.histograms[from];
  if (columns.startTimes !== null) columns.startTimes[to] = columns.startTimes[from];
}

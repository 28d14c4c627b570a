import fc from 'fast-check';
import { TytoError } from '@tyto/base';
import { encodeChunk } from '@tyto/kernels';
import { SampleColumns } from '@tyto/model';
import { someHistogram } from '@tyto/model/testing';
import { describe, expect, it } from 'vitest';
import { appendChunk } from './chunkRead.ts';
import { encodeHistogramChunk, encodeLayout, rowOf } from './histogramChunk.ts';
import { sealRecord } from './log/frame.ts';
import { encodeSamples, type RecordVisitor, readRecords } from './log/record.ts';
import { startedRecord } from './log/startedRecord.ts';
import { hasStartTimes, samplesOf, withStartTimes } from './startTimeChunk.ts';

const startTime = fc.oneof(
  fc.constant(0),
  fc.integer({ min: -5, max: 2 ** 41 }),
  fc.double({ noNaN: true }),
);
const startTimes = fc
  .array(startTime, { minLength: 1, maxLength: 60 })
  .map((all) => Float64Array.from(all));

/** Samples 0, 1, 2 … with these start times; floats, or histograms of one layout. */
function chunkOf(known: Float64Array, isHistogram: boolean): Uint8Array {
  const times = Float64Array.from(known, (_, i) => i);
  if (!isHistogram) {
    const chunk = encodeChunk(times, times, 0, times.length);
    return withStartTimes(chunk, known, 0, known.length);
  }
  const histograms = Array.from(known, (_, i) => someHistogram(i, 3, true));
  const layout = encodeLayout(histograms[0]);
  const chunk = encodeHistogramChunk(layout, times, histograms.map(rowOf));
  return withStartTimes(chunk, known, 0, known.length);
}

describe('a chunk with start times', () => {
  it('gives them back with the samples of the asked time', () => {
    fc.assert(
      fc.property(startTimes, fc.boolean(), fc.nat(60), fc.nat(60), (known, isHistogram, a, b) => {
        const chunk = chunkOf(known, isHistogram);
        expect(samplesOf(chunk)).toBe(known.length);
        expect(hasStartTimes(chunk)).toBe(known.some((one) => one !== 0));
        const columns = new SampleColumns(1);
        columns.push(-1, 1);
        appendChunk(chunk, a, b, columns);
        const want = Array.from(known, (startMs, i) => [i, startMs]).filter(
          ([i]) => i >= a && i <= b,
        );
        const found = Array.from({ length: columns.length }, (_, i) => [
          columns.timestamps[i],
          columns.startTimes?.[i] ?? 0,
        ]);
        expect(found).toEqual([[-1, 0], ...want]);
      }),
    );
  });

  it('that is damaged throws `io`, whatever the damage is', () => {
    fc.assert(
      fc.property(startTimes, fc.boolean(), fc.nat(), fc.nat(255), (known, isHistogram, at, to) => {
        const chunk = Uint8Array.from(chunkOf(known, isHistogram));
        chunk[at % chunk.length] = to;
        for (const damaged of [chunk, chunk.subarray(0, at % chunk.length)]) {
          try {
            samplesOf(damaged);
            appendChunk(damaged, -Infinity, Infinity, new SampleColumns(1));
          } catch (error) {
            expect(error).toBeInstanceOf(TytoError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a record with start times', () => {
  it('that means nothing is stepped over', () => {
    const ids = Uint32Array.of(1, 2, 3);
    const columns = Float64Array.of(1, 2, 3);
    const record = startedRecord(encodeSamples(ids, columns, columns, 0, 3), columns, 0, 3);
    let sampleCount = 0;
    const visitor = new Proxy({} as RecordVisitor, {
      get: (_, name) => (what: { ids: Uint32Array; startTimes: Float64Array | null }) => {
        if (name !== 'samples') return;
        sampleCount += what.ids.length;
        expect(what.startTimes).toHaveLength(what.ids.length);
      },
    });
    const read = (bytes: Uint8Array<ArrayBuffer>) => readRecords(sealRecord(bytes), visitor, true);
    expect(read(Uint8Array.from(record)).records).toBe(1);
    expect(sampleCount).toBe(3);
    fc.assert(
      fc.property(fc.integer({ min: 13, max: record.length - 1 }), fc.nat(255), (at, to) => {
        const changed = Uint8Array.from(record);
        changed[at] = to;
        expect(read(changed).consumed).toBe(changed.length);
        const cut = changed.slice(0, Math.max(14, at));
        expect(read(cut).consumed).toBe(cut.length);
      }),
      { numRuns: 1000 },
    );
  });
});

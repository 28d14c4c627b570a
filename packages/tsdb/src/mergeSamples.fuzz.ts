import fc from 'fast-check';
import { SampleColumns } from '@tyto/model';
import { someHistogram } from '@tyto/model/testing';
import { describe, expect, it } from 'vitest';
import { mergeRuns } from './mergeSamples.ts';

/** A run: rising times, each with what lies there. */
const run = fc
  .uniqueArray(fc.nat({ max: 40 }), { maxLength: 25 })
  .map((times) => times.sort((a, b) => a - b))
  .chain((times) =>
    fc.tuple(...times.map((time) => fc.tuple(fc.constant(time), fc.nat({ max: 3 })))),
  );

type Run = readonly (readonly [time: number, kind: number])[];

function push(columns: SampleColumns, samples: Run, who: number): void {
  for (const [time, kind] of samples) {
    if (kind === 0) columns.pushStale(time);
    else if (kind === 1) columns.pushHistogram(time, someHistogram(time + who, 3, true));
    else columns.push(time, time * 10 + who);
    if (kind > 1) columns.setStartTime(columns.length - 1, time * 100 + who);
  }
}

function shown(columns: SampleColumns): unknown[] {
  return Array.from({ length: columns.length }, (_, i) => [
    columns.timestamps[i],
    columns.isStale(i) ? 'stale' : (columns.histograms?.[i] ?? columns.values[i]),
    columns.startTimes?.[i] ?? 0,
  ]);
}

describe('runs that overlap', () => {
  it('become one that rises; the first one wins where both have a sample', () => {
    fc.assert(
      fc.property(run, run, run, (before, first, second) => {
        const columns = new SampleColumns(1);
        push(columns, before, 0);
        const from = columns.length;
        push(columns, first, 1);
        const middle = columns.length;
        push(columns, second, 2);
        const want = new SampleColumns(1);
        push(want, before, 0);
        const taken = new Set(first.map(([time]) => time));
        const tagged = [
          ...first.map((sample) => ({ sample, who: 1 })),
          ...second.filter(([time]) => !taken.has(time)).map((sample) => ({ sample, who: 2 })),
        ].sort((a, b) => a.sample[0] - b.sample[0]);
        for (const { sample, who } of tagged) push(want, [sample], who);
        mergeRuns(columns, from, middle);
        expect(shown(columns)).toEqual(shown(want));
        expect(columns.staleCount).toBe(want.staleCount);
      }),
    );
  });
});

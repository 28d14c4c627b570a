/** Samples and histograms for property tests. */
import { type FloatHistogram, Labels, SampleColumns } from '@tyto/model';
import fc from 'fast-check';
import { appendWords } from '../columns.ts';

/** Floats by their bits, so that every NaN is among them. */
const floatWords = fc.oneof(
  fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)),
  fc.constantFrom<[number, number]>([0x7ff00000, 2], [0, 0], [0x80000000, 0], [0x3ff00000, 0]),
);

const gap = fc.oneof(
  fc.constant(15_000),
  fc.integer({ min: 1, max: 30_000 }),
  fc.integer({ min: 1, max: 2 ** 40 }),
);

const start = fc.oneof(
  fc.constant(1_700_000_000_000),
  fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
);

export const floatColumns = fc
  .tuple(start, fc.array(fc.tuple(gap, floatWords), { minLength: 1, maxLength: 200 }))
  .map(([first, samples]) => {
    const columns = new SampleColumns();
    let time = first;
    for (const [step, [high, low]] of samples) {
      appendWords(columns, time, high, low);
      time += step;
    }
    return columns;
  });

const spans = fc.array(
  fc.record({ offset: fc.integer({ min: 0, max: 300 }), length: fc.integer({ min: 0, max: 4 }) }),
  { maxLength: 3 },
);

const layout = fc
  .record({
    schema: fc.constantFrom(-4, -1, 0, 3, 8, -53),
    zeroThreshold: fc.constantFrom(0, 2 ** -128, 0.001, 2 ** 10, 2 ** -243, 2 ** 11, 1e300),
    positiveSpans: spans,
    negativeSpans: spans,
    customValues: fc.array(fc.oneof(fc.constantFrom(0.005, 1, 33554.43, -1, 1e9), fc.double()), {
      maxLength: 4,
    }),
  })
  .map((one) => ({ ...one, customValues: one.schema === -53 ? one.customValues : [] }));

const count = fc.oneof(fc.nat(1000), fc.nat(2 ** 40));

function histogramOf(isInteger: boolean) {
  const value = isInteger ? count : fc.oneof(count, fc.double({ min: 0, noNaN: true }));
  const hint = fc.constantFrom('unknown', 'reset', 'not_reset', 'gauge');
  return layout.chain((shared) => {
    const total = (list: typeof shared.positiveSpans) =>
      list.reduce((sum, { length }) => sum + length, 0);
    const buckets = (size: number) => fc.array(value, { minLength: size, maxLength: size });
    const sample = fc.record({
      counterResetHint: hint,
      zeroCount: value,
      count: value,
      sum: fc.double(),
      positiveBuckets: buckets(total(shared.positiveSpans)),
      negativeBuckets: buckets(total(shared.negativeSpans)),
    });
    const whole = isInteger ? { isInteger: true } : {};
    return fc
      .array(sample, { minLength: 1, maxLength: 12 })
      .map((all) => all.map((one) => ({ ...whole, ...shared, ...one }) as FloatHistogram));
  });
}

/** Runs of histograms of several layouts, with floats and stale markers between them. */
export const mixedColumns = fc
  .array(fc.oneof(histogramOf(true), histogramOf(false), fc.constant('float' as const)), {
    minLength: 1,
    maxLength: 5,
  })
  .map((runs) => {
    const columns = new SampleColumns();
    let time = 1_700_000_000_000;
    for (const run of runs) {
      if (run === 'float') {
        columns.push(time++, 1.5);
        columns.pushStale(time++);
      } else {
        for (const histogram of run) {
          time += 15_000;
          columns.pushHistogram(time, histogram);
        }
      }
    }
    return columns;
  });

const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc.constantFrom('a', 'b', '\ue000', '\uffff', '😀', '\u{10ffff}'),
);

/** Different sets of labels, in no order. */
export const labelSets = fc
  .array(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((sets) => {
    const all = sets.map((pairs) => Labels.fromEntries(pairs));
    return [...new Map(all.map((labels) => [labels.key, labels])).values()];
  });

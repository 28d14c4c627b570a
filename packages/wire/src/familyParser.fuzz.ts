/** The readers that make native histograms: hostile bytes are read or refused, never more. */
import { TytoError } from '@tyto/base';
import { ClassicConverter, ENTRY_END, ENTRY_HISTOGRAM, FamilyParser } from '@tyto/wire';
import type { ExpositionReader } from '@tyto/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFamilies, writeExemplar } from './testing.ts';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);
const options = { seed, numRuns: 400 };

const VALID = encodeFamilies([
  {
    name: 'h_seconds',
    type: 'histogram',
    help: 'Help.',
    unit: 'seconds',
    metrics: [
      {
        labels: { a: 'b', c: 'd' },
        timestampMs: 5,
        write(writer) {
          writer.int64(1, 9);
          writer.double(2, 20.5);
          const bucket = writer.begin(3);
          writer.int64(1, 4);
          writer.double(2, 1);
          writeExemplar(writer, 3, { trace_id: 'a' }, 0.5, 7);
          writer.end(bucket);
          writer.sint32(5, 3);
          const span = writer.begin(12);
          writer.sint32(1, 3);
          writer.uint32(2, 2);
          writer.end(span);
          writer.sint64s(13, [2, 3]);
        },
      },
    ],
  },
  { name: 'c', type: 'counter', metrics: [{ write: (writer) => writer.double(1, 7) }] },
]);
const TEXT =
  '# TYPE h histogram\nh_bucket{le="1",a="b"} 2\nh_bucket{le="+Inf",a="b"} 3\nh_sum{a="b"} 1\n' +
  'h_count{a="b"} 3\nh_bucket{le="+Inf"} 1\nplain 7\n';

/** Walks it all; the only way to fail is a TytoError. */
function walk(reader: ExpositionReader, bytes: Uint8Array): number {
  let count = 0;
  try {
    reader.start(bytes);
    for (let entry = reader.next(); entry !== ENTRY_END; entry = reader.next()) {
      if (++count > bytes.length * 20 + 20) throw new Error('the reader does not move on');
      if (reader.seriesEnd > 0) reader.labels();
      reader.exemplar();
      if (entry !== ENTRY_HISTOGRAM) continue;
      reader.histogram?.();
      reader.exemplars?.();
    }
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
  }
  return count;
}

function readers(): ExpositionReader[] {
  const all = [true, false];
  return all.flatMap((readsNative) =>
    all.map(
      (convertsClassic) => new FamilyParser({ readsNative, keepsClassic: true, convertsClassic }),
    ),
  );
}

test(`random bytes (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const reader of readers()) walk(reader, bytes);
      walk(new ClassicConverter('text', true), bytes);
    }),
    options,
  );
});

test(`mutations (seed ${seed})`, () => {
  const edit = fc.tuple(fc.nat(), fc.nat(255), fc.nat(2));
  const mutated = (from: Uint8Array, edits: readonly [number, number, number][]) => {
    const bytes = [...from];
    for (const [at, byte, how] of edits) {
      bytes.splice(at % bytes.length, how === 0 ? 0 : 1, ...(how < 2 ? [byte] : []));
    }
    return Uint8Array.from(bytes);
  };
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 5 }), (edits) => {
      for (const reader of readers()) walk(reader, mutated(VALID, edits));
      const text = mutated(new TextEncoder().encode(TEXT), edits);
      for (const keeps of [true, false]) {
        for (const format of ['text', 'openmetrics'] as const) {
          walk(new ClassicConverter(format, keeps), text);
        }
      }
    }),
    options,
  );
});

test('what they stand on is there without mutations', () => {
  expect(readers().map((reader) => walk(reader, VALID))).toEqual([10, 10, 10, 9]);
  expect(walk(new ClassicConverter('text', false), new TextEncoder().encode(TEXT))).toBe(4);
  expect(walk(new ClassicConverter('text', true), new TextEncoder().encode(TEXT))).toBe(9);
});

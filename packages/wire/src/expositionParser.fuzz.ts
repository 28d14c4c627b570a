import { TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';
import { ENTRY_END, ENTRY_SAMPLE, ExpositionParser, writeExposition } from '@tyto/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);
const options = { seed, numRuns: 400 };

const VALID =
  '# HELP a_seconds some \\n help\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n' +
  'a_seconds_bucket{le="0.5",path="/x \\"y\\""} 3 # {trace_id="abc"} 0.3 1.5\n' +
  '{"b.c","d.e"="f"} -1.5e-7 1620000000\nplain 7\n# EOF\n';

/** Walks it all; the only way to fail is a TytoError. Returns each series with its value. */
function walk(bytes: Uint8Array, format: 'text' | 'openmetrics', guess?: Uint8Array): string[] {
  const parser = new ExpositionParser(format);
  if (guess !== undefined) {
    parser.guessBytes = guess;
    parser.guessEnd = guess.length;
  }
  const seen: string[] = [];
  try {
    parser.start(bytes);
    while (seen.length <= bytes.length) {
      const entry = parser.next();
      if (entry === ENTRY_END) return seen;
      if (entry !== ENTRY_SAMPLE) continue;
      seen.push(`${parser.labels()} ${parser.value} ${parser.exemplar()?.value}`);
    }
    throw new Error('the parser does not move on');
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    return [...seen, error.message];
  }
}

test(`random bytes are read or refused, never more (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      walk(bytes, 'text');
      walk(bytes, 'openmetrics');
    }),
    options,
  );
});

test(`mutations are read or refused, with a guess as without (seed ${seed})`, () => {
  const edit = fc.tuple(fc.nat(VALID.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(2));
  const guess = new TextEncoder().encode('plain');
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      const bytes = [...new TextEncoder().encode(VALID)];
      for (const [at, byte, how] of edits)
        bytes.splice(at, how === 0 ? 0 : 1, ...(how < 2 ? [byte] : []));
      for (const format of ['text', 'openmetrics'] as const) {
        const plain = walk(Uint8Array.from(bytes), format);
        expect(walk(Uint8Array.from(bytes), format, guess)).toEqual(plain);
      }
    }),
    options,
  );
});

test(`what the writer writes, the parser reads back (seed ${seed})`, () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  const name = fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,8}$/);
  const sample = fc.record({ labels: fc.dictionary(name, text), value: fc.double() });
  fc.assert(
    fc.property(name, text, fc.array(sample, { minLength: 1 }), (metric, help, samples) => {
      const written = writeExposition([
        {
          name: metric,
          type: 'gauge',
          help,
          samples: samples.map(({ labels, value }) => ({ labels: Object.entries(labels), value })),
        },
      ]);
      const expected = samples.map(({ labels, value }) => {
        const series = Labels.of({ ...labels, __name__: metric });
        return `${series} ${value} undefined`;
      });
      expect(walk(new TextEncoder().encode(written), 'text')).toEqual(expected);
    }),
    options,
  );
});

/** Stages over any line: they end in time, and read well-formed ones as other parsers do. */
import { ManualClock, TytoError } from '@tyto/base';
import { Labels, type LogStore, MemoryLogStore } from '@tyto/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogqlEngine } from '@tyto/logql';

const RUNS = Number(process.env.TYTO_FUZZ_RUNS ?? 300);
/** Generous: a crowded machine is slow, and what is quadratic would take far longer. */
const MS_MAX = 4000;

const STAGES = [
  '| json',
  '| json a="b.c[0]", d="e[\\"f\\"]"',
  '| logfmt',
  '| logfmt --strict --keep-empty',
  '| logfmt a="b"',
  '| pattern "<a> <b>=<_>;<c>"',
  '| regexp "(?P<a>\\\\w+)=(?P<b>.*)"',
  '| unpack',
  '| decolorize',
  '|= ip("10.0.0.0/8") or "x"',
  '!~ "(?i)err|a.*b"',
  '!> "<_>a<_>b"',
  '| a > 5 or b <= 2s or c = ip("::1")',
  '| size > 5KB',
  '| line_format "{{.a}} {{ .b | upper | trunc 5 }} {{ __line__ | count \\"a\\" }}"',
  '| label_format x="{{ .a | default \\"z\\" }}", y=b',
  '| drop a, b="c" | keep x, a',
];

async function entriesOf(line: string, stages: string): Promise<Record<string, string>[]> {
  const store: LogStore = new MemoryLogStore();
  const entries = [{ timestampNs: 1n, line, metadata: Labels.empty }];
  await store.append('t', [{ labels: Labels.of({ unlikely_name: '1' }), entries }]);
  const engine = new LogqlEngine({ store, clock: new ManualClock() });
  const { value } = await engine.range({
    tenant: 't',
    query: `{unlikely_name="1"} ${stages}`,
    limit: 10,
    direction: 'forward',
    startNs: 0n,
    endNs: 10n,
    stepNs: 1n,
    intervalNs: 0n,
  });
  if (value.type !== 'streams') throw new Error('a log query gives streams');
  return value.streams.flatMap(({ entries: found }) =>
    found.map(({ parsed }) => parsed.toRecord()),
  );
}

/** What `| json` says of a document, the slow way. */
function flattened(value: unknown, prefix: string, into: Record<string, string>): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    const clean = key.trim().replace(/[^a-zA-Z0-9_]/gu, '_');
    const first = prefix === '' && /^\d/.test(clean) ? `_${clean}` : clean;
    const name = prefix === '' ? first : `${prefix}_${clean}`;
    flattened(inner, name, into);
    const isScalar = ['string', 'number', 'boolean'].includes(typeof inner);
    if (name === '' || !isScalar || Object.hasOwn(into, name)) continue;
    into[name] = String(inner).replaceAll('\ufffd', ' ');
  }
}

const keys = fc.oneof(fc.constantFrom('a', 'b', 'level', 'a.b', '5x', 'x y'), fc.string());
const document = fc.dictionary(
  keys,
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
    ),
  })).value,
  { maxKeys: 6 },
);

describe('json', () => {
  it('finds what JSON.parse finds', async () => {
    await fc.assert(
      fc.asyncProperty(document, fc.nat(2), async (value, indent) => {
        // Without a prototype, `__proto__` is a key like any other.
        const expected: Record<string, string> = Object.create(null);
        flattened(value, '', expected);
        const wanted = Object.entries(expected).filter(([, text]) => text !== '');
        const [found] = await entriesOf(JSON.stringify(value, null, indent), '| json');
        expect(found).toEqual(Object.fromEntries(wanted));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('any line', () => {
  const anyLine = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.json(),
    fc
      .array(
        fc.constantFrom('a=b', 'x="y z"', '="', '{"a":', '}', '[', '\\', '\u001b[31m', '10.0.0.1'),
      )
      .map((parts) => parts.join(' ')),
  );

  it('passes all stages, or gets an error label', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyLine,
        fc.array(fc.constantFrom(...STAGES), { maxLength: 5 }),
        async (line, stages) => {
          expect((await entriesOf(line, stages.join(' '))).length).toBeLessThan(2);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('however long it is takes time that its length tells', async () => {
    const parts = [
      '{"a":',
      '[',
      '{"a":1,',
      '"',
      '\\"',
      'a=b ',
      'a="',
      '=',
      '\u001b[',
      '1.',
      'a:',
      ' ',
      'é',
      '::',
    ];
    for (const part of parts) {
      const line = part.repeat(Math.floor(200_000 / part.length));
      for (const stage of STAGES) {
        const startMs = performance.now();
        try {
          await entriesOf(line, stage);
        } catch (error) {
          if (!(error instanceof TytoError)) throw error;
        }
        expect(performance.now() - startMs, `${part} ${stage}`).toBeLessThan(MS_MAX);
      }
    }
  }, 120_000);
});

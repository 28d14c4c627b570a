/** The lines of expositions: the kernel against its twin, which reads numbers with `Number`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExpectedLines, LineMatcher, matchLinesSlowly } from '@tyto/kernels';

const digits = (max: number) =>
  fc.array(fc.nat(9), { maxLength: max }).map((list) => list.join(''));

/** Numbers as exporters write them, at the edges of what a double holds, and broken ones. */
const number = fc.oneof(
  { weight: 4, arbitrary: fc.double().map((value) => String(value).replace('Infinity', '+Inf')) },
  { weight: 2, arbitrary: fc.maxSafeInteger().map(String) },
  { weight: 2, arbitrary: fc.double({ min: 1e-3, max: 1e15 }).map(String) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 1e22 }).map((x) => x.toExponential()) },
  fc
    .tuple(fc.constantFrom('', '-', '+'), digits(20), fc.constantFrom('', '.'), digits(20))
    .map((parts) => parts.join('')),
  fc
    .tuple(digits(19), fc.constantFrom('e', 'E'), fc.integer({ min: -70, max: 70 }))
    .map(([mantissa, e, exponent]) => `${mantissa}${e}${exponent < 0 ? '' : '+'}${exponent}`),
  // Halfway between two doubles, and next to it.
  fc
    .tuple(fc.bigInt(2n ** 53n, 2n ** 63n), fc.constantFrom(-1n, 0n, 1n))
    .map(([value, off]) => String((value | 1n) + off)),
  fc.constantFrom('NaN', '+Inf', '-Inf', 'Inf', 'nan', '0', '-0', '0e5', '1e400', '5e-324', ''),
  fc.constantFrom('1 1700000000000', '1 ', ' 1', '\t1', '{} 1', '1\r', '0x1p3', '1_0', '1e', '.'),
);

const name = fc.constantFrom('a', 'ab', 'up{job="a"}', 'up{job="b"}', 'requests_total{code="2"}');

function expected(series: readonly string[], next: readonly number[]): ExpectedLines {
  const arena = new TextEncoder().encode(series.join(''));
  const ends = new Uint32Array(series.length);
  const starts = new Uint32Array(series.length);
  let at = 0;
  series.forEach((text, i) => {
    starts[i] = at;
    at += text.length;
    ends[i] = at;
  });
  const size = series.length;
  return { size, arena, arenaLength: arena.length, starts, ends, next: Int32Array.from(next) };
}

const bitsOf = (values: Iterable<number>) => new BigUint64Array(Float64Array.from(values).buffer);

describe('the lines of an exposition', () => {
  const matcher = new LineMatcher();

  it('are taken as the twin takes them, to the bit', () => {
    const line = fc.tuple(name, number).map(([series, value]) => `${series} ${value}\n`);
    const known = fc.uniqueArray(name, { minLength: 1 });
    const cut = fc.constantFrom(0, 1, 5);
    fc.assert(
      fc.property(fc.array(line), known, cut, fc.func(fc.nat(5)), (lines, series, less, pick) => {
        const whole = lines.join('');
        const body = whole.slice(0, whole.length - less);
        const next = series.map((_, i) => pick(i) - 1).map((i) => (i < series.length ? i : -1));
        expect(matcher.open(new TextEncoder().encode(body), expected(series, next))).toBe(true);
        let position = 0;
        for (const text of lines) {
          for (let first = 0; first < series.length; first++) {
            const slow = matchLinesSlowly(body, position, first, series, next);
            const count = matcher.match(position, first);
            expect([...matcher.entries.subarray(0, count)]).toEqual(slow.entries);
            expect(bitsOf(matcher.values.subarray(0, count))).toEqual(bitsOf(slow.values));
            expect([matcher.end, matcher.next]).toEqual([slow.end, slow.next]);
          }
          position += text.length;
          if (position > body.length) break;
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('have their numbers read to the nearest double', () => {
    const lines = expected(['a'], [0]);
    fc.assert(
      fc.property(fc.array(number, { minLength: 50, maxLength: 200 }), (texts) => {
        for (const text of texts) {
          const body = `a ${text}\n`;
          matcher.open(new TextEncoder().encode(body), lines);
          const slow = matchLinesSlowly(body, 0, 0, ['a'], [0]);
          const count = matcher.match(0, 0);
          expect([text, ...bitsOf(matcher.values.subarray(0, count))]).toEqual([
            text,
            ...bitsOf(slow.values),
          ]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('that are more than a run goes on in the next one', () => {
    const body = new TextEncoder().encode('a 1\n'.repeat(2500));
    matcher.open(body, expected(['a'], [0]));
    const counts: number[] = [];
    for (let position = 0; position < body.length; position = matcher.end) {
      counts.push(matcher.match(position, 0));
    }
    expect(counts).toEqual([1024, 1024, 452]);
  });

  it('of a body that is too large are left to the parser', () => {
    expect(matcher.open(new Uint8Array(20_000_000), expected(['a'], [0]))).toBe(false);
    expect(matcher.open(new Uint8Array(10), expected(['a'], [0]))).toBe(true);
    expect(matcher.match(0, 0)).toBe(0);
  });
});

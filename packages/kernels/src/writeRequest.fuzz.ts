/** Remote write requests: the kernel against its twin, on requests right, damaged and made up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TytoError } from '@tyto/base';
import { readWriteRequestSlowly, type SlowSeries, type WriteVersion } from '@tyto/kernels';
import { KEY, label, message, readFast, sample, text, varint } from './testing.ts';

const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const timestamp = fc.oneof(
  fc.integer({ min: 1_600_000_000_000, max: 1_800_000_000_000 }).map(BigInt),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 0n, max: 300n }),
);
const unknown = fc.constantFrom<number[]>(
  [0x78, 5],
  [0x79, 1, 2, 3, 4, 5, 6, 7, 8],
  [0x7d, 1, 2, 3, 4],
  message(15, [1, 2]),
  [0xf8, 0x07, 0x80, 0x01],
  message(3, []),
  message(4, []),
);
const sampleField = fc
  .tuple(timestamp, bits, fc.constantFrom<number[]>([], [0x18, 9], [0x12, 0], [0x10, 0x80, 1]))
  .map(([time, value, more]) => message(2, [...sample(time, value), ...more]));
const shortText = fc.string({ maxLength: 12 });

const seriesV1 = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.tuple(shortText, shortText).map(([a, b]) => label(a, b)) },
      { weight: 4, arbitrary: sampleField },
      { weight: 1, arbitrary: unknown },
    ),
    { maxLength: 12 },
  )
  .map((fields) => message(1, fields.flat()));
const refs = fc.array(fc.oneof(fc.nat(5), fc.constant(300)), { maxLength: 8 });
const seriesV2 = fc
  .array(
    fc.oneof(
      refs.map((all) => message(1, all.flatMap(varint))),
      fc.nat(5).map((ref) => [0x08, ref]),
      sampleField,
      unknown,
      fc.constant(message(5, [8, 1])),
    ),
    { maxLength: 9 },
  )
  .map((fields) => message(5, fields.flat()));
const symbols = fc
  .array(shortText, { minLength: 4, maxLength: 7 })
  .map((all) => all.flatMap((symbol) => text(4, symbol)));

const requestV1 = fc
  .array(fc.oneof(seriesV1, unknown), { maxLength: 8 })
  .map((fields) => Uint8Array.from(fields.flat()));
const requestV2 = fc
  .tuple(symbols, fc.array(fc.oneof(seriesV2, unknown), { maxLength: 8 }), symbols)
  .map(([first, fields, more]) => Uint8Array.from([...first, ...fields.flat(), ...more]));

function outcome(read: () => SlowSeries[]): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof TytoError) return error.kind;
    throw error;
  }
}

function agree(body: Uint8Array, version: WriteVersion): void {
  const slow = outcome(() => readWriteRequestSlowly(body, version, KEY));
  expect(outcome(() => readFast(body, version))).toEqual(slow);
}

/** Two samples a millisecond apart, at times so far away that they are the same as numbers. */
const FAR_AWAY = [16, 128, 252, 255, 255, 255, 255, 255, 255, 127];
const EQUAL_AS_NUMBERS = Uint8Array.from([
  ...[10, 24, 18, 10, ...FAR_AWAY],
  ...[18, 10, 16, 129, ...FAR_AWAY.slice(2)],
]);

describe('the kernel that reads remote write requests', () => {
  for (const [version, request] of [
    [1, requestV1],
    [2, requestV2],
  ] as const) {
    it(`agrees with its twin on every ${version}.0 request`, () => {
      fc.assert(
        fc.property(request, (body) => agree(body, version)),
        { numRuns: 600, examples: version === 1 ? [[EQUAL_AS_NUMBERS]] : [] },
      );
    });

    it(`agrees with its twin on damaged ${version}.0 requests`, () => {
      const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
      fc.assert(
        fc.property(request, changes, fc.nat(), (body, all, cut) => {
          for (const [at, byte] of all) if (body.length > 0) body[at % body.length] = byte;
          agree(cut % 4 === 0 ? body.subarray(0, cut % (body.length + 1)) : body, version);
        }),
        { numRuns: 1500 },
      );
    });
  }
});

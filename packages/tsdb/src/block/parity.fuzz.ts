import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mend, ParityBuilder } from './parity.ts';

const PAGE = 4096;
const GROUP = 32 * PAGE;

/** Bytes that depend on their place, and their parity, in pieces of any size. */
function written(length: number, piece: number) {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff);
  const parity = new ParityBuilder();
  for (let at = 0; at < length; at += piece) parity.push(bytes.subarray(at, at + piece));
  return { bytes, parity: parity.finish() };
}

const same = (a: Uint8Array | undefined, b: Uint8Array) =>
  a !== undefined && Buffer.compare(a, b) === 0;

describe('the parity of a file', () => {
  it('mends whatever happened to one page of each group', () => {
    const length = fc.integer({ min: 1, max: 3 * GROUP });
    const piece = fc.integer({ min: 100, max: 100_000 });
    const places = fc.array(fc.nat(), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(
        length,
        piece,
        places,
        fc.integer({ min: 1, max: 255 }),
        (size, step, at, flip) => {
          const { bytes, parity } = written(size, step);
          expect(same(mend(bytes, parity), bytes)).toBe(true);
          const damaged = bytes.slice();
          at.forEach((place, group) => {
            const start = group * GROUP;
            const room = Math.min(GROUP, size - start);
            if (room <= 0) return;
            const page = start + Math.floor((place % room) / PAGE) * PAGE;
            for (let i = page; i < Math.min(size, page + PAGE); i += 1 + (place % 500)) {
              damaged[i] ^= flip;
            }
          });
          expect(same(mend(damaged, parity), bytes)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('mends a file whose last page is cut off or grown', () => {
    const { bytes, parity } = written(10_000, 999);
    expect(same(mend(bytes.subarray(0, 9000), parity), bytes)).toBe(true);
    expect(same(mend(Buffer.concat([bytes, bytes]), parity), bytes)).toBe(true);
  });

  it('says so where two pages of a group are damaged, or it is damaged itself', () => {
    const { bytes, parity } = written(50_000, 5000);
    const damaged = bytes.slice();
    damaged[10] ^= 1;
    damaged[20_000] ^= 1;
    expect(mend(damaged, parity)).toBeUndefined();
    for (let bit = 0; bit < parity.length * 8; bit += 97) {
      const broken = parity.slice();
      broken[bit >> 3] ^= 1 << (bit & 7);
      expect(mend(bytes, broken), `bit ${bit}`).toBeUndefined();
    }
    for (const length of [0, 5, 19, 20, 500]) {
      expect(mend(bytes, parity.subarray(0, length))).toBeUndefined();
    }
  });

  it('of an empty file is of an empty file', () => {
    const { bytes, parity } = written(0, 1);
    expect(same(mend(new Uint8Array(0), parity), bytes)).toBe(true);
  });
});

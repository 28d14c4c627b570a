/** Snappy: the kernel against its twin, on blocks that are right, damaged and made up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TytoError } from '@tyto/base';
import { decodeSnappy, decodeSnappySlowly, encodeSnappy } from '@tyto/kernels';

const SIZE_MAX = 1 << 20;

/** Bytes with repetitions near and far, as messages have them. */
const repetitive = fc
  .array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.nat(30)), { maxLength: 120 })
  .map((parts) => {
    const bytes: number[] = [];
    const seen: Uint8Array[] = [Uint8Array.of(7)];
    for (const part of parts) {
      if (typeof part !== 'number') seen.push(part);
      const piece = typeof part === 'number' ? seen[part % seen.length] : part;
      const times = typeof part === 'number' ? 1 + (part % 9) : 1;
      for (let i = 0; i < times; i++) bytes.push(...piece);
    }
    return Uint8Array.from(bytes);
  });

function decoded(decode: typeof decodeSnappy | typeof decodeSnappySlowly, block: Uint8Array) {
  try {
    return Buffer.from(decode(block, SIZE_MAX)).toString('hex');
  } catch (error) {
    if (error instanceof TytoError) return error.kind;
    throw error;
  }
}

describe('snappy', () => {
  it('gives back what was encoded, and the twin reads it too', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), repetitive), (bytes) => {
        const block = encodeSnappy(bytes);
        expect(Buffer.from(decodeSnappy(block, SIZE_MAX)).equals(bytes)).toBe(true);
        expect(Buffer.from(decodeSnappySlowly(block, SIZE_MAX)).equals(bytes)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('takes made up and damaged blocks exactly as the twin does', () => {
    const damaged = fc
      .tuple(repetitive, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat())
      .map(([bytes, changes, cut]) => {
        const block = encodeSnappy(bytes);
        for (const [at, byte] of changes) block[at % block.length] = byte;
        return cut % 3 === 0 ? block.subarray(0, cut % (block.length + 1)) : block;
      });
    const madeUp = fc
      .tuple(fc.nat(80), fc.uint8Array({ maxLength: 40 }))
      .map(([size, bytes]) => Uint8Array.of(size, ...bytes));
    fc.assert(
      fc.property(fc.oneof(damaged, madeUp, fc.uint8Array({ maxLength: 20 })), (block) => {
        expect(decoded(decodeSnappy, block)).toBe(decoded(decodeSnappySlowly, block));
      }),
      { numRuns: 3000 },
    );
  });
});

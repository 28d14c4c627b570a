import { spawnSync } from 'node:child_process';
import { TytoError } from '@tyto/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeZstd } from './zstd.ts';

const MAX = 1 << 20;

/** What `zstd -19 --no-check --stream-size=25` makes of 'Tyto ' five times. */
const PACKED = '28b52ffd20195d0000285479746f200100a08b16';

function packed(bytes: Uint8Array, ...options: string[]): Buffer | undefined {
  const { stdout, status } = spawnSync('zstd', ['-c', '-q', ...options], { input: bytes });
  return status === 0 ? stdout : undefined;
}

const text = Buffer.from('Tyto '.repeat(5));

describe('a frame of zstd', () => {
  it('is unpacked', () => {
    expect(Buffer.from(decodeZstd(Buffer.from(PACKED, 'hex'), MAX)).toString()).toBe(
      text.toString(),
    );
  });

  it('of the zstd program is, of any size', () => {
    for (const size of [1, 200, 300, 70_000, 600_000]) {
      const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * i) % 251));
      const frame = packed(bytes, `--stream-size=${size}`);
      if (frame === undefined) {
        process.stderr.write('SKIPPED: no zstd program\n');
        return;
      }
      expect(Buffer.from(decodeZstd(frame, MAX)).equals(bytes)).toBe(true);
    }
  });

  it('is refused when it says no size, or one beyond the limit', () => {
    expect(() => decodeZstd(Buffer.from(PACKED, 'hex'), 24)).toThrow('25 bytes');
    const silent = Buffer.from('28b52ffd0058', 'hex');
    expect(() => decodeZstd(silent, MAX)).toThrow('does not say');
    const giant = Buffer.from('28b52ffde0ffffffffffffff7f', 'hex');
    expect(() => decodeZstd(giant, MAX)).toThrow('over 1048576');
  });

  it('is unpacked or refused, whatever happened to it', () => {
    const good = Buffer.from(PACKED, 'hex');
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, cut) => {
        const bytes = Buffer.from(good);
        bytes[at] = byte;
        for (const frame of [bytes, bytes.subarray(0, cut), Buffer.concat([bytes, bytes])]) {
          try {
            expect(decodeZstd(frame, MAX).length).toBeLessThanOrEqual(MAX);
          } catch (error) {
            expect(error).toBeInstanceOf(TytoError);
          }
        }
      }),
    );
  });
});

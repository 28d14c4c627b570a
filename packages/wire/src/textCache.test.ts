import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextCache } from '@tyto/wire';

const encoder = new TextEncoder();

describe('the cache of texts', () => {
  it('decodes every text as a decoder does, however often it came before', () => {
    const cache = new TextCache();
    const text = fc.oneof(
      fc.string({ maxLength: 3, unit: 'binary' }),
      fc.constantFrom('Ã©', 'é', 'up', 'job', 'x'.repeat(65)),
    );
    fc.assert(
      fc.property(text, (value) => {
        const bytes = encoder.encode(`>${value}<`);
        expect(cache.decode(bytes, 1, bytes.length - 1)).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses what is no UTF-8, also where its bytes are the characters of a known text', () => {
    const cache = new TextCache();
    expect(cache.decode(encoder.encode('Ã©'), 0, 4)).toBe('Ã©');
    expect(() => cache.decode(Uint8Array.of(0xc3, 0x28), 0, 2)).toThrow('UTF-8');
  });
});

import { TytoError } from '@tyto/base';
import { describe, expect, it } from 'vitest';
import { metaText, parseMeta } from './format.ts';

const META = {
  sources: ['1767225600000-1767232800000-1-1'],
  minTimeMs: 1_767_225_600_000,
  maxTimeMs: 1_767_232_800_000,
  level: 1,
  seriesCount: 24,
  chunkCount: 24,
  sampleCount: 2500,
};

describe('meta.json', () => {
  it('is read as it was written', () => {
    expect(parseMeta(metaText(META), 'meta.json')).toEqual({ version: 3, ...META });
    const late = { ...META, outOfOrder: true };
    expect(parseMeta(metaText(late), 'meta.json')).toEqual({ version: 3, ...late });
  });

  it('says nothing wrong, whichever bit of it has flipped', () => {
    const good = Buffer.from(metaText(META));
    let harmless = 0;
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bytes = Buffer.from(good);
      bytes[bit >> 3] ^= 1 << (bit & 7);
      try {
        expect(parseMeta(bytes.toString(), 'meta.json')).toEqual({ version: 3, ...META });
        harmless++;
      } catch (error) {
        expect(error, `bit ${bit}`).toBeInstanceOf(TytoError);
      }
    }
    // Blanks that became other blanks.
    expect(harmless).toBeLessThan(100);
  });

  it('of version 2 has no checksum', () => {
    const text = JSON.stringify({ version: 2, ...META });
    expect(parseMeta(text, 'meta.json')).toEqual({ version: 2, ...META });
  });

  it.each(['', 'null', '[]', '{}', '7', '{"version":3}', '{"version":4,"checksum":1}'])(
    'is refused as %s',
    (text) => {
      expect(() => parseMeta(text, 'meta.json')).toThrow(TytoError);
    },
  );
});

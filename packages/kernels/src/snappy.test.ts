import { describe, expect, it } from 'vitest';
import { decodeSnappy, decodeSnappySlowly, encodeSnappy } from '@tyto/kernels';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('snappy', () => {
  it('reads the example of the description: "xababab" with a copy longer than its offset', () => {
    const block = Uint8Array.of(7, 2 << 2, ...bytes('xab'), 1, 2);
    expect(() => decodeSnappy(Uint8Array.of(8, ...block.subarray(1)), 100)).toThrow('corrupt');
    expect(decodeSnappy(block, 100)).toEqual(bytes('xababab'));
    expect(decodeSnappySlowly(block, 100)).toEqual(bytes('xababab'));
  });

  it('reads literals with lengths of 1 to 4 bytes and copies with offsets of 1, 2 and 4', () => {
    for (const lengthBytes of [1, 2, 3, 4]) {
      const literal = [(59 + lengthBytes) << 2, 99, ...Array(lengthBytes - 1).fill(0)];
      const start = [...literal, ...Array.from({ length: 100 }, (_, i) => i)];
      const copies = [1, 100, 2 | (9 << 2), 100, 0, 3 | (9 << 2), 100, 0, 0, 0];
      const block = Uint8Array.of(124, ...start, ...copies);
      expect(decodeSnappy(block, 1000)).toEqual(decodeSnappySlowly(block, 1000));
    }
  });

  it('refuses a claimed size beyond the limit before it takes memory for it', () => {
    const claims4GiB = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0);
    expect(() => decodeSnappy(claims4GiB, 1 << 26)).toThrow('at most 67108864 are taken');
    expect(() => decodeSnappy(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x1f), 100)).toThrow('no size');
    expect(() => decodeSnappy(new Uint8Array(0), 100)).toThrow('no size');
    expect(() => decodeSnappy(Uint8Array.of(200, 1, 0, 0), 1000)).toThrow('corrupt');
  });

  it('makes repetitions small and does not make noise much larger', () => {
    const series = bytes('prometheus_http_requests_total'.repeat(10_000));
    expect(encodeSnappy(series).length).toBeLessThan(series.length / 15);
    expect(decodeSnappy(encodeSnappy(series), series.length)).toEqual(series);
    let state = 1;
    const noise = Uint8Array.from({ length: 300_000 }, () => {
      state = (Math.imul(state, 1103515245) + 12345) | 0;
      return state >> 16;
    });
    expect(encodeSnappy(noise).length).toBeLessThan(noise.length * 1.01);
    expect(decodeSnappy(encodeSnappy(noise), noise.length)).toEqual(noise);
  });
});

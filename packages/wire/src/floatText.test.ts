import { formatFloat, parseFloatBytes } from '@tyto/wire';
import { expect, test } from 'vitest';

const parse = (text: string) => {
  const bytes = new TextEncoder().encode(`x${text}y`);
  return parseFloatBytes(bytes, 1, bytes.length - 1);
};

test('every decimal is the double that JavaScript reads', () => {
  const texts = ['0', '-0', '1', '+1', '.5', '5.', '0.1', '123456789.123456', '1e22', '1e23'];
  texts.push('1.5e+09', '2E-7', '9007199254740993', '0.30000000000000004', '5e-324', '1.7e308');
  texts.push('9223372036854775808', '0000000000000000000000001', '1e-22', '3.14159e-20');
  for (const text of texts) expect(parse(text), text).toBe(Number(text));
});

test('random doubles survive being written and read', () => {
  const words = new Uint32Array(2);
  let state = 12345;
  for (let i = 0; i < 20_000; i++) {
    for (let j = 0; j < 2; j++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      words[j] = state;
    }
    const value = new Float64Array(words.buffer)[0];
    expect(parse(formatFloat(value))).toBe(value);
  }
});

test('infinities and NaN in the spellings of Go', () => {
  for (const text of ['Inf', '+Inf', 'inf', 'Infinity', '+INF']) expect(parse(text)).toBe(Infinity);
  expect(parse('-Inf')).toBe(-Infinity);
  for (const text of ['NaN', 'nan', 'NAN']) expect(parse(text)).toBeNaN();
});

test.each(['', '+', '.', 'e5', '1e', '0x1', '0b1', '1_0', '--1', '+NaN', '1e400', '1.2.3', '1 2'])(
  'refuses %j',
  (text) => {
    expect(() => parse(text)).toThrow(/number/);
  },
);

import { parseLabels, parseSeries, parseValues } from '@tyto/promql';
import { describe, expect, it } from 'vitest';

function shown(text: string): string {
  return parseValues(text)
    .map((value) => (value.kind === 'float' ? String(value.value) : value.kind))
    .join(' ');
}

describe('the notation of series', () => {
  it('expands values', () => {
    expect(shown('1+2x3')).toBe('1 3 5 7');
    expect(shown('10-2.5x2 _x2 stale')).toBe('10 7.5 5 gap gap stale');
    expect(shown('-3 1e3x1 NaN -Inf 0x1')).toBe('-3 1000 1000 NaN -Infinity 0 0');
    expect(shown('-2+4x1 1 +4 -6 _')).toBe('-2 2 1 4 -6 gap');
  });

  it('reads labels with and without a name', () => {
    expect(parseLabels('up{job="a}b", `my.label`="c"}').toRecord()).toEqual({
      __name__: 'up',
      job: 'a}b',
      'my.label': 'c',
    });
    expect(parseSeries('{} 1x0').labels.size).toBe(0);
  });

  it('reads histograms', () => {
    const [first, second] = parseValues('{{schema:1 sum:3 count:22 buckets:[5 10 7]}}x1');
    expect(first).toEqual(second);
    expect(first).toMatchObject({
      kind: 'histogram',
      histogram: { schema: 1, sum: 3, count: 22, positiveBuckets: [5, 10, 7] },
    });
  });

  it('refuses what it does not understand', () => {
    expect(() => parseValues('3+3x4-4')).toThrow('unexpected "3+3x4-4" in series values');
    expect(() => parseValues('{{schema:1 schema:1}}')).toThrow('duplicate key "schema"');
    expect(() => parseLabels('up{job="a"')).toThrow('have no end');
  });
});

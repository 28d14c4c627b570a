import { describe, expect, it } from 'vitest';
import { Labels } from '@tyto/model';
import { Params, parseDurationParam, parseTime } from './params.ts';
import { queryDataPieces } from './queryJson.ts';
import { hideSecrets } from './statusApi.ts';

const params = (query: string) => new Params(new URLSearchParams(query));

describe('times and durations', () => {
  it('are seconds with decimals, RFC 3339, or Prometheus durations', () => {
    expect(parseTime('1435781451.781', 'time')).toBe(1_435_781_451_781);
    expect(parseTime('2015-07-01T20:10:51.781Z', 'time')).toBe(1_435_781_451_781);
    expect(parseTime('2015-07-02T05:10:51+09:00', 'time')).toBe(1_435_781_451_000);
    expect(parseDurationParam('15s', 'step')).toBe(15_000);
    expect(parseDurationParam('0.5', 'step')).toBe(500);
    for (const text of ['', 'abc', '30s', '2015-06-03T13:21:58', '1e300']) {
      expect(() => parseTime(text, 'time'), text).toThrow('invalid parameter "time"');
    }
    expect(() => parseDurationParam('5 m', 'step')).toThrow('to a valid duration');
  });

  it('must make sense together', () => {
    expect(params('start=0&end=60&step=15').range()).toEqual({
      startMs: 0,
      endMs: 60_000,
      stepMs: 15_000,
    });
    expect(() => params('start=60&end=0&step=15').range()).toThrow(
      'end timestamp must not be before',
    );
    expect(() => params('start=0&end=60&step=0').range()).toThrow(
      'zero or negative query resolution',
    );
    expect(() => params('start=0&end=11001&step=1').range()).toThrow(
      'exceeded maximum resolution of 11,000',
    );
    expect(() => params('limit=-1').limit('limit')).toThrow('limit must be non-negative');
    expect(() => params('match[]={a=~".*"}').matcherSets()).toThrow();
  });
});

describe('queryDataPieces', () => {
  it('writes what JSON has no numbers for as text, and escapes labels', () => {
    const labels = Labels.of({ __name__: 'm', path: 'a"\\\n한' });
    const values = [Number.NaN, Infinity, -Infinity, -0, 0.1, 1e21];
    const samples = values.map((value) => ({ labels, timestampMs: 1_435_781_451_781, value }));
    const json = JSON.parse([...queryDataPieces({ type: 'vector', samples })].join(''));
    expect(json.result.map((item: { value: unknown }) => item.value)).toEqual(
      ['NaN', '+Inf', '-Inf', '-0', '0.1', '1e+21'].map((text) => [1_435_781_451.781, text]),
    );
    expect(json.result[0].metric.path).toBe('a"\\\n한');
  });
});

describe('queryDataPieces of a range', () => {
  it('are one JSON text, however many there are', () => {
    const count = 5001;
    const timestamps = Float64Array.from({ length: count }, (_, i) => i * 1000);
    const series = ['a', 'b'].map((job) => ({
      labels: Labels.of({ job }),
      timestamps,
      values: timestamps,
    }));
    const pieces = [...queryDataPieces({ type: 'matrix', series })];
    expect(pieces.length).toBeGreaterThan(6);
    const { result } = JSON.parse(
      Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString(),
    );
    expect(result[1].values).toHaveLength(count);
    expect(result[1].values[5000]).toEqual([5000, '5000000']);
    expect(result[1].metric).toEqual({ job: 'b' });
  });
});

describe('hideSecrets', () => {
  it('covers passwords, tokens and credentials in addresses', () => {
    const text =
      'basic_auth:\n  username: u\n  password: hunter2\napi: https://u:pw@host/x\nbearer_token: abc\n';
    const shown = hideSecrets(text);
    expect(shown).not.toMatch(/hunter2|:pw@|abc/);
    expect(shown).toContain('username: u');
    expect(shown).toContain('password: <secret>');
  });
});

/** The contract of MetricStore as tests, which every implementation runs. */
import { describe, expect, it } from 'vitest';
import {
  APPENDED,
  bitsOf,
  createMatcher,
  DUPLICATE,
  type FloatHistogram,
  Labels,
  type MatchType,
  type MetricAppender,
  type MetricStore,
  OUT_OF_ORDER,
  REPEATED,
  SampleColumns,
  type SeriesRef,
  UNKNOWN_SERIES,
  writeStaleBits,
} from '@tyto/model';

/** A time that lies in no store's past or future when its clock says so too. */
export const SUITE_NOW_MS = Date.UTC(2026, 0, 1);

const always = { minTimeMs: -8e15, maxTimeMs: 8e15 };

/** Everything that a selector finds: text of the labels to [time, value] with 'stale' in place. */
export async function readAll(
  store: MetricStore,
  matchers: readonly [name: string, type: MatchType, value: string][],
  range = always,
): Promise<Record<string, [number, number | 'stale'][]>> {
  const selection = await store.select({
    matchers: matchers.map(([name, type, value]) => createMatcher(type, name, value)),
    ...range,
  });
  const out: Record<string, [number, number | 'stale'][]> = {};
  const columns = new SampleColumns(1);
  for (let i = 0; i < selection.size; i++) {
    columns.clear();
    selection.readInto(i, columns);
    const samples: [number, number | 'stale'][] = [];
    for (let s = 0; s < columns.length; s++) {
      samples.push([columns.timestamps[s], columns.isStale(s) ? 'stale' : columns.values[s]]);
    }
    if (samples.length > 0) out[selection.labels(i).toString()] = samples;
  }
  return out;
}

/** A histogram of `buckets` buckets that has counted `n` things. */
export function someHistogram(n: number, buckets: number, isInteger: boolean): FloatHistogram {
  return {
    ...(isInteger ? { isInteger: true } : {}),
    counterResetHint: 'unknown',
    schema: buckets % 2 === 0 ? 3 : -53,
    zeroThreshold: 0.001,
    zeroCount: n,
    count: n * (buckets + 1),
    sum: n * 1.5,
    positiveSpans: [
      { offset: -2, length: 1 },
      { offset: 3, length: buckets - 1 },
    ],
    negativeSpans: [],
    positiveBuckets: Array.from({ length: buckets }, (_, i) => (isInteger ? n : n + i / 8)),
    negativeBuckets: [],
    customValues: buckets % 2 === 0 ? [] : Array.from({ length: buckets }, (_, i) => i * 1.5),
  };
}

/** Of one series; a stale marker is -1. */
export type MixedSample = [
  timestampMs: number,
  value: number | FloatHistogram,
  startTimeMs: number,
];

/**
 * Floats, stale markers and histograms of several layouts, `count` of them a second apart. Some
 * have no start time, some one for many, and some each their own.
 */
export function mixedSamples(startMs: number, count: number): MixedSample[] {
  return Array.from({ length: count }, (_, i) => {
    const timestampMs = startMs + i * 1000;
    if (i % 40 === 39) return [timestampMs, -1, 0];
    const kind = Math.floor(i / 35) % 4;
    const startTimeMs = kind < 2 ? 0 : kind === 2 ? startMs - 5000 : timestampMs - 999;
    const value = i % 50 < 10 ? i : someHistogram(i, 3 + (Math.floor(i / 30) % 9), i % 90 < 70);
    return [timestampMs, value, startTimeMs];
  });
}

export function appendMixed(
  appender: MetricAppender,
  ref: SeriesRef,
  [timestampMs, value, startTimeMs]: MixedSample,
): void {
  if (typeof value !== 'number') appender.appendHistogram(ref, timestampMs, value, startTimeMs);
  else if (value < 0) appender.appendStale(ref, timestampMs);
  else appender.append(ref, timestampMs, value, startTimeMs);
}

/** What `mixedSamples` gave, read back. */
export async function readMixed(store: MetricStore, labels: Labels): Promise<MixedSample[]> {
  const matchers = [...labels.entries()].map(([name, value]) => createMatcher('=', name, value));
  const selection = await store.select({ matchers, ...always });
  const columns = new SampleColumns();
  if (selection.size > 0) selection.readInto(0, columns);
  return Array.from({ length: columns.length }, (_, i) => {
    const value = columns.isStale(i) ? -1 : (columns.histograms?.[i] ?? columns.values[i]);
    return [columns.timestamps[i], value, columns.startTimes?.[i] ?? 0];
  });
}

export function metricStoreSuite(name: string, open: () => Promise<MetricStore>): void {
  const t = SUITE_NOW_MS;
  const up = (job: string) => Labels.of({ __name__: 'up', job });

  async function filled(): Promise<MetricStore> {
    const store = await open();
    const appender = store.appender();
    for (const job of ['api', 'db', 'web']) {
      const ref = appender.series(up(job));
      for (let i = 0; i < 100; i++) appender.append(ref, t + i * 1000, i);
    }
    appender.append(appender.series(Labels.of({ __name__: 'other' })), t, 1);
    await appender.commit();
    return store;
  }

  describe(`MetricStore: ${name}`, () => {
    it('gives back what was committed, of the asked time, in rising order', async () => {
      const store = await filled();
      const range = { minTimeMs: t + 50_000, maxTimeMs: t + 52_000 };
      expect(await readAll(store, [['job', '=', 'db']], range)).toEqual({
        'up{job="db"}': [
          [t + 50_000, 50],
          [t + 51_000, 51],
          [t + 52_000, 52],
        ],
      });
    });

    it('matches by equality, pattern, their negations and absence', async () => {
      const store = await filled();
      const jobs = async (...matchers: [string, MatchType, string][]) =>
        Object.keys(await readAll(store, matchers)).sort();
      const one = (job: string) => `up{job="${job}"}`;
      expect(await jobs(['__name__', '=', 'up'], ['job', '!=', 'db'])).toEqual([
        one('api'),
        one('web'),
      ]);
      expect(await jobs(['job', '=~', 'a.*|db'])).toEqual([one('api'), one('db')]);
      expect(await jobs(['__name__', '=~', '.+'], ['job', '!~', 'a.*|d.'])).toEqual([
        'other',
        one('web'),
      ]);
      expect(await jobs(['__name__', '=~', '.+'], ['job', '=', ''])).toEqual(['other']);
      expect(await jobs(['__name__', '=~', '.+'], ['job', '!=', ''])).toHaveLength(3);
      expect(await jobs(['__name__', '=~', '.+'], ['job', '=~', '|web'])).toEqual([
        'other',
        one('web'),
      ]);
      expect(await jobs(['__name__', '=', 'up'], ['job', '=', 'nobody'])).toEqual([]);
      await expect(jobs(['job', '=~', '.*'])).rejects.toThrow('empty string');
    });

    it('tells a repeated sample from a duplicate and from one out of order', async () => {
      const store = await filled();
      const appender = store.appender();
      const ref = appender.series(up('api'));
      expect(appender.append(ref, t + 99_000, 99)).toBe(REPEATED);
      expect(appender.append(ref, t + 99_000, 7)).toBe(DUPLICATE);
      expect(appender.append(ref, t + 98_000, 98)).toBe(OUT_OF_ORDER);
      expect(appender.append(ref, t + 100_000, 1)).toBe(APPENDED);
      expect(appender.append(ref, t + 100_000, 1)).toBe(REPEATED);
      expect(appender.append(ref, t + 100_000, 2)).toBe(DUPLICATE);
      expect(appender.append(ref, t + 99_500, 2)).toBe(OUT_OF_ORDER);
      expect(appender.append(987_654, t, 2)).toBe(UNKNOWN_SERIES);
    });

    it('shows a batch after its commit and nothing of one rolled back', async () => {
      const store = await open();
      const first = store.appender();
      first.append(first.series(up('api')), t, 1);
      expect(await readAll(store, [['job', '=', 'api']])).toEqual({});
      await first.commit();
      const second = store.appender();
      second.append(second.series(up('api')), t + 1, 2);
      second.rollback();
      expect(await readAll(store, [['job', '=', 'api']])).toEqual({ 'up{job="api"}': [[t, 1]] });
    });

    it('keeps stale markers and every other value bit for bit', async () => {
      const store = await open();
      const appender = store.appender();
      const ref = appender.series(up('api'));
      const values = [0, -0, Number.NaN, Infinity, -Infinity, 5e-324, 1.7e308, 0.1];
      values.forEach((value, i) => {
        appender.append(ref, t + i, value);
      });
      appender.appendStale(ref, t + 100);
      await appender.commit();
      const read = (await readAll(store, [['job', '=', 'api']]))['up{job="api"}'];
      expect(read.map(([, value]) => value)).toEqual([...values, 'stale']);
      expect(Object.is(read[1][1], -0)).toBe(true);
    });

    it('appends runs of columns, and what is refused falls out of them', async () => {
      const store = await filled();
      const appender = store.appender();
      const ref = appender.series(up('api'));
      const timestamps = Float64Array.of(0, t + 98_000, t + 100_000, t + 101_000, t + 102_000);
      const values = Float64Array.of(0, 1, 2, 3, 0);
      writeStaleBits(bitsOf(values), 4);
      expect(appender.appendRun(ref, timestamps, values, 1, 4)).toBe(OUT_OF_ORDER);
      expect(appender.appendRun(ref, Float64Array.of(t + 103_000), values, 0, 1)).toBe(APPENDED);
      await appender.commit();
      const range = { minTimeMs: t + 99_000, maxTimeMs: t + 200_000 };
      expect(await readAll(store, [['job', '=', 'api']], range)).toEqual({
        'up{job="api"}': [
          [t + 99_000, 99],
          [t + 100_000, 2],
          [t + 101_000, 3],
          [t + 102_000, 'stale'],
          [t + 103_000, 0],
        ],
      });
    });

    it('takes one sample of each of many series at once', async () => {
      const store = await filled();
      const appender = store.appender();
      const refs = Float64Array.of(appender.series(up('api')), 4e9, appender.series(up('new')), 7);
      const results = new Uint8Array(4).fill(99);
      const values = Float64Array.of(1, 2, 3, 4);
      expect(appender.appendRow(t + 200_000, refs, values, 3, results)).toBe(1);
      expect([...results]).toEqual([APPENDED, UNKNOWN_SERIES, APPENDED, 99]);
      expect(appender.appendRow(t + 200_000, refs, Float64Array.of(1), 1, results)).toBe(1);
      expect(results[0]).toBe(REPEATED);
      expect(appender.appendRow(t + 200_000, refs, Float64Array.of(5), 1, results)).toBe(1);
      expect(results[0]).toBe(DUPLICATE);
      expect(appender.appendRow(t - 1e9, refs, Float64Array.of(5), 1, results)).toBe(1);
      await appender.commit();
      const range = { minTimeMs: t + 199_000, maxTimeMs: t + 201_000 };
      expect(await readAll(store, [['__name__', '=', 'up']], range)).toEqual({
        'up{job="api"}': [[t + 200_000, 1]],
        'up{job="new"}': [[t + 200_000, 3]],
      });
    });

    it('keeps exemplars and tells repeated ones from ones out of order', async () => {
      const store = await filled();
      const appender = store.appender();
      const ref = appender.series(up('api'));
      const exemplar = { labels: Labels.of({ trace_id: 'abc' }), value: 3, timestampMs: t + 5 };
      expect(appender.appendExemplar(ref, exemplar)).toBe(APPENDED);
      await appender.commit();
      const second = store.appender();
      expect(second.appendExemplar(ref, exemplar)).toBe(REPEATED);
      expect(second.appendExemplar(ref, { ...exemplar, value: 4 })).toBe(DUPLICATE);
      expect(second.appendExemplar(ref, { ...exemplar, timestampMs: t })).toBe(OUT_OF_ORDER);
      second.rollback();
      const matcherSets = [[createMatcher('=', '__name__', 'up')]];
      expect(await store.exemplars({ matcherSets, ...always })).toEqual([
        { seriesLabels: up('api'), exemplars: [exemplar] },
      ]);
      expect(await store.exemplars({ matcherSets, minTimeMs: t + 6, maxTimeMs: t + 9 })).toEqual(
        [],
      );
    });

    it('keeps native histograms beside floats, in every layout, and start times', async () => {
      const store = await open();
      const appender = store.appender();
      const ref = appender.series(up('api'));
      const samples = mixedSamples(t, 300);
      for (const sample of samples) appendMixed(appender, ref, sample);
      expect(appender.append(ref, t, 1)).toBe(OUT_OF_ORDER);
      await appender.commit();
      expect(await readMixed(store, up('api'))).toEqual(samples);
    });

    it('has no start times where none was told, and those of the asked time', async () => {
      const store = await filled();
      const appender = store.appender();
      const ref = appender.series(up('new'));
      for (let i = 0; i < 50; i++) appender.append(ref, t + i, i, i === 30 || i === 40 ? t - i : 0);
      expect(appender.append(ref, t + 49, 49, t)).toBe(REPEATED);
      expect(appender.append(ref, t + 48, 48, t)).toBe(OUT_OF_ORDER);
      await appender.commit();
      const columns = new SampleColumns(1);
      const startTimes = async (job: string, minTimeMs: number, maxTimeMs: number) => {
        const matchers = [createMatcher('=', 'job', job)];
        const selection = await store.select({ matchers, minTimeMs, maxTimeMs });
        columns.clear();
        selection.readInto(0, columns);
        return columns.startTimes && [...columns.startTimes.subarray(0, columns.length)];
      };
      expect(await startTimes('api', t, t + 99_000)).toBeNull();
      expect(await startTimes('new', t + 29, t + 31)).toEqual([0, t - 30, 0]);
      expect(await startTimes('new', t + 40, t + 41)).toEqual([t - 40, 0]);
    });

    it('lists names, values and series, with matchers and limits', async () => {
      const store = await filled();
      const all = { matcherSets: [], limit: 0, ...always };
      expect((await store.labelNames(all)).items).toEqual(['__name__', 'job']);
      expect((await store.labelValues('job', all)).items).toEqual(['api', 'db', 'web']);
      expect(await store.labelValues('job', { ...all, limit: 2 })).toEqual({
        items: ['api', 'db'],
        truncated: true,
      });
      const matcherSets = [
        [createMatcher('=', 'job', 'web')],
        [createMatcher('=', '__name__', 'other')],
      ];
      const series = (await store.series({ ...all, matcherSets })).items.map(String).sort();
      expect(series).toEqual(['other', 'up{job="web"}']);
      expect((await store.labelNames({ ...all, matcherSets: [matcherSets[1]] })).items).toEqual([
        '__name__',
      ]);
      const later = { ...all, minTimeMs: t + 1_000_000 };
      expect((await store.series(later)).items).toEqual([]);
    });
  });
}

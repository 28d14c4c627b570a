/**
 * Samples for comparing engines: counters with resets, gauges, gaps, stale markers, series
 * that come late and end early, classic histograms, values that are no numbers, labels of many
 * shapes. All times have a part of a second, which no evaluation has.
 */
import type { RandomMetric, RandomSource } from './randomQueries.ts';

export const START_S = 1_700_000_000;
export const END_S = START_S + 5400;
const STEP_S = 15;

export interface Sampled {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [timestampMs: number, value: number | 'stale'])[];
}

const JOBS = ['shop', 'api "v2"', '결제'];
const INSTANCES = ['a:9100', 'b:9100'];
const BOUNDS = ['0.1', '0.25', '1', '2.5', '+Inf'];

const shared = { job: JOBS, instance: INSTANCES };

function metric(
  name: string,
  kind: RandomMetric['kind'],
  values: Readonly<Record<string, readonly string[]>>,
): RandomMetric {
  return { name, kind, values, labels: Object.keys(values) };
}

const requests = metric('requests_total', 'counter', {
  ...shared,
  method: ['GET', 'PO\\ST'],
  code: ['200', '500'],
});
const errors = metric('errors_total', 'counter', shared);
const temperature = metric('temperature', 'gauge', { ...shared, zone: ['n', 's'] });
const memory = metric('memory_bytes', 'gauge', shared);
const limit = metric('limit_bytes', 'gauge', shared);
const weird = metric('weird', 'gauge', {
  kind: ['nan', 'inf', 'ninf', 'zero', 'tiny', 'huge', 'mixed'],
});
const sparse = metric('sparse', 'gauge', { job: JOBS });
const up = metric('up', 'gauge', shared);
const buckets = metric('latency_seconds_bucket', 'counter', { ...shared, le: BOUNDS });
const info = metric('build_info', 'gauge', { ...shared, version: ['1', '2'] });

export const randomSource: RandomSource = {
  counters: [requests, errors],
  gauges: [temperature, memory, limit, weird, sparse, up],
  buckets,
  info,
};

/** The same for the same seed. */
export function sampledSeries(seed: number): Sampled[] {
  const random = randomNumbers(seed);
  const all: Sampled[] = [];
  for (const one of [requests, errors]) {
    for (const labels of labelSets(one)) {
      const peak = 10 + Math.floor(random() * 40);
      // Beginning far above what is added in a step: near zero, 2.42 guesses otherwise.
      let value = 5000 + 1000 * random();
      all.push(
        sampled(one.name, labels, random, () => {
          if (random() < 0.01) value = 500 + 100 * random();
          value += random() < 0.2 ? 0 : Math.floor(peak * random());
          return value;
        }),
      );
    }
  }
  for (const [one, scale] of [
    [temperature, 20],
    [memory, 1e9],
  ] as const) {
    for (const labels of labelSets(one)) {
      let value = scale * random();
      all.push(
        sampled(one.name, labels, random, () => {
          value += scale * 0.2 * (random() - 0.5);
          return value;
        }),
      );
    }
  }
  for (const labels of labelSets(limit)) {
    all.push(sampled(limit.name, labels, random, () => 4e9));
  }
  for (const labels of labelSets(up)) {
    all.push(sampled(up.name, labels, random, () => (random() < 0.9 ? 1 : 0)));
  }
  all.push(...weirdSeries(random), ...sparseSeries(random), ...histogramSeries(random));
  for (const [i, labels] of labelSets({ ...info, values: shared }).entries()) {
    const own = { ...labels, version: String(1 + (i % 2)), region: i % 3 === 0 ? '' : 'kr' };
    all.push(
      sampled(
        info.name,
        own,
        () => 0.5,
        () => 1,
      ),
    );
  }
  return all;
}

function weirdSeries(random: () => number): Sampled[] {
  const values: Readonly<Record<string, () => number>> = {
    nan: () => Number.NaN,
    inf: () => Infinity,
    ninf: () => -Infinity,
    zero: () => (random() < 0.5 ? 0 : -0),
    tiny: () => 1e-300 * random(),
    huge: () => 1e300 * random(),
    mixed: () => [1, 2.5, Number.NaN, Infinity, -3, 0][Math.floor(random() * 6)],
  };
  return weird.values.kind.map((kind) => sampled(weird.name, { kind }, random, values[kind]));
}

/** Minutes apart, some further than a query looks back. */
function sparseSeries(random: () => number): Sampled[] {
  return JOBS.map((job) => {
    const samples: [number, number][] = [];
    for (let at = START_S + 60 * random(); at < END_S; at += 240 + 180 * random()) {
      samples.push([Math.floor(at) * 1000 + 311, 100 * random()]);
    }
    return { labels: { __name__: sparse.name, job }, samples };
  });
}

function histogramSeries(random: () => number): Sampled[] {
  return labelSets({ ...buckets, values: shared }).flatMap((labels) => {
    const offset = Math.floor(900 * random());
    const counts = BOUNDS.map((_, i) => 5000 * (i + 1));
    const columns: [number, number][][] = [...BOUNDS, 'sum', 'count'].map(() => []);
    let sum = 1000;
    for (let at = START_S + 3; at < END_S; at += STEP_S) {
      const timestampMs = at * 1000 + 50 + offset;
      const added = Math.floor(20 * random());
      for (let k = 0; k < added; k++) {
        const first = Math.floor(BOUNDS.length * random());
        for (let i = first; i < BOUNDS.length; i++) counts[i]++;
        sum += 3 * random();
      }
      counts.forEach((count, i) => {
        columns[i].push([timestampMs, count]);
      });
      columns[BOUNDS.length].push([timestampMs, sum]);
      columns[BOUNDS.length + 1].push([timestampMs, counts[BOUNDS.length - 1]]);
    }
    const name = 'latency_seconds';
    return [
      ...BOUNDS.map((le, i) => ({
        labels: { __name__: `${name}_bucket`, ...labels, le },
        samples: columns[i],
      })),
      { labels: { __name__: `${name}_sum`, ...labels }, samples: columns[BOUNDS.length] },
      { labels: { __name__: `${name}_count`, ...labels }, samples: columns[BOUNDS.length + 1] },
    ];
  });
}

/** Every 15 s, with a jitter; some series have gaps, stale markers, a late start, an early end. */
function sampled(
  name: string,
  labels: Readonly<Record<string, string>>,
  random: () => number,
  value: () => number,
): Sampled {
  const samples: [number, number | 'stale'][] = [];
  const phaseS = Math.floor(STEP_S * random());
  const jitterMs = random() < 0.5 ? 0 : 800;
  const startS = START_S + (random() < 0.1 ? 2700 : 0);
  const endS = END_S - (random() < 0.1 ? 1200 : 0);
  let isGap = false;
  for (let at = startS + phaseS; at < endS; at += STEP_S) {
    const timestampMs = at * 1000 + 100 + Math.floor(jitterMs * random());
    if (isGap ? random() < 0.1 : random() < 0.01) {
      isGap = !isGap;
      if (isGap && random() < 0.5) samples.push([timestampMs, 'stale']);
    }
    const next = value();
    if (!isGap) samples.push([timestampMs, next]);
    else if (samples.at(-1)?.[0] === timestampMs) continue;
  }
  return { labels: { __name__: name, ...labels }, samples };
}

function labelSets({ values }: RandomMetric): Record<string, string>[] {
  let sets: Record<string, string>[] = [{}];
  for (const [label, list] of Object.entries(values)) {
    sets = sets.flatMap((set) => list.map((value) => ({ ...set, [label]: value })));
  }
  return sets;
}

function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

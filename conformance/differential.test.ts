/**
 * The engine on the real store against Debian's Prometheus 2.42, over the same samples and random
 * queries. Samples lie off the grid of evaluations, so that it makes no difference that ranges of
 * Prometheus 3 are open on the left and those of 2.42 are closed.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@tyto/base';
import { Labels, type QueryValue } from '@tyto/model';
import { QueryEngine } from '@tyto/promql';
import { Tsdb } from '@tyto/tsdb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { END_S, randomSource, type Sampled, sampledSeries, START_S } from './differentialData.ts';
import { functionSignatures } from '@tyto/syntax';
import { hasPrometheus, type RunningPrometheus, startPrometheus } from './prometheusServer.ts';
import { RandomQueries } from './randomQueries.ts';

/**
 * Another seed asks other queries. Some then differ in their last digits: remainders of large
 * numbers, and what is left where about equal numbers are subtracted.
 */
const SEED = Number(process.env.TYTO_SEED ?? 11);
const QUERIES = Number(process.env.TYTO_QUERIES ?? 800);
const TOLERANCE = 1e-9;
/** The deviation of times, which are large beside what they differ by, has fewer digits. */
const DEVIATION_TOLERANCE = 1e-6;

interface KnownDifference {
  readonly query: RegExp;
  /** Of the difference, as it would be told. */
  readonly difference: RegExp;
  readonly why: string;
}

/** Where Prometheus 3 meant to be different from 2.42. Anything else is a mistake. */
const KNOWN: readonly KnownDifference[] = [
  {
    query: /day|month|hour|minute|year/,
    difference: /NaN \| [\d-]/,
    why: 'a date of what is no number is NaN; 2.42 takes it for some time of long ago',
  },
  {
    query: /std(?:dev|var)\b.*weird|std(?:dev|var)\b.* \(/,
    difference: /NaN \| (?:-Infinity|\d+)$/,
    why: 'the deviation of one value that is infinite or NaN is NaN since 3.0',
  },
  {
    query: /atan2/,
    difference: /^\{.*: ours alone/,
    why: 'atan2 of a vector and a number drops the name of the metric since 3.0',
  },
  {
    query: /stddev_over_time|stdvar_over_time/,
    difference: /(?:[\d.]|Infinity) \| NaN$/,
    why: 'a deviation too large for a number is infinite since 3.0',
  },
  {
    query: /predict_linear\(.*@/,
    difference: /./,
    why: 'the window of predict_linear stays where @ puts it since 2.50',
  },
  {
    query: /count_values by \(/,
    difference: /ours alone|theirs alone|undefined/,
    why: 'count_values keeps all labels of `by` at all steps; 2.42 loses one behind the first',
  },
  {
    query: /timestamp\(.*@.*offset/,
    difference: /./,
    why: 'timestamp() of a selector with @ minds the offset; 2.42 forgets it',
  },
  {
    query: /[<>=!]=|[<>]/,
    difference: /^multiple matches for labels: many-to-one matching/,
    why: 'a comparison with several series on the many side is refused since 3.0 whatever it keeps',
  },
];

/** Functions that 2.42 has not, or has for native histograms or under another name. */
const NEWER_NAMES = [
  ...['histogram_(?!quantile$)', 'ts_of', 'sort_by', 'first_', 'mad_', 'double_', 'exact_', 'info'],
  ...['step', 'range', 'start', 'max_of', 'min_of'],
];
const NEWER = new RegExp(`^(?:${NEWER_NAMES.join('|')})`);

const directory = mkdtempSync(join(tmpdir(), 'tyto-differential-'));

/** Series by their labels, with values by time in seconds; or what was refused. */
type Answer = Map<string, Map<number, number>> | { readonly error: string };

describe.skipIf(!hasPrometheus())('the same data and queries as Prometheus 2.42', () => {
  let prometheus: RunningPrometheus;
  let tsdb: Tsdb;
  let engine: QueryEngine;

  beforeAll(async () => {
    mkdirSync(join(directory, 'prometheus'));
    prometheus = await startPrometheus(join(directory, 'prometheus'));
    tsdb = await Tsdb.open({
      directory: join(directory, 'tyto'),
      logger: silentLogger,
      maintenanceIntervalMs: 0,
    });
    engine = new QueryEngine(tsdb);
    const series = sampledSeries(SEED);
    // In order of time: neither takes what is much older than the newest.
    for (let fromS = START_S; fromS < END_S; fromS += 600) {
      const part = (one: Sampled) =>
        one.samples.filter(([ms]) => ms >= fromS * 1000 && ms < (fromS + 600) * 1000);
      const parts = series.map((one) => ({ ...one, samples: part(one) }));
      const given = parts.filter(({ samples }) => samples.length > 0);
      await prometheus.write(given);
      await append(tsdb, given);
    }
  }, 60_000);

  afterAll(async () => {
    await prometheus.stop();
    await tsdb.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it(`answer ${QUERIES} random queries, at one time and over a range`, async () => {
    const queries = new RandomQueries(randomSource, END_S, SEED);
    const known = new Map<string, number>();
    const wrong: string[] = [];
    const counts = { same: 0, empty: 0, refused: 0 };
    const asked: string[] = [];
    for (let i = 0; i < QUERIES; i++) {
      const query = queries.next();
      asked.push(query);
      // Seconds that are no multiple of ten are on no grid of subqueries.
      const endS = END_S - 600 + 10 * (i % 50) + 7;
      for (const [startS, stepS] of [
        [endS, 0],
        [endS - 1500, [60, 20, 110][i % 3]],
      ]) {
        const theirs = await askPrometheus(prometheus.url, query, startS, endS, stepS);
        const ours = await own(engine, query, startS, endS, stepS);
        const tolerance = /std(?:dev|var)/.test(query) ? DEVIATION_TOLERANCE : TOLERANCE;
        const difference = compare(ours, theirs, tolerance);
        if (difference === undefined) {
          if ('error' in theirs) counts.refused++;
          else if (theirs.size === 0) counts.empty++;
          else counts.same++;
          continue;
        }
        const reason = KNOWN.find(
          (one) => one.query.test(query) && one.difference.test(difference),
        );
        if (reason !== undefined) known.set(reason.why, (known.get(reason.why) ?? 0) + 1);
        else wrong.push(`${query}\n  at ${startS} to ${endS} by ${stepS}: ${difference}`);
      }
    }
    const { same, empty, refused } = counts;
    process.stdout.write(
      `seed ${SEED}: ${same} answers the same, ${empty} without series, ${refused} refused alike\n`,
    );
    for (const [why, count] of known) process.stdout.write(`  ${count} differ: ${why}\n`);
    expect(wrong.slice(0, 20).join('\n'), `${wrong.length} differ, seed ${SEED}`).toBe('');
    expect(same).toBeGreaterThan(QUERIES);
    const all = asked.join('\n');
    const unasked = [...functionSignatures.keys()].filter((name) => !all.includes(`${name}(`));
    expect(unasked.filter((name) => !NEWER.test(name))).toEqual([]);
  }, 120_000);
});

async function append(store: Tsdb, series: readonly Sampled[]): Promise<void> {
  const appender = store.appender();
  for (const { labels, samples } of series) {
    const ref = appender.series(Labels.of(labels));
    for (const [timestampMs, value] of samples) {
      if (value === 'stale') appender.appendStale(ref, timestampMs);
      else appender.append(ref, timestampMs, value);
    }
  }
  await appender.commit();
}

interface ApiAnswer {
  readonly status: string;
  readonly error: string;
  readonly data: { readonly resultType: string; readonly result: unknown };
}

interface ApiSeries {
  readonly metric: Record<string, string>;
  readonly value?: [number, string];
  readonly values?: [number, string][];
}

async function askPrometheus(
  url: string,
  query: string,
  startS: number,
  endS: number,
  stepS: number,
): Promise<Answer> {
  const path = stepS === 0 ? 'query' : 'query_range';
  const times =
    stepS === 0
      ? { time: String(endS) }
      : { start: String(startS), end: String(endS), step: String(stepS) };
  const body = new URLSearchParams({ query, ...times });
  const answer = await fetch(`${url}/api/v1/${path}`, { method: 'POST', body });
  const { status, data, error } = (await answer.json()) as ApiAnswer;
  if (status !== 'success') return { error };
  if (data.resultType === 'scalar') {
    return new Map([['{}', new Map([floatPair(data.result as [number, string])])]]);
  }
  return new Map(
    (data.result as ApiSeries[]).map(({ metric, value, values = [] }) => [
      Labels.of(metric).toString(),
      new Map((value === undefined ? values : [value]).map(floatPair)),
    ]),
  );
}

function floatPair([seconds, text]: [number, string]): [number, number] {
  const value = text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
  return [seconds, value];
}

async function own(
  engine: QueryEngine,
  query: string,
  startS: number,
  endS: number,
  stepS: number,
): Promise<Answer> {
  try {
    const { value } =
      stepS === 0
        ? await engine.instant(query, endS * 1000)
        : await engine.range(query, startS * 1000, endS * 1000, stepS * 1000);
    return answerOf(value);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function answerOf(value: QueryValue): Answer {
  switch (value.type) {
    case 'scalar':
      return new Map([['{}', new Map([[value.timestampMs / 1000, value.value]])]]);
    case 'vector':
      return new Map(
        value.samples.map(({ labels, timestampMs, value: number }) => [
          labels.toString(),
          new Map([[timestampMs / 1000, number]]),
        ]),
      );
    case 'matrix':
      return new Map(
        value.series.map(({ labels, timestamps, values }) => [
          labels.toString(),
          new Map(Array.from(timestamps, (ms, i) => [ms / 1000, values[i]])),
        ]),
      );
    default:
      return { error: 'a string' };
  }
}

function compare(ours: Answer, theirs: Answer, tolerance: number): string | undefined {
  if ('error' in ours || 'error' in theirs) {
    const [a, b] = [ours, theirs].map((one) => ('error' in one ? one.error : `${one.size} series`));
    return 'error' in ours && 'error' in theirs ? undefined : `${a} | ${b}`;
  }
  for (const labels of new Set([...ours.keys(), ...theirs.keys()])) {
    const [a, b] = [ours.get(labels), theirs.get(labels)];
    if (a === undefined || b === undefined) {
      const who = a === undefined ? 'theirs alone' : 'ours alone';
      return `${labels}: ${who}: ${[...(a ?? b ?? [])].slice(0, 3).join(' ')}`;
    }
    for (const seconds of new Set([...a.keys(), ...b.keys()])) {
      const [x, y] = [a.get(seconds), b.get(seconds)];
      if (x === undefined || y === undefined || !isClose(x, y, tolerance)) {
        return `${labels} at ${seconds}: ${x} | ${y}`;
      }
    }
  }
  return undefined;
}

function isClose(a: number, b: number, tolerance: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
}

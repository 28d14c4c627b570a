/**
 * `tyto query analyze`: how many buckets of histograms are filled, and how many change from sample
 * to sample: what tells which boundaries are worth their series.
 */
import { TytoError } from '@tyto/base';
import { quoteString } from '@tyto/syntax';
import type { ApiClient } from '../apiClient.ts';
import { labelSetText, type SeriesJson, seriesOf } from './valueText.ts';

export interface AnalyzeRequest {
  readonly type: string;
  readonly duration: string;
  readonly time: string;
  readonly matchers: readonly string[];
}

/** Counts of one sample, by bucket. */
type Buckets = ReadonlyMap<string, number>;

const KINDS: Readonly<Record<string, readonly ('classic' | 'native')[]>> = {
  histogram: ['classic', 'native'],
  classichistograms: ['classic'],
  nativehistograms: ['native'],
};

/** Resolves to lines for people. Rejects with TytoError for a wrong type or matcher. */
export async function analyzeHistograms(
  api: ApiClient,
  request: AnalyzeRequest,
): Promise<string[]> {
  const { type, matchers } = request;
  if (!Object.hasOwn(KINDS, type)) {
    const known = Object.keys(KINDS).join(', ');
    throw new TytoError('bad_data', `--type: "${type}" is none of ${known}`);
  }
  if (matchers.length === 0) {
    throw new TytoError('bad_data', '--match is missing: say which histograms');
  }
  const lines: string[] = [];
  const changes = new Map<number, number>();
  for (const matcher of matchers) {
    for (const kind of KINDS[type]) {
      const found = kind === 'native' ? nativeSeries : classicSeries;
      for (const { title, samples, total } of await found(api, matcher, request)) {
        if (samples.length < 2) continue;
        lines.push(`${title}=${summary(samples, total, changes)}`);
      }
    }
  }
  lines.push(`Analyzed are ${lines.length} histograms.`);
  for (const [changed, count] of [...changes].sort((a, b) => a[0] - b[0])) {
    lines.push(`${changed} buckets changed: ${count} times`);
  }
  return lines;
}

interface AnalyzedSeries {
  readonly title: string;
  readonly samples: readonly Buckets[];
  readonly total: number;
}

async function nativeSeries(
  api: ApiClient,
  matcher: string,
  request: AnalyzeRequest,
): Promise<AnalyzedSeries[]> {
  const matrix = await samplesOf(api, matcher, request);
  return matrix.flatMap(({ metric, histograms = [] }) => {
    if (histograms.length === 0) return [];
    const samples = histograms.map(
      ([, { buckets = [] }]) =>
        new Map(buckets.map(([kind, lower, upper, n]) => [`${kind} ${lower} ${upper}`, Number(n)])),
    );
    const all = new Set(samples.flatMap((sample) => [...sample.keys()]));
    return [{ title: labelSetText(metric), samples, total: all.size }];
  });
}

/** From the series of sums, which are few: each names a histogram. */
async function classicSeries(
  api: ApiClient,
  matcher: string,
  request: AnalyzeRequest,
): Promise<AnalyzedSeries[]> {
  if (!/_sum\b/.test(matcher)) {
    if (request.type === 'histogram') return [];
    throw new TytoError('bad_data', `--match=${matcher}: a classic histogram is named by its _sum`);
  }
  const text = `last_over_time(${matcher}[${request.duration}])`;
  const { data } = await api.post('/api/v1/query', [
    ['query', text],
    ['time', request.time],
  ]);
  const found: AnalyzedSeries[] = [];
  for (const { metric } of seriesOf(data, 'vector') ?? []) {
    const { __name__: name = '', ...labels } = metric;
    const pairs = Object.entries(labels).map(([label, value]) => `${label}=${quoteString(value)}`);
    const title = `${name.replace(/_sum$/, '_bucket')}{${pairs.join(',')}}`;
    const matrix = await samplesOf(api, title, request);
    found.push({ title, samples: classicSamples(matrix), total: matrix.length });
  }
  return found;
}

async function samplesOf(
  api: ApiClient,
  selector: string,
  { duration, time }: AnalyzeRequest,
): Promise<SeriesJson[]> {
  const { data } = await api.post('/api/v1/query', [
    ['query', `${selector}[${duration}]`],
    ['time', time],
  ]);
  return seriesOf(data, 'matrix') ?? [];
}

/** Buckets count what is in those below them too. Only times at which all have samples are used. */
function classicSamples(matrix: readonly SeriesJson[]): Buckets[] {
  const bound = ({ metric }: SeriesJson) => (metric.le === '+Inf' ? Infinity : Number(metric.le));
  const sorted = [...matrix].sort((a, b) => bound(a) - bound(b));
  const byTime = sorted.map(({ values = [] }) => new Map(values.map(([s, v]) => [s, Number(v)])));
  const times = [...(byTime[0]?.keys() ?? [])].filter((s) => byTime.every((one) => one.has(s)));
  return times.map((s) => {
    let below = 0;
    return new Map(
      byTime.map((counts, i) => {
        const count = counts.get(s) ?? 0;
        const own = count - below;
        below = count;
        return [sorted[i].metric.le ?? '', own];
      }),
    );
  });
}

function summary(samples: readonly Buckets[], total: number, changes: Map<number, number>): string {
  const changed: number[] = [];
  const deltas: number[] = [];
  const populated: number[] = [];
  for (let i = 1; i < samples.length; i++) {
    const [before, now] = [samples[i - 1], samples[i]];
    let count = 0;
    let delta = 0;
    for (const bucket of new Set([...before.keys(), ...now.keys()])) {
      const difference = Math.abs((now.get(bucket) ?? 0) - (before.get(bucket) ?? 0));
      if (difference > 0) count++;
      delta += difference;
    }
    changed.push(count);
    deltas.push(delta);
    populated.push([...now.values()].filter((n) => n !== 0).length);
    changes.set(count, (changes.get(count) ?? 0) + 1);
  }
  return (
    'Bucket stats (min/avg/max) - ' +
    `number of buckets changed: ${spread(changed)} ` +
    `total delta of changed buckets: ${spread(deltas)} ` +
    `number of populated buckets: ${spread(populated)}. total number of buckets: ${total}`
  );
}

function spread(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [least, most] = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
  return `${least}/${mean.toFixed(3)}/${most}`;
}

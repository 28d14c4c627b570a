/**
 * Queries that ask for everything, many at once, on 200,000 series: each ends in time with an
 * answer or an error that says which limit it met, in bounded memory, and meanwhile no scrape is
 * missed and an alert fires on time.
 */
import { availableParallelism, loadavg } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillStore } from './bigStore.ts';
import { sleep, startTyto, tell, temporaryDirectory, type Tyto, waitFor } from './harness.ts';
import { startHttp } from './targets.ts';

const SERIES_COUNT = 200_000;
const SAMPLE_COUNT = 60;
const SAMPLE_STEP_MS = 180_000;
const TIMEOUT_MS = 5000;
/** An answer that is made in time is sent for as long as its client reads it. */
const ENDED_MS_MAX = 40_000;
/** On a machine that does nothing else; where others work too, everything takes longer. */
const SCRAPE_GAP_MS_MAX = 2000;
const ALERT_MS_MAX = 5000;
/** 10 million samples a query, 20 million in all, and labels; Tyto alone has some 300 MB here. */
const MEMORY_MB_MAX = 1800;
const AT_ONCE = 6;
const EVERYTHING = '{__name__=~".+"}';
/** 54,000 characters of which most may be left out: milliseconds for every value. */
const SLOW_PART = '(s?e?r?i?e?s?-?.?)';
const SLOW_PATTERN = SLOW_PART.repeat(3000);

/** The limits that end queries, by their words. */
const LIMITS = {
  samples: 'query processing would load too many samples into memory in query execution',
  time: 'query timed out in query execution',
  steps: 'the subquery has too many steps',
  points: 'exceeded maximum resolution of 11,000 points per timeseries',
  depth: 'the query is nested too deeply',
  operators: 'the query has more than 1500 operators',
  text: 'the query is longer than',
  pattern: 'regular expression is longer than 65536',
  patterns: 'the regular expressions of the query are too many, or too long together',
  capture: 'invalid regular expression in label_replace()',
  label: 'makes a label value longer than',
  matchers: 'a selector has more than 1000 matchers',
  matching: 'found duplicate series for the match group',
  selectors: 'invalid parameter "match[]": more than 200 of them',
} as const;
type Limit = keyof typeof LIMITS;

interface Ask {
  readonly path: string;
  readonly form: Readonly<Record<string, string>> | URLSearchParams;
}

let tyto: Tyto;
let isTriggered = false;
let triggeredMs = 0;
const endMs = Math.floor(Date.now() / 60_000) * 60_000;
const startedMs = Date.now();

beforeAll(async () => {
  const dataDirectory = temporaryDirectory();
  await fillStore(dataDirectory, SERIES_COUNT, SAMPLE_COUNT, SAMPLE_STEP_MS, endMs);
  const target = await startHttp((_, response) => {
    response.end(`trigger ${isTriggered ? 1 : 0}\n`);
  });
  tyto = await startTyto({
    dataDirectory,
    config: `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: watched
    fallback_scrape_protocol: PrometheusText0.0.4
    static_configs: [{targets: ['${target.address}']}]
`,
    files: {
      'rules.yml': `groups:
  - name: watching
    rules: [{alert: Triggered, expr: trigger > 0}]
`,
    },
    args: [`--query.timeout=${TIMEOUT_MS}ms`, '--query.max-samples=10000000'],
  });
  await waitFor('the target is up', async () => (await tyto.value('up')) === 1);
}, 120_000);

afterAll(() => tell(`the whole test took ${Math.round((Date.now() - startedMs) / 1000)} s`));

function instant(query: string): Ask {
  return { path: 'api/v1/query', form: { query, time: `${endMs / 1000}` } };
}

function range(query: string, steps: number): Ask {
  const start = `${endMs / 1000 - 9000}`;
  const form = { query, start, end: `${endMs / 1000}`, step: `${9000 / steps}` };
  return { path: 'api/v1/query_range', form };
}

const nested = (times: number, before: string, inner: string, after: string) =>
  before.repeat(times) + inner + after.repeat(times);

const ANSWERS: readonly (Limit | 'answer')[] = ['answer', 'samples', 'time'];

/** What may become of each: for what takes long it depends on the machine. */
const ASKED: readonly (readonly [string, Ask, readonly (Limit | 'answer')[]])[] = [
  ['everything over 30 days', instant(`${EVERYTHING}[30d]`), ANSWERS],
  ['everything at 11,000 steps', range(EVERYTHING, 11_000), ['samples', 'time']],
  ['more than 11,000 steps', range('up', 12_000), ['points']],
  ['count by everything', instant(`count by (__name__, g, host, i) (${EVERYTHING})`), ANSWERS],
  ['groups of one', range('sum by (i) (rate(big[1h]))', 1000), ['samples', 'time']],
  ['a constant at 11,000 steps', range('big @ end()', 11_000), ['samples', 'time']],
  ['topk of everything', instant(`topk(1000000, ${EVERYTHING})`), ANSWERS],
  ['quantile of everything', range(`quantile(0.5, ${EVERYTHING})`, 40), ANSWERS],
  ['count_values of everything', range(`count_values("v", ${EVERYTHING})`, 40), ANSWERS],
  ['a tiny step over 30 days', instant('max_over_time(vector(1)[30d:1ms])'), ['steps']],
  ['a subquery of everything', instant('max_over_time(big[30d:1s])'), ['samples', 'time']],
  ['200 deep', instant(nested(200, 'abs(', 'big', ')')), ANSWERS],
  ['100,000 deep', instant(nested(100_000, 'absent(', 'up', ')')), ['depth']],
  ['parentheses', instant(nested(100_000, '(', '1', ')')), ['depth']],
  ['subqueries of subqueries', instant(`up${'[1m:1m]'.repeat(50_000)}`), ['operators']],
  ['a range of 100,000 signs', instant(`up[${'-'.repeat(100_000)}1m]`), ['depth']],
  ['many selectors', instant(`big${' or big{g!="x"}'.repeat(1000)}`), ANSWERS],
  ['an endless or', instant(`up${' or up'.repeat(150_000)}`), ['operators']],
  ['2 MB', instant(`up${' or up'.repeat(350_000)}`), ['text']],
  ['labels that double', instant(doubling('big{i="series-1"}', 40)), ['label', 'time']],
  ['labels of everything', instant(doubling('big', 12)), [...ANSWERS, 'label']],
  ['(a+)+$', instant('{i=~"(a+)+$"}'), ANSWERS],
  ['a slow pattern', instant(`{i=~"${SLOW_PATTERN}x"}`), ANSWERS],
  ['a label_replace of 50 kB', instant(labelReplace(SLOW_PATTERN)), ['capture', 'time']],
  ['a slow label_replace', instant(labelReplace(SLOW_PART.repeat(90))), ANSWERS],
  ['a pattern of 100 kB', instant(`{i=~"${'(a|b)*'.repeat(17_000)}"}`), ['pattern']],
  ['900 patterns', instant(`big{${`a=~"${'x.'.repeat(100)}",`.repeat(900)}}`), ['patterns']],
  ['50,000 matchers', instant(`big{${'a!="x",'.repeat(50_000)}}`), ['matchers']],
  ['50,000 labels', instant(`count by (${labelList(50_000)}) (big)`), ANSWERS],
  [
    'everything with everything',
    instant('big * on() group_left() big'),
    ['matching', 'samples', 'time'],
  ],
  ['everything and everything', instant('big and on(g) big'), ANSWERS],
  ['all series', { path: 'api/v1/series', form: { 'match[]': EVERYTHING } }, ['answer']],
  [
    'all series, limited',
    { path: 'api/v1/series', form: manySelectors(1, '9'.repeat(12)) },
    ['answer'],
  ],
  [
    'all series, 2,000 times',
    { path: 'api/v1/series', form: manySelectors(2000, '1') },
    ['selectors'],
  ],
];

function labelReplace(pattern: string): string {
  return `label_replace(big, "x", "$1", "i", "${pattern}")`;
}

function doubling(inner: string, times: number): string {
  const start = `label_replace(${inner}, "x", "aaaaaaaa", "", "")`;
  return nested(times, 'label_replace(', start, ', "x", "$1$1", "x", "(.*)")');
}

function labelList(count: number): string {
  return Array.from({ length: count }, (_, i) => `l${i}`).join(',');
}

function manySelectors(count: number, limit: string): URLSearchParams {
  const form = new URLSearchParams({ limit });
  for (let i = 0; i < count; i++) form.append('match[]', EVERYTHING);
  return form;
}

interface Outcome {
  readonly name: string;
  readonly allowed: readonly (Limit | 'answer')[];
  /** An answer, the limit that ended it, or else what was said. */
  readonly what: string;
  readonly ms: number;
}

async function outcomeOf([
  name,
  { path, form },
  allowed,
]: (typeof ASKED)[number]): Promise<Outcome> {
  const beganMs = performance.now();
  const body = new URLSearchParams(form);
  const signal = AbortSignal.timeout(ENDED_MS_MAX);
  let what = 'no end';
  try {
    const response = await fetch(tyto.baseUrl + path, { method: 'POST', body, signal });
    let begin = '';
    for await (const chunk of response.body ?? []) {
      if (begin.length < 1000) begin += Buffer.from(chunk).toString('utf8', 0, 1000);
    }
    what = response.status === 200 ? 'answer' : limitOf(begin);
  } catch (error) {
    what = String(error);
  }
  return { name, allowed, what, ms: Math.round(performance.now() - beganMs) };
}

function limitOf(text: string): string {
  let error = text;
  try {
    error = JSON.parse(text).error;
  } catch {
    // Then the text is shown as it is.
  }
  for (const [limit, words] of Object.entries(LIMITS)) if (error.includes(words)) return limit;
  return error;
}

/** All of them, so many at once. */
async function storm(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...ASKED];
  const asker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const outcome = await outcomeOf(next);
      tell(`${outcome.name}: ${outcome.what} after ${outcome.ms} ms`);
      outcomes.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, asker));
  return outcomes;
}

/** How long after the metric said so the alert fired. */
async function alertDelayMs(): Promise<number> {
  await sleep(4000);
  isTriggered = true;
  triggeredMs = Date.now();
  const firing = async () => {
    const { alerts } = await tyto.api('alerts');
    return alerts.some((alert: { state: string }) => alert.state === 'firing');
  };
  await waitFor('the alert fires', firing, 30_000);
  return Date.now() - triggeredMs;
}

describe('queries that ask for everything', () => {
  it('end, while scrapes and rules go on', async () => {
    const stormBeganMs = Date.now();
    // A client that asks for a lot and reads none of it.
    const lazy = new AbortController();
    const unread = fetch(`${tyto.baseUrl}api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: 'big[30d]', time: `${endMs / 1000}` }),
      signal: lazy.signal,
    }).catch(() => undefined);
    const [outcomes, delayMs] = await Promise.all([storm(), alertDelayMs()]);
    lazy.abort();
    await unread;
    const wrong = outcomes.filter(
      ({ what, allowed, ms }) => ms > ENDED_MS_MAX || !(allowed as string[]).includes(what),
    );
    expect(wrong).toEqual([]);
    const gapMs = await longestGapMs(stormBeganMs);
    const memoryMb = Math.round(tyto.peakMemoryKb() / 1024);
    tell(`the alert fired after ${delayMs} ms; the longest gap of scrapes was ${gapMs} ms`);
    tell(`peak memory with runaway queries: ${memoryMb} MB`);
    expect(delayMs).toBeLessThan(ALERT_MS_MAX);
    expect(gapMs).toBeLessThanOrEqual(SCRAPE_GAP_MS_MAX * Math.max(1, crowding()));
    expect(memoryMb).toBeLessThan(MEMORY_MB_MAX);
    expect(await tyto.value('min_over_time(up{job="watched"}[2m])')).toBe(1);
  }, 240_000);

  it('and leave nothing behind', async () => {
    expect((await tyto.get('tyto/api/v1/queries')).json?.data.queries).toEqual([]);
    expect(await tyto.value(`count(big @ ${endMs / 1000})`)).toBe(SERIES_COUNT);
  });
});

/** How many programs want each processor. */
function crowding(): number {
  return loadavg()[0] / availableParallelism();
}

/** Between two samples of `up` since a time. */
async function longestGapMs(sinceMs: number): Promise<number> {
  const [{ values }] = (await tyto.api('query?query=up%7Bjob%3D%22watched%22%7D%5B5m%5D')).result;
  const times = (values as [number, string][])
    .map(([time]) => time * 1000)
    .filter((time) => time >= sinceMs - 1000);
  return Math.max(...times.slice(1).map((time, i) => Math.round(time - times[i])));
}

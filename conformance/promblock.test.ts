/**
 * Exchange with a real Prometheus: what it wrote is read as it and promtool read it, and what Tyto
 * writes is read by them as it was meant.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FloatHistogram } from '@tyto/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  hasPrometheus,
  promtool,
  type RunningPrometheus,
  startPrometheus,
  type WrittenSeries,
} from './prometheusServer.ts';
import { sharedPath } from './shared.ts';

const directory = mkdtempSync(join(tmpdir(), 'tyto-promblock-'));
const at = (...parts: string[]) => join(directory, ...parts);
const testdata = sharedPath('prometheus', 'tsdb_testdata');

afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeAll(() => {
  spawnSync(process.execPath, ['scripts/build.js', '--only', 'server', '--quiet']);
}, 60_000);

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function tyto(...args: string[]): Ran {
  const bundle = 'packages/server/dist/tyto.js';
  return spawnSync(process.execPath, [bundle, 'tsdb', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
}

/** What a command prints; it must have found nothing to complain of. */
function good(...args: string[]): string {
  const { status, stdout, stderr } = tyto(...args);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

const sortedLines = (text: string) => text.split('\n').sort();

function openMetrics(): string {
  const lines = ['# TYPE requests counter'];
  for (let series = 0; series < 4; series++) {
    for (let i = 0; i < 700; i++) {
      const labels = `path="/${series}\\n\\"é\\uE000😀",job="a b"`.replace('\\uE000', '\ue000');
      lines.push(`requests_total{${labels}} ${i * series + 0.5} ${1_700_000_000 + i * 15}`);
    }
  }
  lines.push('# TYPE odd gauge');
  ['NaN', '+Inf', '-Inf', '-0', '1e-320', '1.5e300', '123456789', '1e6', '0.0001'].forEach(
    (value, i) => {
      lines.push(`odd{i="${i}"} ${value} ${1_700_000_000 + i}.${100 + i}`);
    },
  );
  return `${lines.join('\n')}\n# EOF\n`;
}

describe.skipIf(!hasPrometheus())('blocks that promtool makes', () => {
  beforeAll(() => {
    writeFileSync(at('in.txt'), openMetrics());
    promtool('tsdb', 'create-blocks-from', 'openmetrics', at('in.txt'), at('made'));
    mkdirSync(at('made', 'wal'));
  });

  it('are listed and dumped as promtool lists and dumps them', () => {
    const trimmed = (text: string) => text.replace(/ +$/gm, '');
    expect(trimmed(good('list', at('made')))).toBe(trimmed(promtool('tsdb', 'list', at('made'))));
    const readable = promtool('tsdb', 'list', '-r', at('made'));
    expect(trimmed(good('list', '-r', at('made')))).toBe(trimmed(readable));
    expect(good('dump', at('made'))).toBe(promtool('tsdb', 'dump', at('made')));
  });

  it('are narrowed by time and selectors as promtool narrows them', () => {
    const flags = ['--min-time=1700001000000', '--max-time=1700003000000', '--match={job="a b"}'];
    expect(good('dump', ...flags, at('made'))).toBe(promtool('tsdb', 'dump', ...flags, at('made')));
    expect(good('dump', '--match=odd{i="1"}', '--match=odd{i="2"}', at('made'))).toBe(
      '{__name__="odd", i="1"} +Inf 1700000001101\n{__name__="odd", i="2"} -Inf 1700000002102\n',
    );
  });

  it('are verified and analyzed', () => {
    good('verify', at('made'));
    const shown = good('analyze', at('made'));
    const wanted = promtool('tsdb', 'analyze', at('made'));
    for (const line of wanted.split('\n').slice(0, 6)) expect(shown).toContain(line);
    const cardinality = /Highest cardinality metric names:\n(.*)/;
    expect(cardinality.exec(shown)?.[1]).toBe(cardinality.exec(wanted)?.[1]);
  });

  it('become blocks of Tyto with the same samples, and blocks of Prometheus again', async () => {
    good('import', 'prometheus', at('made'), at('tyto'));
    const wanted = promtool('tsdb', 'dump', at('made'));
    expect(good('dump', at('tyto'))).toBe(wanted);
    good('verify', at('tyto'));
    good('export', at('tyto'), at('exported'));
    mkdirSync(at('exported', 'wal'));
    expect(promtool('tsdb', 'dump', at('exported'))).toBe(wanted);
    expect(promtool('tsdb', 'list', at('exported')).split('\n').length).toBe(4);
    expect(promtool('tsdb', 'analyze', at('exported'))).toContain('Highest cardinality labels');
    const query = `/api/v1/query?time=1700012000&query=${encodeURIComponent('{job="a b"}[4h]')}`;
    const [ours, theirs] = await Promise.all(
      ['exported', 'made'].map(async (name) => {
        const prometheus = await startPrometheus(at(name));
        const answer = (await prometheus.get(query)) as { result: unknown[] };
        await prometheus.stop();
        return answer;
      }),
    );
    expect(theirs.result.length).toBe(4);
    expect(ours).toEqual(theirs);
  });

  it('are not imported over blocks of the same time', () => {
    const { status, stderr } = tyto('import', 'prometheus', at('made'), at('tyto'));
    expect(status).toBe(1);
    expect(stderr).toContain('has a block of the same time already');
  });

  it('hold what an import of the same OpenMetrics gives, and its dump can be imported', () => {
    const wanted = promtool('tsdb', 'dump', at('made'));
    good('import', 'openmetrics', at('in.txt'), at('tyto-text'));
    expect(good('dump', at('tyto-text'))).toBe(wanted);
    writeFileSync(at('again.txt'), good('dump-openmetrics', at('tyto-text')));
    good('import', 'openmetrics', at('again.txt'), at('tyto-again'));
    expect(good('dump', at('tyto-again'))).toBe(wanted);
  });
});

/** The start of what is written by remote write: an hour ago, in whole minutes. */
const baseMs = Math.floor(Date.now() / 60_000) * 60_000 - 3600_000;
const COUNT = 300;
const LATE_COUNT = 40;

function histogram(i: number, isInteger: boolean): FloatHistogram {
  const size = isInteger ? 1 : 0.25;
  const grown = i % 100;
  const positiveBuckets = [1, 3 * grown, 2 + grown, 5].map((count) => count * size);
  const negativeBuckets = [2, grown].map((count) => count * size);
  const zeroCount = (grown % 50) * size;
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  return {
    isInteger,
    counterResetHint: 'unknown',
    schema: 2,
    zeroThreshold: 0.001,
    zeroCount,
    count: sum(positiveBuckets) + sum(negativeBuckets) + zeroCount,
    sum: 18.4 * i,
    // The layout changes on the way.
    positiveSpans: [
      { offset: i < 150 ? -2 : -3, length: 2 },
      { offset: 3, length: 2 },
    ],
    negativeSpans: [{ offset: 0, length: 2 }],
    positiveBuckets,
    negativeBuckets,
    customValues: [],
  };
}

function written(): WrittenSeries[] {
  const times = Array.from({ length: COUNT }, (_, i) => baseMs + i * 10_000 + (i % 3));
  const stale = (i: number) => (i % 70 === 69 ? ('stale' as const) : Math.sin(i) * 1e6);
  return [
    { labels: { __name__: 'floats', a: '1' }, samples: times.map((t, i) => [t, stale(i)]) },
    { labels: { __name__: 'floats', a: '2' }, samples: times.map((t, i) => [t, i]) },
    { labels: { __name__: 'gone', a: '1' }, samples: times.map((t, i) => [t, i]) },
    {
      labels: { __name__: 'integers' },
      histograms: times.map((t, i) => [t, histogram(i, true)]),
    },
    {
      labels: { __name__: 'fractions' },
      histograms: times.map((t, i) => [t, histogram(i, false)]),
    },
  ];
}

const everything = `/api/v1/query?query=${encodeURIComponent('{__name__=~".+"}[2h]')}`;

interface Samples {
  readonly values?: readonly unknown[];
  readonly histograms?: readonly unknown[];
}

/** All series with all samples, by their labels. */
async function allSamples(prometheus: RunningPrometheus): Promise<Map<string, Samples>> {
  const time = (baseMs + 3600_000) / 1000;
  const data = (await prometheus.get(`${everything}&time=${time}`)) as {
    result: (Samples & { metric: unknown })[];
  };
  return new Map(
    data.result.map(({ metric, values, histograms }) => [
      JSON.stringify(metric),
      { ...(values && { values }), ...(histograms && { histograms }) },
    ]),
  );
}

describe.skipIf(!hasPrometheus())('the head of a Prometheus', () => {
  let asked: Map<string, Samples>;
  let snapshot = '';

  beforeAll(async () => {
    mkdirSync(at('real'));
    const config = 'storage: {tsdb: {out_of_order_time_window: 2h}}\n';
    const prometheus = await startPrometheus(at('real'), config);
    await prometheus.write(written());
    const early = Array.from(
      { length: LATE_COUNT },
      (_, i) => [baseMs + i * 10_000 + 5000, -i] as const,
    );
    await prometheus.write([{ labels: { __name__: 'floats', a: '2' }, samples: early }]);
    const range = `start=${baseMs / 1000 + 100}&end=${baseMs / 1000 + 1000}`;
    await prometheus.post(`/api/v1/admin/tsdb/delete_series?match[]=gone&${range}`);
    asked = await allSamples(prometheus);
    const made = (await prometheus.post('/api/v1/admin/tsdb/snapshot')) as { name: string };
    snapshot = at('real', 'snapshots', made.name);
    await prometheus.stop();
  }, 60_000);

  it('is read from its log, its log of late samples and its chunks', async () => {
    expect(asked.size).toBe(5);
    const counted = [...asked.values()].map(({ values = [], histograms = [] }) => [
      values.length,
      histograms.length,
    ]);
    expect(counted).toContainEqual([0, COUNT]);
    expect(counted).toContainEqual([COUNT + LATE_COUNT, 0]);
    expect(readdirSync(at('real', 'chunks_head')).length).toBeGreaterThan(0);
    expect(readdirSync(at('real', 'wbl')).length).toBeGreaterThan(0);
    good('verify', at('real'));
    good('export', at('real'), at('real-exported'));
    const prometheus = await startPrometheus(at('real-exported'));
    expect(await allSamples(prometheus)).toEqual(asked);
    await prometheus.stop();
  });

  it('is, without what came late, what promtool dumps', () => {
    const flags = ['--match={a="1"}'];
    const wanted = promtool('tsdb', 'dump', ...flags, at('real'));
    expect(wanted.split('\n').length).toBeGreaterThan(COUNT);
    expect(good('dump', ...flags, at('real'))).toBe(wanted);
  });

  it('has in a snapshot the same samples in chunks as in the log', () => {
    good('verify', snapshot);
    const late = (text: string) =>
      sortedLines(text).filter((line) => !/ -\d+ \d+5\d\d\d$/.test(line));
    expect(late(good('dump', snapshot))).toEqual(late(good('dump', at('real'))));
  });

  it('is imported with its deletions, and dumped the same', () => {
    good('import', 'prometheus', at('real'), at('real-tyto'));
    expect(good('dump', at('real-tyto'))).toBe(good('dump', at('real')));
  });

  it('leaves tombstones in blocks, which are applied', async () => {
    cpSync(at('real-exported'), at('deleted'), { recursive: true });
    const prometheus = await startPrometheus(at('deleted'));
    const range = `start=${baseMs / 1000 + 500}&end=${baseMs / 1000 + 900}`;
    await prometheus.post(`/api/v1/admin/tsdb/delete_series?match[]=floats&${range}`);
    await prometheus.stop();
    const wanted = promtool('tsdb', 'dump', '--match={a="1"}', at('deleted'));
    expect(good('dump', '--match={a="1"}', at('deleted'))).toBe(wanted);
    expect(wanted).not.toBe(promtool('tsdb', 'dump', '--match={a="1"}', at('real-exported')));
  });
});

describe.skipIf(!hasPrometheus())('a Prometheus that scrapes itself', () => {
  it('is imported with everything that it has, over a restart', async () => {
    const config = `global: {scrape_interval: 200ms}
scrape_configs:
  - {job_name: self, static_configs: [{targets: ['127.0.0.1:PORT']}]}
`;
    mkdirSync(at('scraped'));
    for (let i = 0; i < 2; i++) {
      const prometheus = await startPrometheus(at('scraped'), config);
      // Its discovery of targets takes seconds.
      for (let scrapes = 0; scrapes < 5; ) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        const query = '/api/v1/query?query=count_over_time(up[1s])';
        const { result } = (await prometheus.get(query)) as { result: { value: string[] }[] };
        scrapes = Number(result[0]?.value[1] ?? 0);
      }
      await prometheus.stop();
    }
    const wanted = promtool('tsdb', 'dump', at('scraped'));
    expect(wanted.split('\n').length).toBeGreaterThan(3000);
    expect(sortedLines(good('dump', at('scraped')))).toEqual(sortedLines(wanted));
    good('verify', at('scraped'));
    good('import', 'prometheus', at('scraped'), at('scraped-tyto'));
    expect(sortedLines(good('dump', at('scraped-tyto')))).toEqual(sortedLines(wanted));
    good('export', at('scraped-tyto'), at('scraped-exported'));
    mkdirSync(at('scraped-exported', 'wal'));
    expect(sortedLines(promtool('tsdb', 'dump', at('scraped-exported')))).toEqual(
      sortedLines(wanted),
    );
  });
});

describe.skipIf(testdata === undefined)("Prometheus' test data", () => {
  it('has an index of version 1, which is read', () => {
    mkdirSync(at('v1'));
    const name = '01DXXFZDYD1MQW6079WK0K6EDQ';
    cpSync(join(testdata ?? '', 'index_format_v1'), at('v1', name), { recursive: true });
    spawnSync('chmod', ['-R', 'u+w', at('v1')]);
    good('verify', at('v1'));
    const dumped = good('dump', at('v1')).trim().split('\n');
    expect(dumped.length).toBe(102);
    expect(dumped[0]).toBe('{bar="0"} 0 0');
    mkdirSync(at('v1', 'wal'));
    if (hasPrometheus()) {
      expect(sortedLines(promtool('tsdb', 'dump', at('v1')))).toEqual(
        sortedLines(`${dumped.join('\n')}\n`),
      );
    }
    good('import', 'prometheus', at('v1'), at('v1-tyto'));
    expect(good('dump', at('v1-tyto')).trim().split('\n')).toEqual(dumped);
  });

  it('has a block of a version that nobody wrote on purpose, which is named as damage', () => {
    cpSync(join(testdata ?? '', 'repair_index_version'), at('repair'), { recursive: true });
    const [block] = readdirSync(at('repair'));
    const { status, stderr } = tyto('verify', at('repair'));
    expect(status).toBe(1);
    expect(stderr).toContain(join(block, 'meta.json'));
  });
});

import { ManualClock, silentLogger, TytoError } from '@tyto/base';
import {
  type HttpClient,
  type HttpRequest,
  ScrapeManager,
  type ScrapeMetrics,
} from '@tyto/collect';
import { MemoryMetricStore } from '@tyto/model';
import { afterEach, describe, expect, test } from 'vitest';
import { dumpStore, jobsOf } from '../testing.ts';

const START_MS = 1_700_000_000_000;

/** A manager on a clock that the test moves, whose targets answer what `bodies` says. */
class Bench {
  readonly clock = new ManualClock(START_MS);
  readonly store = new MemoryMetricStore();
  readonly requests: HttpRequest[] = [];
  readonly limits: string[] = [];
  readonly refused: string[] = [];
  readonly bodies = new Map<string, string | Error>();
  contentType = 'text/plain';
  readonly manager: ScrapeManager;

  constructor() {
    const client: HttpClient = {
      get: async (request) => {
        this.requests.push(request);
        const { host } = new URL(request.url);
        const body = this.bodies.get(host) ?? new TytoError('unavailable', 'nobody there');
        if (typeof body !== 'string') throw body;
        const bytes = Buffer.from(body);
        request.inspect?.(bytes, this.contentType);
        return { status: 200, statusText: 'OK', contentType: this.contentType, body: bytes };
      },
      close() {},
    };
    const metrics: ScrapeMetrics = {
      onScrape() {},
      onTargets() {},
      onLimitExceeded: (limit) => this.limits.push(limit),
      onRefused: (reason, count) => this.refused.push(`${reason} ${count}`),
    };
    this.manager = new ScrapeManager({
      store: this.store,
      clock: this.clock,
      logger: silentLogger,
      version: '1.2.3',
      seed: 'test',
      externalHost: 'outside',
      createHttpClient: () => client,
      metrics,
    });
  }

  /** One job with a target `a:1`, a scrape every ten seconds, and further lines of YAML. */
  async job(more = '', targets = '[a:1]'): Promise<void> {
    const job = `{job_name: j, static_configs: [{targets: ${targets}}]${more && `, ${more}`}}`;
    await this.manager.apply(jobsOf(`global: {scrape_interval: 10s}\nscrape_configs: [${job}]`));
  }

  async scrapes(count: number): Promise<void> {
    await this.clock.advance(count * 10_000);
  }

  /** The samples of a metric without their times: series, then values. */
  async values(metric: string): Promise<string[]> {
    const lines = await dumpStore(this.store, metric);
    return lines.map((line) => line.replace(/@\d+/g, ''));
  }

  error(): string {
    return this.manager.targets().active[0].lastError;
  }
}

let bench = new Bench();
afterEach(async () => {
  await bench.manager.stop();
  bench = new Bench();
});

describe('what a scrape stores', () => {
  test('samples with the labels of the target, and the series about the scrape', async () => {
    bench.bodies.set('a:1', 'b{c="d"} 1\ne 2\n');
    await bench.job();
    await bench.scrapes(1);
    expect(await bench.values('.+')).toEqual([
      'b{c="d", instance="a:1", job="j"} 1',
      'e{instance="a:1", job="j"} 2',
      'scrape_duration_seconds{instance="a:1", job="j"} 0',
      'scrape_samples_post_metric_relabeling{instance="a:1", job="j"} 2',
      'scrape_samples_scraped{instance="a:1", job="j"} 2',
      'scrape_series_added{instance="a:1", job="j"} 2',
      'up{instance="a:1", job="j"} 1',
    ]);
    const [target] = bench.manager.targets().active;
    expect(target).toMatchObject({ health: 'up', lastError: '', scrapePool: 'j' });
    expect(target.scrapeUrl).toBe('http://a:1/metrics');
  });

  test('scrapes are an interval apart and do not drift', async () => {
    bench.bodies.set('a:1', 'b 1\n');
    await bench.job();
    await bench.scrapes(30);
    const times = [...(await dumpStore(bench.store, 'b'))[0].matchAll(/@(\d+)/g)].map((m) => +m[1]);
    expect(times).toHaveLength(30);
    times.forEach((time, i) => {
      expect(time - times[0]).toBe(i * 10_000);
    });
  });

  test('conflicting labels become exported_, or win with honor_labels', async () => {
    bench.bodies.set('a:1', 'b{job="x",exported_job="y",instance=""} 1\n');
    await bench.job();
    await bench.scrapes(1);
    expect(await bench.values('b')).toEqual([
      'b{exported_exported_job="x", exported_job="y", instance="a:1", job="j"} 1',
    ]);
    await bench.job('honor_labels: true');
    bench.bodies.set('a:1', 'c{job="x"} 1\n');
    await bench.scrapes(1);
    expect(await bench.values('c')).toEqual(['c{instance="a:1", job="x"} 1']);
  });

  test('timestamps of the target count, unless honor_timestamps is false', async () => {
    bench.bodies.set('a:1', `b 1 ${START_MS - 5}\n`);
    await bench.job();
    await bench.scrapes(1);
    expect(await dumpStore(bench.store, 'b')).toEqual([
      `b{instance="a:1", job="j"} 1@${START_MS - 5}`,
    ]);
    await bench.job('honor_timestamps: false');
    await bench.scrapes(1);
    expect((await dumpStore(bench.store, 'b'))[0].split(' ')).toHaveLength(4);
  });

  test('metric_relabel_configs drop and rename', async () => {
    bench.bodies.set('a:1', 'b 1\nc 2\n');
    const drop = '{source_labels: [__name__], regex: c, action: drop}';
    const rename = '{source_labels: [__name__], regex: b, target_label: __name__, replacement: z}';
    await bench.job(`metric_relabel_configs: [${drop}, ${rename}]`);
    await bench.scrapes(2);
    expect(await bench.values('[bcz]')).toEqual(['z{instance="a:1", job="j"} 1 1']);
    expect(await bench.values('scrape_samples_.*')).toEqual([
      'scrape_samples_post_metric_relabeling{instance="a:1", job="j"} 1 1',
      'scrape_samples_scraped{instance="a:1", job="j"} 2 2',
    ]);
  });

  test('a sample that is there twice is counted and stored once', async () => {
    bench.bodies.set('a:1', 'b 1\nb 2\n');
    await bench.job();
    await bench.scrapes(1);
    expect(await bench.values('b')).toEqual(['b{instance="a:1", job="j"} 1']);
    expect(bench.refused).toEqual(['duplicate 1']);
  });

  test('series come and go in thousands, in any order, and each has its own samples', async () => {
    await bench.job();
    const body = (from: number, step: number) => {
      const lines = Array.from({ length: 3000 }, (_, i) => {
        const n = from + ((i * step) % 3000);
        return `m{n="${n}"} ${n}`;
      });
      return `${lines.join('\n')}\n`;
    };
    for (const [from, step] of [
      [0, 1],
      [0, 7],
      [2000, 1],
      [6000, 1],
      [0, 1],
    ]) {
      bench.bodies.set('a:1', body(from, step));
      await bench.scrapes(1);
    }
    const lines = await bench.values('m');
    expect(lines).toHaveLength(8000);
    for (const line of lines) {
      const [, n, values] = /n="(\d+)"} (.*)$/.exec(line) ?? [];
      const expected =
        +n < 2000 ? `${n} ${n} stale ${n}` : +n < 3000 ? `${n} ${n} ${n} stale ${n}` : `${n} stale`;
      expect(values, line).toBe(expected);
    }
  });

  test('metadata of the target', async () => {
    bench.bodies.set('a:1', '# HELP b some help\n# TYPE b counter\nb 1\n');
    await bench.job();
    await bench.scrapes(1);
    const [{ labels, metadata }] = bench.manager.metadata();
    expect(labels.get('instance')).toBe('a:1');
    expect(metadata.get('b')).toEqual({ type: 'counter', help: 'some help', unit: '' });
  });

  test('OpenMetrics is asked for first and understood', async () => {
    bench.contentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
    bench.bodies.set('a:1', '# TYPE b counter\nb_total 1 # {trace_id="x"} 1\n# EOF\n');
    await bench.job();
    await bench.scrapes(1);
    expect(await bench.values('b_total')).toEqual(['b_total{instance="a:1", job="j"} 1']);
    expect(bench.requests[0].headers).toEqual({
      Accept:
        'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,' +
        'application/openmetrics-text;version=0.0.1;q=0.5,' +
        'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,' +
        'text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'Accept-Encoding': 'gzip',
      'User-Agent': 'Tyto/1.2.3',
      'X-Prometheus-Scrape-Timeout-Seconds': '10',
    });
  });

  test('an unknown content type needs a fallback', async () => {
    bench.contentType = 'text/html';
    bench.bodies.set('a:1', 'b 1\n');
    await bench.job();
    await bench.scrapes(1);
    expect(bench.error()).toContain('received unsupported Content-Type "text/html"');
    await bench.job('fallback_scrape_protocol: PrometheusText0.0.4');
    await bench.scrapes(1);
    expect(bench.error()).toBe('');
  });
});

describe('staleness', () => {
  test('of series that vanish, also when only the order of their labels changes', async () => {
    await bench.job();
    bench.bodies.set('a:1', 'b 1\nc{x="1",y="2"} 1\n');
    await bench.scrapes(1);
    bench.bodies.set('a:1', 'c{y="2",x="1"} 2\n');
    await bench.scrapes(2);
    expect(await bench.values('[bc]')).toEqual([
      'b{instance="a:1", job="j"} 1 stale',
      'c{instance="a:1", job="j", x="1", y="2"} 1 2 2',
    ]);
  });

  test('of all series when a scrape fails, and they come back', async () => {
    await bench.job();
    bench.bodies.set('a:1', 'b 1\n');
    await bench.scrapes(1);
    bench.bodies.set('a:1', 'b 2\nc{ 3\n');
    await bench.scrapes(2);
    expect(bench.error()).toContain('line 2: expected a label name');
    bench.bodies.set('a:1', 'b 4\n');
    await bench.scrapes(1);
    expect(await bench.values('b|up')).toEqual([
      'b{instance="a:1", job="j"} 1 stale 4',
      'up{instance="a:1", job="j"} 1 0 0 1',
    ]);
  });

  test('of everything when the target is removed, but not when the process stops', async () => {
    await bench.job('', '[a:1, b:1]');
    bench.bodies.set('a:1', 'b 1\n');
    bench.bodies.set('b:1', 'b 1\n');
    await bench.scrapes(1);
    await bench.job('', '[b:1]');
    await bench.clock.advance(0);
    await bench.manager.stop();
    expect(await bench.values('b|up')).toEqual([
      'b{instance="a:1", job="j"} 1 stale',
      'b{instance="b:1", job="j"} 1',
      'up{instance="a:1", job="j"} 1 stale',
      'up{instance="b:1", job="j"} 1',
    ]);
  });

  test('not of samples with timestamps, unless track_timestamps_staleness is set', async () => {
    await bench.job();
    bench.bodies.set('a:1', `b 1 ${START_MS}\n`);
    await bench.scrapes(1);
    bench.bodies.set('a:1', 'c 1\n');
    await bench.scrapes(1);
    expect(await bench.values('b')).toEqual(['b{instance="a:1", job="j"} 1']);
    await bench.job('track_timestamps_staleness: true');
    bench.bodies.set('a:1', `d 1 ${START_MS}\n`);
    await bench.scrapes(1);
    bench.bodies.set('a:1', 'c 1\n');
    await bench.scrapes(1);
    expect(await bench.values('d')).toEqual(['d{instance="a:1", job="j"} 1 stale']);
  });
});

describe('reload', () => {
  test('targets that stay as they are notice nothing', async () => {
    bench.bodies.set('a:1', 'b 1\n');
    await bench.job();
    await bench.scrapes(1);
    await bench.job('', '[a:1, c:1]');
    await bench.scrapes(1);
    expect(await bench.values('b|up')).toEqual([
      'b{instance="a:1", job="j"} 1 1',
      'up{instance="a:1", job="j"} 1 1',
      'up{instance="c:1", job="j"} 0',
    ]);
    expect(await bench.values('scrape_series_added')).toContain(
      'scrape_series_added{instance="a:1", job="j"} 1 0',
    );
  });

  test('series go on under a new configuration; what it drops becomes stale', async () => {
    bench.bodies.set('a:1', 'b 1\nc 1\n');
    await bench.job();
    await bench.scrapes(1);
    await bench.job(
      'metric_relabel_configs: [{source_labels: [__name__], regex: c, action: drop}]',
    );
    await bench.scrapes(1);
    expect(await bench.values('[bc]')).toEqual([
      'b{instance="a:1", job="j"} 1 1',
      'c{instance="a:1", job="j"} 1 stale',
    ]);
  });

  test('a job that is gone takes its targets with it', async () => {
    bench.bodies.set('a:1', 'b 1\n');
    await bench.job();
    await bench.scrapes(1);
    await bench.manager.apply([]);
    expect(bench.manager.targets().active).toEqual([]);
    expect(await bench.values('b')).toEqual(['b{instance="a:1", job="j"} 1 stale']);
  });
});

describe('limits fail the whole scrape', () => {
  test.each([
    ['sample_limit: 1', 'sample limit exceeded', 'sample'],
    ['label_limit: 3', 'label_limit exceeded (metric: b, number of labels: 4, limit: 3)', 'label'],
    ['label_name_length_limit: 9', 'label_name_length_limit exceeded', 'label'],
    ['label_value_length_limit: 3', 'label_value_length_limit exceeded', 'label'],
  ])('%s', async (limit, message, name) => {
    bench.bodies.set('a:1', 'b{long_label="long"} 1\nc 2\n');
    await bench.job(limit);
    await bench.scrapes(1);
    expect(bench.error()).toContain(message);
    expect(bench.limits).toEqual([name]);
    expect(await bench.values('[bc]|up')).toEqual(['up{instance="a:1", job="j"} 0']);
  });

  test('target_limit', async () => {
    bench.bodies.set('a:1', 'b 1\n');
    await bench.job('target_limit: 1', '[a:1, b:1]');
    await bench.scrapes(1);
    expect(bench.error()).toBe('target_limit exceeded (number of targets: 2, limit: 1)');
    expect(bench.requests).toEqual([]);
  });

  test('extra_scrape_metrics show them', async () => {
    bench.bodies.set('a:1', 'b 1\n');
    await bench.job('extra_scrape_metrics: true, sample_limit: 7');
    await bench.scrapes(1);
    expect(await bench.values('scrape_(timeout|sample_limit|body).*')).toEqual([
      'scrape_body_size_bytes{instance="a:1", job="j"} 4',
      'scrape_sample_limit{instance="a:1", job="j"} 7',
      'scrape_timeout_seconds{instance="a:1", job="j"} 10',
    ]);
  });
});

describe('targets', () => {
  test('relabelling makes the address and the parameters, as for blackbox probes', async () => {
    const steps =
      '[{source_labels: [__address__], target_label: __param_target},' +
      '{source_labels: [__param_target], target_label: instance},' +
      '{target_label: __address__, replacement: "localhost:9115"}]';
    const job = `metrics_path: /probe, params: {module: [http_2xx]}, relabel_configs: ${steps}`;
    await bench.job(job, '["https://example.com/health"]');
    const [target] = bench.manager.targets().active;
    const query = 'module=http_2xx&target=https%3A%2F%2Fexample.com%2Fhealth';
    expect(target.scrapeUrl).toBe(`http://localhost:9115/probe?${query}`);
    expect(target.globalUrl).toBe(`http://outside:9115/probe?${query}`);
    expect(target.labels.toString()).toBe('{instance="https://example.com/health", job="j"}');
  });

  test('dropped ones are listed, and labels can set interval and timeout', async () => {
    const steps =
      '[{source_labels: [__address__], regex: b.*, action: drop},' +
      '{target_label: __scrape_interval__, replacement: 30s}]';
    await bench.job(`relabel_configs: ${steps}`, '[a:1, b:1]');
    const { active, dropped, droppedCounts } = bench.manager.targets();
    expect(active.map((target) => target.scrapeIntervalMs)).toEqual([30_000]);
    expect(dropped[0].discoveredLabels.get('__address__')).toBe('b:1');
    expect(droppedCounts).toEqual({ j: 1 });
  });

  test('internal targets are scraped like others', async () => {
    let body: string | Promise<string> = 'b 1\n';
    const read = () => body;
    bench.manager.addInternal({ jobName: 'tyto', instance: 'here', labels: { x: 'y' }, read });
    await bench.clock.advance(60_000);
    body = Promise.reject(new Error('no luck'));
    await bench.clock.advance(60_000);
    expect(await bench.values('b|up')).toEqual([
      'b{instance="here", job="tyto", x="y"} 1 stale',
      'up{instance="here", job="tyto", x="y"} 1 0',
    ]);
    expect(bench.error()).toBe('no luck');
    body = new Promise(() => {});
    await bench.clock.advance(71_000);
    expect(bench.error()).toBe('context deadline exceeded');
  });
});

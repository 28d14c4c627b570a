import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import { Labels } from '@tyto/model';
import { Tsdb } from '@tyto/tsdb';
import Fastify from 'fastify';
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { SelfMetrics } from '../metrics/selfMetrics.ts';
import { Params } from './params.ts';
import { selfMetricFamilies } from './selfMetricsJson.ts';
import { registerStatusApi } from './statusApi.ts';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const HOUR = 3_600_000;
const T = 1_767_225_600_000;

describe('the status API', () => {
  it('lists the blocks on disk', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tyto-status-api-'));
    const clock = new ManualClock(T);
    const tsdb = await Tsdb.open({ directory, clock, maintenanceIntervalMs: 0 });
    const app = Fastify();
    ends.push(async () => {
      await app.close();
      await tsdb.close();
      rmSync(directory, { recursive: true });
    });
    const status = () => {
      throw new Error('nobody asks');
    };
    const flags = new Map<string, string>();
    registerStatusApi(app, { clock, tsdb, metrics: new SelfMetrics(clock), flags, status });
    const blocks = async () => {
      const answer = await app.inject('/api/v1/status/tsdb/blocks');
      return answer.json().data.blocks;
    };
    expect(await blocks()).toEqual([]);
    for (let minute = 0; minute <= 200; minute++) {
      const appender = tsdb.appender();
      appender.append(appender.series(Labels.of({ __name__: 'm' })), T + minute * 60_000, minute);
      await appender.commit();
      await clock.advance(60_000);
    }
    await tsdb.maintain();
    const [block] = await blocks();
    expect(await blocks()).toHaveLength(1);
    expect(block).toEqual({
      ulid: expect.any(String),
      minTime: T,
      maxTime: T + 2 * HOUR,
      stats: { numSamples: 120, numSeries: 1, numChunks: 1 },
      compaction: { level: 1, sources: [block.ulid] },
      version: expect.any(Number),
    });
  });
});

describe('selfMetricFamilies', () => {
  const families = (registry: Registry, query = '') =>
    selfMetricFamilies(registry, new Params(new URLSearchParams(query)));

  it('are the families of metrics in ProtoJSON', async () => {
    const registry = new Registry();
    const registers = [registry];
    new Counter({ name: 'c_total', help: 'Count.', labelNames: ['a'], registers }).inc(
      { a: 'x' },
      3,
    );
    new Gauge({ name: 'g', help: 'Gauge.', registers }).set(Number.NaN);
    const bucketed = { name: 'h', help: 'H.', labelNames: ['z'], buckets: [1, 2], registers };
    new Histogram(bucketed).observe({ z: 'q' }, 1.5);
    new Summary({ name: 's', help: 'S.', percentiles: [0.5], registers }).observe(2);
    expect(await families(registry)).toEqual([
      {
        name: 'c_total',
        help: 'Count.',
        type: 'COUNTER',
        metric: [{ label: [{ name: 'a', value: 'x' }], counter: { value: 3 } }],
      },
      { name: 'g', help: 'Gauge.', type: 'GAUGE', metric: [{ gauge: { value: 'NaN' } }] },
      {
        name: 'h',
        help: 'H.',
        type: 'HISTOGRAM',
        metric: [
          {
            label: [{ name: 'z', value: 'q' }],
            histogram: {
              sampleCount: '1',
              sampleSum: 1.5,
              bucket: [
                { cumulativeCount: '0', upperBound: 1 },
                { cumulativeCount: '1', upperBound: 2 },
              ],
            },
          },
        ],
      },
      {
        name: 's',
        help: 'S.',
        type: 'SUMMARY',
        metric: [
          { summary: { sampleCount: '1', sampleSum: 2, quantile: [{ quantile: 0.5, value: 2 }] } },
        ],
      },
    ]);
  });

  it('are those whose whole name matches', async () => {
    const registry = new Registry();
    for (const name of ['aa', 'ab', 'xab']) new Gauge({ name, help: name, registers: [registry] });
    const found = await families(registry, 'metric_name_pattern=a.');
    expect(found.map(({ name }) => name)).toEqual(['aa', 'ab']);
    await expect(families(registry, 'metric_name_pattern=(')).rejects.toThrow(
      'invalid parameter "metric_name_pattern": error parsing regexp',
    );
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import type { ScrapeManager } from '@tyto/collect';
import type { LabelRequest, MetricQuerier } from '@tyto/model';
import Fastify, { type FastifyInstance } from 'fastify';
import { registerSearchApi } from './searchApi.ts';

const NOW = 1_767_225_600_000;
let app: FastifyInstance | undefined;

afterEach(async () => {
  await app?.close();
});

/** Values that the store has, and what it was asked. */
function server(values: readonly string[]) {
  const asked: LabelRequest[] = [];
  const labelValues = async (_: string, request: LabelRequest) => {
    asked.push(request);
    return { items: values, truncated: false };
  };
  const metadata = new Map<string, { type: string; help: string; unit: string }>([
    ['requests', { type: 'counter', help: 'Requests.', unit: '' }],
    ['latency_seconds', { type: 'histogram', help: '', unit: 'seconds' }],
  ]);
  app = Fastify();
  registerSearchApi(app, {
    clock: new ManualClock(NOW),
    store: { labelValues } as unknown as MetricQuerier,
    scrapes: { metadata: () => [{ metadata }] } as unknown as ScrapeManager,
    isSearchEnabled: true,
    searchLimitMax: 0,
  });
  const lines = async (query: string) => {
    const answer = await app?.inject(`/api/v1/search/metric_names?${query}`);
    const text = answer?.body.trimEnd().split('\n') ?? [];
    return text.map((line) => JSON.parse(line));
  };
  return { lines, asked };
}

const many = Array.from({ length: 20_000 }, (_, i) => `m${String(i).padStart(5, '0')}`);

describe('a search among many names', () => {
  it('gives the first in every order, and says that there are more', async () => {
    const { lines } = server(many);
    const first = async (query: string) => {
      const [{ results }, { has_more: hasMore }] = await lines(`limit=2&${query}`);
      expect(hasMore).toBe(true);
      return results.map(({ name }: { name: string }) => name);
    };
    expect(await first('')).toEqual(['m00000', 'm00001']);
    expect(await first('sort_by=alpha&sort_dir=dsc')).toEqual(['m19999', 'm19998']);
    expect(await first('search[]=1&search[]=m1234&sort_by=score')).toEqual(['m12340', 'm12341']);
  });

  it('gives all of them for a limit that is as large, in lines of a batch each', async () => {
    const found = await server(many).lines('limit=20000&batch_size=6000');
    expect(found.map((line) => line.results?.length)).toEqual([6000, 6000, 6000, 2000, undefined]);
    expect(found.at(-1)).toEqual({ status: 'success', has_more: false });
    expect(found[3].results.at(-1)).toEqual({ name: 'm19999' });
  });

  it('looks at the last hour unless it is told when', async () => {
    const { lines, asked } = server([]);
    await lines('');
    await lines('start=1&end=2');
    expect(asked.map(({ minTimeMs, maxTimeMs }) => [minTimeMs, maxTimeMs])).toEqual([
      [NOW - 3_600_000, NOW],
      [1000, 2000],
    ]);
  });

  it('knows the series of a family by its type', async () => {
    const names = ['latency_seconds_bucket', 'latency_seconds_total', 'requests', 'requests_total'];
    const [{ results }] = await server(names).lines('include_metadata=true');
    expect(results).toEqual([
      { name: 'latency_seconds_bucket', type: 'histogram', unit: 'seconds' },
      { name: 'latency_seconds_total' },
      { name: 'requests', type: 'counter', help: 'Requests.' },
      { name: 'requests_total', type: 'counter', help: 'Requests.' },
    ]);
  });
});

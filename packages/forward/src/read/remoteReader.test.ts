import { describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import { DEFAULT_HTTP_CLIENT, type HttpPost, type HttpPoster } from '@tyto/collect';
import { RemoteReader, type RemoteReadConfig } from '@tyto/forward';
import { decodeSnappy, encodeSnappy } from '@tyto/kernels';
import { createMatcher, formatMatcher, Labels } from '@tyto/model';
import { ProtobufWriter } from '@tyto/wire';
import { decodeReadRequest } from './messages.ts';

const CONFIG: RemoteReadConfig = {
  url: 'http://other.test/read',
  name: '',
  timeoutMs: 1000,
  headers: { 'X-Scope-OrgID': 'me' },
  requiredMatchers: {},
  readRecent: false,
  filtersExternalLabels: true,
  http: DEFAULT_HTTP_CLIENT,
};

/** One series with samples at 100, 200 and 300. */
function answer(): Uint8Array {
  const writer = new ProtobufWriter();
  const result = writer.begin(1);
  const series = writer.begin(1);
  for (const [name, value] of [
    ['__name__', 'm'],
    ['cluster', 'here'],
  ]) {
    const label = writer.begin(1);
    writer.string(1, name);
    writer.string(2, value);
    writer.end(label);
  }
  for (const time of [100, 200, 300]) {
    const sample = writer.begin(2);
    writer.double(1, time / 2);
    writer.int64(2, time);
    writer.end(sample);
  }
  writer.end(series);
  writer.end(result);
  return encodeSnappy(writer.finish());
}

class Other implements HttpPoster {
  readonly requests: HttpPost[] = [];

  async post(request: HttpPost) {
    this.requests.push(request);
    return { status: 200, contentType: '', retryAfter: '', body: answer() };
  }

  close(): void {}

  asked(): string[] {
    return this.requests.map(({ body }) => {
      const [query] = decodeReadRequest(decodeSnappy(body, 1e6)).queries;
      const matchers = query.matchers.map(formatMatcher).join();
      return `${query.minTimeMs}-${query.maxTimeMs} ${matchers}`;
    });
  }
}

function bench(config: Partial<RemoteReadConfig> = {}) {
  const client = new Other();
  const reader = new RemoteReader({
    config: { ...CONFIG, ...config },
    externalLabels: Labels.of({ cluster: 'here' }),
    client,
    clock: new ManualClock(),
    userAgent: 'Tyto/test',
  });
  return { client, reader };
}

const MATCHERS = [createMatcher('=', '__name__', 'm')];

describe('another store', () => {
  it('is asked for what our own does not have, with external labels', async () => {
    const { client, reader } = bench();
    const request = { matchers: MATCHERS, minTimeMs: 50, maxTimeMs: 900 };
    const [series] = await reader.select(request, 250);
    expect(client.asked()).toEqual(['50-250 __name__="m",cluster="here"']);
    expect(client.requests[0].headers).toMatchObject({ 'X-Scope-OrgID': 'me' });
    expect(series.labels.toString()).toBe('m');
    expect([...series.columns.timestamps.subarray(0, series.columns.length)]).toEqual([100, 200]);
    expect(await reader.select(request, 40)).toEqual([]);
    expect(client.requests.length).toBe(1);
  });

  it('is asked for everything where the configuration says so', async () => {
    const { client, reader } = bench({ readRecent: true, filtersExternalLabels: false });
    const [series] = await reader.select({ matchers: MATCHERS, minTimeMs: 50, maxTimeMs: 900 }, 0);
    expect(client.asked()).toEqual(['50-900 __name__="m"']);
    expect(series.labels.toString()).toBe('m{cluster="here"}');
    expect(series.columns.length).toBe(3);
  });

  it('is asked only where the matchers that it needs are there', async () => {
    const { client, reader } = bench({ readRecent: true, requiredMatchers: { env: 'a' } });
    const range = { minTimeMs: 50, maxTimeMs: 900 };
    await reader.select({ matchers: MATCHERS, ...range }, 0);
    const regular = [...MATCHERS, createMatcher('=~', 'env', 'a')];
    await reader.select({ matchers: regular, ...range }, 0);
    expect(client.requests.length).toBe(0);
    const equal = [...MATCHERS, createMatcher('=', 'env', 'a')];
    await reader.select({ matchers: equal, ...range }, 0);
    expect(client.requests.length).toBe(1);
  });
});

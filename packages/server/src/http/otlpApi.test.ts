import { describe, expect, it } from 'vitest';
import { ManualClock, silentLogger, TytoError } from '@tyto/base';
import { OtlpReceiver } from '@tyto/collect';
import { type MetricAppender, MemoryMetricStore } from '@tyto/model';
import Fastify from 'fastify';
import { HeldBodies } from './heldBodies.ts';
import { registerOtlpApi } from './otlpApi.ts';
import { OtlpBodies } from './otlpBodies.ts';

const POINT = { asInt: '1', timeUnixNano: '1000000000' };
const METRICS = [{ name: 'up', gauge: { dataPoints: [POINT] } }];
const BODY = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: METRICS }] }] });

function appOver(store: { appender(): MetricAppender }, bodies = new HeldBodies(1000, 2000)) {
  const app = Fastify();
  const receiver = new OtlpReceiver({ store, clock: new ManualClock(1000) });
  registerOtlpApi(app, {
    logger: silentLogger,
    otlpBodies: new OtlpBodies(receiver, 1000),
    receivedBodies: bodies,
    receivesOtlp: true,
  });
  return app;
}

function post(app: ReturnType<typeof appOver>, payload = BODY) {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return app.inject({ method: 'POST', url: '/v1/metrics', headers, payload });
}

describe('POST /v1/metrics', () => {
  it('answers 200 with nothing to tell, and holds nothing afterwards', async () => {
    const bodies = new HeldBodies(1000, 2000);
    const answer = await post(appOver(new MemoryMetricStore(), bodies));
    expect([answer.statusCode, answer.body, bodies.bytes]).toEqual([200, '{}', 0]);
  });

  it('is 503 where the disk takes nothing, and 413 for what is too large', async () => {
    const store = new MemoryMetricStore();
    const broken = {
      appender: () => ({
        ...store.appender(),
        commit: () => Promise.reject(new TytoError('io', 'no space left on device')),
      }),
    };
    const failed = await post(appOver(broken));
    expect(failed.statusCode).toBe(503);
    expect(failed.headers['retry-after']).toBe('1');
    expect(failed.json()).toEqual({ code: 14, message: 'no space left on device' });
    const large = await post(appOver(store), `${BODY}${' '.repeat(1000)}`);
    expect(large.statusCode).toBe(413);
    expect(large.json()).toMatchObject({ code: 8 });
  });
});

import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, silentLogger, TytoError } from '@tyto/base';
import { WriteReceiver } from '@tyto/collect';
import { encodeSnappy } from '@tyto/kernels';
import { Labels, type MetricAppender, MemoryMetricStore } from '@tyto/model';
import { encodeWriteRequest } from '@tyto/wire';
import Fastify, { type FastifyInstance } from 'fastify';
import { HeldBodies } from './heldBodies.ts';
import { registerWriteApi } from './writeApi.ts';

const BODY = Buffer.from(
  encodeSnappy(
    encodeWriteRequest(
      {
        series: [
          {
            labels: Labels.of({ __name__: 'up' }),
            timestamps: Float64Array.of(1000),
            values: Float64Array.of(1),
          },
        ],
      },
      2,
    ),
  ),
);
const HEADERS = {
  'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
  'content-encoding': 'snappy',
};

function appOver(store: { appender(): MetricAppender }, bodies = new HeldBodies(1000, 2000)) {
  const app = Fastify();
  registerWriteApi(app, {
    logger: silentLogger,
    receiver: new WriteReceiver({ store, clock: new ManualClock(0), key: new Uint8Array(16) }),
    receivedBodies: bodies,
    receivesWrites: true,
  });
  return app;
}

function post(app: FastifyInstance, payload: Buffer = BODY) {
  return app.inject({ method: 'POST', url: '/api/v1/write', headers: HEADERS, payload });
}

describe('POST /api/v1/write', () => {
  it('answers 204 with what was written, and holds nothing afterwards', async () => {
    const bodies = new HeldBodies(1000, 2000);
    const answer = await post(appOver(new MemoryMetricStore(), bodies));
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    expect(answer.headers['x-prometheus-remote-write-samples-written']).toBe('1');
    expect(bodies.bytes).toBe(0);
  });

  it('answers 503 when the store fails, so that senders try again', async () => {
    const store = new MemoryMetricStore();
    for (const kind of ['io', 'unavailable'] as const) {
      const commit = async () => {
        throw new TytoError(kind, 'no space left on device');
      };
      const answer = await post(appOver({ appender: () => ({ ...store.appender(), commit }) }));
      expect(answer.statusCode).toBe(503);
      expect(answer.headers['retry-after']).toBe('1');
      expect(answer.headers['x-prometheus-remote-write-samples-written']).toBe('0');
      expect(answer.body).toBe('no space left on device\n');
    }
  });

  it('answers 413 for a body that is too large, and 400 for none', async () => {
    const app = appOver(new MemoryMetricStore());
    const large = await post(app, Buffer.alloc(1001));
    expect([large.statusCode, large.headers.connection]).toEqual([413, 'close']);
    expect((await post(app, Buffer.alloc(0))).statusCode).toBe(400);
  });
});

describe('bodies that are held', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  /** A message that has arrived as far as its headers, and the request that sends it. */
  async function arriving(headers: Record<string, string> = {}) {
    const arrived: IncomingMessage[] = [];
    const came = new Promise<void>((resolve) => {
      server = createServer((message) => {
        arrived.push(message);
        resolve();
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const address = server?.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const client = request({ port, host: '127.0.0.1', method: 'POST', headers });
    client.on('error', () => undefined);
    client.flushHeaders();
    await came;
    return { message: arrived[0], client };
  }

  it('are counted from their announcement to their release', async () => {
    const bodies = new HeldBodies(1000, 1500);
    const { message, client } = await arriving({ 'content-length': '900' });
    const reading = bodies.read(message);
    expect(bodies.bytes).toBe(900);
    const second = await arriving({ 'content-length': '900' });
    await expect(bodies.read(second.message)).rejects.toMatchObject({ statusCode: 503 });
    expect(bodies.shed).toBe(1);
    client.end(Buffer.alloc(900));
    const body = await reading;
    expect(Buffer.concat(body.pieces).length).toBe(900);
    body.release();
    expect(bodies.bytes).toBe(0);
  });

  it('are refused where they grow too large, and let go when their sender is gone', async () => {
    const bodies = new HeldBodies(1000, 1500);
    const chunked = await arriving();
    const reading = expect(bodies.read(chunked.message)).rejects.toMatchObject({ statusCode: 413 });
    chunked.client.write(Buffer.alloc(600));
    chunked.client.write(Buffer.alloc(600));
    await reading;
    expect(bodies.bytes).toBe(0);
    expect(chunked.message.destroyed).toBe(false);
    const gone = await arriving({ 'content-length': '900' });
    const broken = expect(bodies.read(gone.message)).rejects.toMatchObject({ statusCode: 400 });
    gone.client.destroy();
    await broken;
    expect(bodies.bytes).toBe(0);
  });
});

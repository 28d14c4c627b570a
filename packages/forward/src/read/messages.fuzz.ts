/** Remote read with hostile bodies: they are refused with TytoError, and nothing else happens. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualClock, silentLogger, TytoError } from '@tyto/base';
import { MergedQuerier, ReadServer, RemoteReader } from '@tyto/forward';
import { DEFAULT_HTTP_CLIENT, type HttpPoster } from '@tyto/collect';
import { encodeSnappy } from '@tyto/kernels';
import {
  appendSamples,
  createMatcher,
  Labels,
  MemoryMetricStore,
  SampleColumns,
} from '@tyto/model';
import { encodeReadRequest } from './messages.ts';

const NEVER = new AbortController().signal;
const NAMES = ['m', 'ä', 'n'];

async function storeOf(seed: number): Promise<MemoryMetricStore> {
  const store = new MemoryMetricStore();
  for (const name of NAMES) {
    const count = 1 + (seed % 400);
    const samples = Array.from({ length: count }, (_, i) => [i * 7, i * seed] as const);
    await appendSamples(store, Labels.of({ __name__: name, s: String(seed) }), samples);
  }
  return store;
}

function readerOf(client: HttpPoster): RemoteReader {
  return new RemoteReader({
    config: {
      url: 'http://other.test/read',
      name: '',
      timeoutMs: 1000,
      headers: {},
      requiredMatchers: {},
      readRecent: true,
      filtersExternalLabels: true,
      http: DEFAULT_HTTP_CLIENT,
    },
    externalLabels: Labels.of({ cluster: 'here' }),
    client,
    clock: new ManualClock(),
    userAgent: 'Tyto/test',
  });
}

/** An endpoint that answers out of a store, as `type` says, with the body changed by `damage`. */
function endpoint(
  server: ReadServer,
  damage: (body: Uint8Array) => Uint8Array,
  isStream: boolean,
): HttpPoster {
  return {
    async post({ body }) {
      const request = isStream ? body : SAMPLES_ONLY;
      const answer = await server.answer(request, NEVER);
      const pieces: Uint8Array[] = [];
      if (answer.type === 'samples') pieces.push(answer.body);
      else for await (const frame of answer.frames) pieces.push(frame);
      const contentType = isStream
        ? 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse'
        : 'application/x-protobuf';
      return {
        status: 200,
        contentType,
        retryAfter: '',
        body: damage(Buffer.concat(pieces)),
      };
    },
    close() {},
  };
}

const QUERY = {
  minTimeMs: 50,
  maxTimeMs: 2000,
  matchers: [createMatcher('=~', '__name__', 'm|ä')],
};
/** The request without the types of answers that it takes. */
const SAMPLES_ONLY = encodeSnappy(encodeReadRequest(QUERY).subarray(0, -4));

async function samplesOf(querier: MergedQuerier | MemoryMetricStore) {
  const selection = await querier.select(QUERY);
  const all: Record<string, number[][]> = {};
  for (let i = 0; i < selection.size; i++) {
    const columns = new SampleColumns();
    selection.readInto(i, columns);
    const { length, timestamps, values } = columns;
    all[selection.labels(i).toString()] = Array.from({ length }, (_, k) => [
      timestamps[k],
      values[k],
    ]);
  }
  return { all, warnings: 'warnings' in selection ? selection.warnings : [] };
}

it('an answer in either type has exactly the samples of the store', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1000), fc.boolean(), async (seed, isStream) => {
      const store = await storeOf(seed);
      const externalLabels = () => Labels.of({ cluster: 'here' });
      const server = new ReadServer({ store, sampleLimit: 1e6, externalLabels });
      const querier = new MergedQuerier({
        own: new MemoryMetricStore(),
        logger: silentLogger,
        completeFromMs: () => 0,
      });
      querier.readers = [readerOf(endpoint(server, (body) => body, isStream))];
      expect((await samplesOf(querier)).all).toEqual((await samplesOf(store)).all);
      querier.readers = [];
    }),
    { numRuns: 40 },
  );
});

it('what our own store reads ahead is asked for and given back, and not for others', async () => {
  const own = await storeOf(3);
  const done: string[] = [];
  const ahead = Object.assign(Object.create(own) as MemoryMetricStore, {
    select: async (request: typeof QUERY) =>
      Object.assign(Object.create(await own.select(request)), {
        prepare: (index: number) => done.push(`prepare ${index}`),
        release: () => done.push('release'),
      }),
  });
  const externalLabels = () => Labels.of({ cluster: 'here' });
  const server = new ReadServer({ store: await storeOf(77), sampleLimit: 1e6, externalLabels });
  const querier = new MergedQuerier({
    own: ahead,
    logger: silentLogger,
    completeFromMs: () => 0,
  });
  querier.readers = [readerOf(endpoint(server, (body) => body, false))];
  const selection = await querier.select(QUERY);
  const { size } = await own.select(QUERY);
  expect(selection.size).toBeGreaterThanOrEqual(size);
  for (let i = 0; i < selection.size; i++) void selection.prepare?.(i);
  selection.release?.();
  const wanted = Array.from({ length: size }, (_, index) => `prepare ${index}`);
  expect(done).toEqual([...wanted, 'release']);
  querier.readers = [];
});

it('a damaged answer costs its samples and gives a warning', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1000),
      fc.boolean(),
      fc.nat(),
      fc.nat(255),
      fc.boolean(),
      async (seed, isStream, at, byte, cuts) => {
        const own = await storeOf(3);
        const server = new ReadServer({
          store: await storeOf(seed),
          sampleLimit: 1e6,
          externalLabels: () => Labels.empty,
        });
        const damage = (body: Uint8Array) => {
          const copy = Uint8Array.from(body);
          if (cuts) return copy.subarray(0, at % copy.length);
          copy[at % copy.length] = byte;
          return copy;
        };
        const querier = new MergedQuerier({
          own,
          logger: silentLogger,
          completeFromMs: () => 0,
        });
        querier.readers = [readerOf(endpoint(server, damage, isStream))];
        const { all } = await samplesOf(querier);
        const mine = await samplesOf(own);
        for (const key of Object.keys(mine.all)) expect(all[key]).toBeDefined();
      },
    ),
    { numRuns: 300 },
  );
});

it('a damaged request is refused', async () => {
  const store = await storeOf(5);
  const server = new ReadServer({ store, sampleLimit: 1e6, externalLabels: () => Labels.empty });
  const plain = encodeReadRequest(QUERY);
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(255), fc.uint8Array(), async (at, byte, tail) => {
      const body = Uint8Array.from([...plain, ...tail]);
      body[at % plain.length] = byte;
      for (const request of [encodeSnappy(body), tail]) {
        try {
          const answer = await server.answer(request, NEVER);
          if (answer.type === 'chunks') for await (const frame of answer.frames) void frame;
        } catch (error) {
          expect(error).toBeInstanceOf(TytoError);
        }
      }
    }),
    { numRuns: 500 },
  );
});

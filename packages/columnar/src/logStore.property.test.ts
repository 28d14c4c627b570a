import { Labels, type LogStore, type MatchType, MemoryLogStore } from '@tyto/model';
import { LOG_SUITE_NOW_NS, matchersOf } from '@tyto/model/testing/logs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OpenedStores } from './testing/opened.ts';

const HOUR_NS = 3_600_000_000_000n;

let stores: OpenedStores;
beforeAll(() => {
  stores = new OpenedStores();
});
afterAll(() => stores.close());

const word = fc.constantFrom('a', 'b', "c'\\", 'ünï', '\0', '', 'x y');
const labels = fc.record({ app: fc.constantFrom('a', 'b', 'ab'), env: word, z: word });
const time = fc.oneof(
  fc.bigInt({ min: -5n, max: 5n }).map((n) => LOG_SUITE_NOW_NS + n),
  fc.bigInt({ min: -400n, max: 400n }).map((n) => LOG_SUITE_NOW_NS + n * HOUR_NS),
  fc.constantFrom(0n, 1n, 253_402_300_799_000_000_000n % 2n ** 62n),
);
const entry = fc.record({
  timestampNs: time,
  line: fc.oneof(fc.string({ unit: 'grapheme' }), word),
  metadata: fc.dictionary(word, word, { maxKeys: 2 }).map(Labels.of),
});
const streams = fc.array(
  fc.record({ labels: labels.map(Labels.of), entries: fc.array(entry, { maxLength: 12 }) }),
  { maxLength: 6 },
);
const matcher = fc.tuple(
  fc.constantFrom('app', 'env', 'z', 'none'),
  fc.constantFrom<MatchType>('=', '!=', '=~', '!~'),
  fc.constantFrom('a', 'b', '', 'a|ab', 'a.*', '.+', "c'\\\\", '.*b'),
);

/** Everything in one order, since entries of one time come in any. */
async function everything(store: LogStore, tenant: string, asked: Asked) {
  const matchers = matchersOf([['app', '=~', '.+'], ...asked.matchers]);
  const [startNs, endNs] = [
    asked.a < asked.b ? asked.a : asked.b,
    asked.a < asked.b ? asked.b : asked.a,
  ];
  const range = { tenant, startNs, endNs };
  const { direction, wanted } = asked;
  const found: string[] = [];
  const times: bigint[] = [];
  for await (const chunk of store.read({ ...range, matchers, filters: [], direction, wanted })) {
    chunk.lines.forEach((line, i) => {
      const stream = chunk.streams[chunk.streamOf[i]];
      times.push(chunk.timestampsNs[i]);
      found.push(JSON.stringify([`${times.at(-1)}`, stream, line, chunk.metadata[i]].map(String)));
    });
  }
  const sign = direction === 'forward' ? 1n : -1n;
  const isOrdered = times.every((own, i) => i === 0 || (own - times[i - 1]) * sign >= 0n);
  const sizes = await store.sizes({ ...range, matcherSets: [matchers] });
  const estimate = await store.estimate({ ...range, matchers, filters: [] });
  return {
    isOrdered,
    found: found.sort(),
    sizes: sizes.map((size) => [String(size.labels), size.entries, size.bytes]),
    estimate,
  };
}

interface Asked {
  readonly matchers: readonly [string, MatchType, string][];
  readonly a: bigint;
  readonly b: bigint;
  readonly direction: 'forward' | 'backward';
  readonly wanted: number;
}

it('answers what the store in memory answers', { timeout: 60_000 }, async () => {
  const store = stores.open();
  let run = 0;
  const asked = fc.record<Asked>({
    matchers: fc.array(matcher, { maxLength: 2 }),
    a: time,
    b: time,
    direction: fc.constantFrom('forward', 'backward'),
    wanted: fc.constantFrom(1, 3, 1000),
  });
  await fc.assert(
    fc.asyncProperty(streams, fc.array(asked, { maxLength: 4 }), async (given, questions) => {
      run++;
      const tenant = `tenant ${run}`;
      const memory = new MemoryLogStore();
      // In two appends, because streams come again.
      for (const part of [given.slice(0, 2), given.slice(2)]) {
        await memory.append(tenant, part);
        await store.logs.append(tenant, part);
      }
      for (const question of questions) {
        const expected = await everything(memory, tenant, question);
        expect(await everything(store.logs, tenant, question)).toEqual(expected);
      }
    }),
    { numRuns: 15, seed: 3 },
  );
});

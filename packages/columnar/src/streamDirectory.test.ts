import { LOG_SUITE_NOW_NS, matchersOf, readLogs, someLogs } from '@tyto/model/testing/logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Columnar } from './columnar.ts';
import { OpenedStores } from './testing/opened.ts';

const DAY_S = 86_400;
const DAY_NS = 86_400_000_000_000n;
const DAYS = 80;

let stores: OpenedStores;
beforeAll(() => {
  stores = new OpenedStores();
});
afterAll(() => stores.close());

describe('streams that the server knows', () => {
  const found = async ({ logs }: Columnar, day: number) => {
    const startNs = LOG_SUITE_NOW_NS - BigInt(day) * DAY_NS;
    const range = { startNs, endNs: startNs + DAY_NS / 24n };
    const streams = await logs.streams({ tenant: 'one', matcherSets: [], ...range });
    return streams.map(String);
  };

  it('are those that were written before and after the first question', async () => {
    const directory = stores.directory();
    const store = stores.open({ directory });
    await store.logs.append('one', [someLogs({ app: 'a' }, [0, 'a'])]);
    expect(await found(store, 0)).toEqual(['{app="a"}']);
    const writing = store.logs.append('one', [someLogs({ app: 'b' }, [1, 'b'])]);
    await Promise.all([found(store, 0), writing]);
    expect(await found(store, 0)).toEqual(['{app="a"}', '{app="b"}']);
    expect(await found(store, 7)).toEqual([]);
    await store.logs.append('one', [someLogs({ app: 'a' }, [-7 * DAY_S, 'late'])]);
    expect(await found(store, 7)).toEqual(['{app="a"}']);
    await store.close();
    const again = stores.open({ directory });
    const both = Promise.all([found(again, 0), found(again, 7), found(again, 3)]);
    expect(await both).toEqual([['{app="a"}', '{app="b"}'], ['{app="a"}'], []]);
  });

  it('are found at all of their times, however many those are', async () => {
    const store = stores.open();
    expect(await found(store, 0)).toEqual([]);
    const times = Array.from({ length: DAYS }, (_, i): [number, string] => [
      -((i * 37) % DAYS) * DAY_S,
      'x',
    ]);
    await store.logs.append('one', [someLogs({ app: 'a' }, ...times)]);
    for (let day = 0; day < DAYS; day++) {
      expect([day, await found(store, day)]).toEqual([day, ['{app="a"}']]);
    }
    expect(await found(store, DAYS + 2)).toEqual([]);
  });

  it('are no longer there when their entries were deleted', async () => {
    const store = stores.open();
    await store.logs.append('one', [
      someLogs({ app: 'a' }, [0, 'a']),
      someLogs({ app: 'b' }, [0, 'b']),
    ]);
    expect(await found(store, 0)).toEqual(['{app="a"}', '{app="b"}']);
    await store.logs.delete({
      tenant: 'one',
      matchers: matchersOf([['app', '=', 'a']]),
      filters: [],
      startNs: LOG_SUITE_NOW_NS - DAY_NS,
      endNs: LOG_SUITE_NOW_NS + DAY_NS,
    });
    expect(await found(store, 0)).toEqual(['{app="b"}']);
    await store.logs.append('one', [someLogs({ app: 'a' }, [1, 'again'])]);
    expect(await found(store, 0)).toEqual(['{app="a"}', '{app="b"}']);
    const read = await readLogs(store.logs, [['app', '=', 'a']], {});
    expect(read.map(([, , line]) => line)).toEqual(['again']);
  });
});

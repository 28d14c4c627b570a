import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ManualClock, systemClock } from '@tyto/base';
import { LOG_SUITE_NOW_NS, matchersOf, readLogs, someLogs } from '@tyto/model/testing/logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpenedStores } from './testing/opened.ts';

const DAY_MS = 86_400_000;
const DAY_S = 86_400;
const NOW_MS = Number(LOG_SUITE_NOW_NS / 1_000_000n);
const ALL = { startNs: LOG_SUITE_NOW_NS - 90n * 86_400_000_000_000n, wanted: 1000 };
/** A clock of the suite's day whose timers are real. */
const clock = {
  nowMs: () => NOW_MS,
  monotonicMs: systemClock.monotonicMs,
  schedule: systemClock.schedule,
};

let stores: OpenedStores;
beforeAll(() => {
  stores = new OpenedStores();
});
afterAll(() => stores.close());

describe('retention', () => {
  it('keeps each stream as long as its rule says, in whole days', async () => {
    const store = stores.open({ clock });
    const ages = [0, 2, 5, 20, 40];
    const entries = ages.map((days): [number, string] => [-days * DAY_S, `${days} days`]);
    await store.logs.append('one', [
      someLogs({ app: 'a' }, ...entries),
      someLogs({ app: 'short' }, ...entries),
      someLogs({ app: 'long' }, ...entries),
    ]);
    store.setRetention({
      periodMs: 10 * DAY_MS,
      rules: [
        { matchers: matchersOf([['app', '=~', 's.*']]), priority: 1, periodMs: 3 * DAY_MS },
        { matchers: matchersOf([['app', '=~', '.+t']]), priority: 0, periodMs: 4 * DAY_MS },
        { matchers: matchersOf([['app', '=', 'long']]), priority: 1, periodMs: 30 * DAY_MS },
      ],
      bytesMax: 0,
    });
    await store.applyRetention();
    const left = async (app: string) =>
      (await readLogs(store.logs, [['app', '=', app]], ALL)).map(([, , line]) => line);
    expect(await left('short')).toEqual(['2 days', '0 days']);
    expect(await left('a')).toEqual(['5 days', '2 days', '0 days']);
    expect(await left('long')).toEqual(['20 days', '5 days', '2 days', '0 days']);
    const request = { tenant: 'one', matcherSets: [], startNs: ALL.startNs };
    const endNs = LOG_SUITE_NOW_NS - 15n * 86_400_000_000_000n;
    const streams = await store.logs.streams({ ...request, endNs });
    expect(streams.map(String)).toEqual(['{app="long"}']);
    await store.logs.append('one', [someLogs({ app: 'a' }, [-20 * DAY_S, 'late'])]);
    expect(await left('a')).toContain('late');
  });

  it('drops the oldest days when the logs take too much of the disk', async () => {
    const store = stores.open({ clock });
    const entries = [0, 1, 2].map((days): [number, string] => [-days * DAY_S, `${days} days`]);
    await store.logs.append('one', [someLogs({ app: 'a' }, ...entries)]);
    store.setRetention({ periodMs: 0, rules: [], bytesMax: 1 });
    await store.applyRetention();
    const found = await readLogs(store.logs, [['app', '=', 'a']], ALL);
    expect(found.map(([, , line]) => line)).toEqual(['0 days']);
  });
});

describe('the store as a whole', () => {
  it('starts nothing before it is used, and keeps what it has', async () => {
    const directory = join(
      stores.directory(),
      'a directory with a name too long for a socket'.repeat(3),
    );
    mkdirSync(directory, { recursive: true });
    const idle = stores.open({ directory, clock: new ManualClock(NOW_MS) });
    idle.setRetention({ periodMs: DAY_MS, rules: [], bytesMax: 1 });
    await idle.applyRetention();
    await idle.close();
    expect(existsSync(join(directory, 'data'))).toBe(false);
    const first = stores.open({ directory });
    await first.logs.append('one', [someLogs({ service: 'web' }, [0, 'kept'])]);
    await first.close();
    const second = stores.open({ directory });
    expect(await readLogs(second.logs, [['service', '=', 'web']])).toHaveLength(1);
    expect(await second.status()).toMatchObject({ isEmbedded: true, entries: 1, starts: 1 });
    expect(await second.usage()).toMatchObject([
      { tenant: 'one', service: 'web', streams: 1, entries: 1, lineBytes: 4 },
    ]);
  });

  it('speaks to a server in place of its engine', async () => {
    const directory = stores.directory();
    const engine = stores.open({ directory });
    await engine.status();
    // The engine's own interface, on TCP, is the server.
    const proxy = createServer((socket) => {
      const behind = connect(join(directory, 'engine.sock'));
      socket.on('error', () => behind.destroy());
      behind.on('error', () => socket.destroy());
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const clickhouseUrl = `http://me:secret@127.0.0.1:${port}/default`;
    const store = stores.open({ clickhouseUrl });
    await store.logs.append('one', [someLogs({ app: 'a' }, [0, 'over TCP'])]);
    expect(await readLogs(store.logs, [['app', '=', 'a']])).toHaveLength(1);
    expect(await store.status()).toMatchObject({ isEmbedded: false, pid: undefined, entries: 1 });
    await store.close();
    proxy.close();
    const nobody = stores.open({ clickhouseUrl: 'http://127.0.0.1:1/default' });
    await expect(nobody.status()).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('says what is missing when the engine can not start, and does not wait for it', async () => {
    const directory = stores.directory();
    const script = join(directory, 'without-chdb.mjs');
    const reason = 'the package chdb is not installed';
    writeFileSync(script, `process.stderr.write('${reason}'); process.exitCode = 3;`);
    const store = stores.open({ directory, engineScript: pathToFileURL(script) });
    for (let i = 0; i < 3; i++) {
      await expect(store.status()).rejects.toMatchObject({
        kind: 'unavailable',
        message: `log store: ${reason}`,
      });
    }
  });

  it('reads more streams than a query has room for by default', async () => {
    const store = stores.open();
    const streams = Array.from({ length: 15_000 }, (_, i) =>
      someLogs({ app: 'many', pod: `pod-${i}` }, [i / 1000, `line ${i}`]),
    );
    await store.logs.append('one', streams);
    const found = await readLogs(store.logs, [['app', '=', 'many']], { wanted: 20 }, 20);
    expect(found.map(([, , line]) => line)).toEqual(
      Array.from({ length: 20 }, (_, i) => `line ${i}`),
    );
  });
});

import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { LOG_SUITE_NOW_NS, matchersOf, readLogs, someLogs } from '@tyto/model/testing/logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpenedStores } from './testing/opened.ts';

let stores: OpenedStores;
beforeAll(() => {
  stores = new OpenedStores();
});
afterAll(() => stores.close());

const line = (n: number) => `line ${n} ${'x'.repeat(100)}`;
const all = matchersOf([['app', '=', 'a']]);

async function pidOf(store: { status(): Promise<{ pid: number | undefined }> }): Promise<number> {
  const { pid } = await store.status();
  if (pid === undefined) throw new Error('the engine is not up');
  return pid;
}

describe('the engine that dies', () => {
  it('loses nothing that was acknowledged, and appends go on', { timeout: 60_000 }, async () => {
    const store = stores.open();
    let killed = await pidOf(store);
    let next = 0;
    for (let round = 0; round < 4; round++) {
      const appends: Promise<void>[] = [];
      for (let i = 0; i < 20; i++) {
        const n = next++;
        appends.push(store.logs.append('one', [someLogs({ app: 'a' }, [n / 100, line(n)])]));
        if (i === 10) process.kill(killed, 'SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      // Every one of them is tried again until the engine is back.
      await Promise.all(appends);
      const started = performance.now();
      const pid = await pidOf(store);
      expect(pid).not.toBe(killed);
      expect(performance.now() - started).toBeLessThan(3000);
      killed = pid;
    }
    const found = await readLogs(store.logs, [['app', '=', 'a']], { wanted: 1000 });
    expect(found.map(([, , text]) => text)).toEqual(
      Array.from({ length: next }, (_, n) => line(n)),
    );
    expect((await store.status()).starts).toBe(5);
  });

  it('gives up its directory when the server is killed', { timeout: 60_000 }, async () => {
    const directory = stores.directory();
    const server = spawn(
      process.execPath,
      ['-e', SERVER_THAT_STARTS, stores.script.pathname, directory],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((resolve) => server.stdout.once('data', resolve));
    server.kill('SIGKILL');
    const store = stores.open({ directory });
    await store.logs.append('one', [someLogs({ app: 'a' }, [0, 'mine now'])]);
    expect(await readLogs(store.logs, [['app', '=', 'a']])).toHaveLength(1);
  });
});

/** Starts the engine as a server does, and says so. */
const SERVER_THAT_STARTS = `
  const [script, directory] = process.argv.slice(1);
  const given = { directory, socketPath: directory + '/engine.sock', memoryBytes: 1e9 };
  const child = require('node:child_process').spawn(
    process.execPath, [script, JSON.stringify(given)], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdout.once('data', () => console.log('up'));
`;

describe('queries that ask for too much', () => {
  it('fail with a reason while others go on', { timeout: 60_000 }, async () => {
    const store = stores.open();
    const lines = Array.from({ length: 20_000 }, (_, n): [number, string] => [n / 100, line(n)]);
    await store.logs.append('one', [someLogs({ app: 'a' }, ...lines)]);
    const hungry = store.sql({
      tenant: 'one',
      query: 'SELECT groupArray(concat(line, toString(number))) FROM logs, numbers(100000)',
      format: 'json',
    });
    const reading = readLogs(store.logs, [['app', '=', 'a']], { wanted: 10 }, 10);
    await expect(hungry).rejects.toMatchObject({ kind: 'too_large' });
    expect(await reading).toHaveLength(10);
    const estimate = { tenant: 'one', matchers: all, filters: [], startNs: 0n };
    const endNs = LOG_SUITE_NOW_NS * 2n;
    expect((await store.logs.estimate({ ...estimate, endNs })).entries).toBe(20_000);
  });
});

describe("the engine's HTTP interface", () => {
  it('answers as ClickHouse does, with codes for what is wrong', async () => {
    const directory = stores.directory();
    const store = stores.open({ directory });
    await store.status();
    const socketPath = join(directory, 'engine.sock');
    expect(await ask(socketPath, '/ping')).toEqual([200, 'Ok.\n', undefined]);
    expect(await ask(socketPath, '/?query=SELECT%201')).toEqual([200, '1\n', undefined]);
    expect(await ask(socketPath, '/', 'SELECT 1 + 1 FORMAT JSONEachRow')).toEqual([
      200,
      '{"plus(1, 1)":2}\n',
      undefined,
    ]);
    const bound = '/?param_x=a%27b&query=SELECT%20%7Bx%3AString%7D';
    expect((await ask(socketPath, bound))[0]).toBe(200);
    const limited = '/?max_result_rows=1&query=SELECT%20*%20FROM%20numbers(10)';
    expect((await ask(socketPath, limited))[2]).toBe('396');
    expect((await ask(socketPath, '/', 'SELECT nothing'))[2]).toBe('47');
    expect((await ask(socketPath, '/', 'SELECT FROM WHERE'))[2]).toBe('62');
    expect((await ask(socketPath, '/other'))[0]).toBe(400);
    expect((await ask(socketPath, '/?bad-name=1&query=SELECT%201'))[0]).toBe(400);
  });

  it('outlives any bytes that are sent to it', { timeout: 30_000 }, async () => {
    const directory = stores.directory();
    const store = stores.open({ directory });
    const pid = await pidOf(store);
    const socketPath = join(directory, 'engine.sock');
    let state = 11;
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 16) % below;
    };
    const pieces = ['POST / HTTP/1.1\r\n', 'GET /?query=', 'INSERT INTO log_entries FORMAT Native'];
    pieces.push(
      '\r\n',
      'content-length: 99999\r\n',
      'transfer-encoding: chunked\r\n',
      '\0\xff',
      '{',
    );
    pieces.push(
      'SELECT ',
      '%',
      '%zz',
      "'",
      'host: x\r\n\r\n',
      '?param_a=',
      '&readonly=3',
      ' HTTP/1.1',
    );
    for (let i = 0; i < 200; i++) {
      let text = '';
      for (let n = random(8); n >= 0; n--) text += pieces[random(pieces.length)];
      await new Promise<void>((resolve) => {
        const socket = connect(socketPath, () => socket.end(Buffer.from(text, 'latin1')));
        socket.on('error', () => resolve());
        socket.on('close', () => resolve());
        socket.resume();
      });
    }
    expect(await pidOf(store)).toBe(pid);
  });
});

function ask(
  socketPath: string,
  path: string,
  body?: string,
): Promise<[status: number | undefined, body: string, code: unknown]> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request({ socketPath, path, method }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () =>
        resolve([response.statusCode, text, response.headers['x-clickhouse-exception-code']]),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { silentLogger, systemClock, TytoError } from '@tyto/base';
import { DEFAULT_LOG_LIMITS, LogReceiver, SyslogServer } from '@tyto/collect';
import { Labels, MemoryLogStore } from '@tyto/model';
import { afterEach, describe, expect, it } from 'vitest';

const servers: SyslogServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function listening(protocol: 'tcp' | 'udp', store = new MemoryLogStore()) {
  const receiver = new LogReceiver({
    appender: store,
    clock: systemClock,
    limitsOf: () => DEFAULT_LOG_LIMITS,
  });
  const labels = Labels.of({ source: 'test' });
  const listener = { protocol, host: '127.0.0.1', port: 0, tenant: 'fake', labels };
  const server = new SyslogServer(listener, { receiver, clock: systemClock, logger: silentLogger });
  servers.push(server);
  const port = await server.listen();
  return { server, port, store };
}

/** Lines of the store, once there are so many. */
async function lines(store: MemoryLogStore, count: number): Promise<string[]> {
  for (;;) {
    const found: string[] = [];
    const all = { tenant: 'fake', matchers: [], filters: [], startNs: 0n, endNs: 2n ** 62n };
    for await (const chunk of store.read({ ...all, direction: 'forward', wanted: 100 })) {
      found.push(...chunk.lines);
    }
    if (found.length >= count) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function send(port: number, pieces: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', async () => {
      for (const piece of pieces) {
        await new Promise((written) => socket.write(piece, written));
        await new Promise((turn) => setImmediate(turn));
      }
      socket.end();
    });
    socket.on('close', () => resolve());
    socket.on('error', reject);
    socket.resume();
  });
}

describe('syslog over TCP', () => {
  it('is framed by newlines', async () => {
    const { port, store, server } = await listening('tcp');
    await send(port, ['<13>app: o', 'ne\n<13>app: two\n\n<13>app: last']);
    expect((await lines(store, 3)).sort()).toEqual(['last', 'one', 'two']);
    expect([server.messages, server.lost]).toEqual([3, 0]);
  });

  it('is framed by lengths, which may come in pieces', async () => {
    const { port, store } = await listening('tcp');
    const message = '<13>app: 한 줄\nand another';
    const framed = `${Buffer.byteLength(message)} ${message}`;
    await send(port, [framed + framed.slice(0, 5), framed.slice(5)]);
    expect(await lines(store, 2)).toEqual(['한 줄\nand another', '한 줄\nand another']);
  });

  it('ends a connection that sends one message without an end', async () => {
    const { port, server } = await listening('tcp');
    await send(port, [
      '999999 <13>x',
      ...Array.from({ length: 5 }, () => 'x'.repeat(100_000)),
    ]).catch(() => undefined);
    await server.close();
    expect(server.messages).toBe(0);
  });

  it('keeps messages while the store is away', async () => {
    const store = new MemoryLogStore();
    const append = store.append.bind(store);
    let failures = 1;
    store.append = async (...given) => {
      if (failures-- > 0) throw new TytoError('unavailable', 'away');
      await append(...given);
    };
    const { port } = await listening('tcp', store);
    await send(port, ['<13>app: kept\n']);
    expect(await lines(store, 1)).toEqual(['kept']);
  });
});

it('syslog over UDP is a message a datagram', async () => {
  const { port, store } = await listening('udp');
  const socket = createSocket('udp4');
  for (const text of ['<11>app[7]: one', '<11>app[7]: two\n']) socket.send(text, port, '127.0.0.1');
  expect((await lines(store, 2)).sort()).toEqual(['one', 'two']);
  const matcherSets: [] = [];
  const [labels] = await store.streams({
    tenant: 'fake',
    matcherSets,
    startNs: 0n,
    endNs: 2n ** 62n,
  });
  expect(labels.toRecord()).toEqual({
    facility: 'user',
    host: '127.0.0.1',
    job: 'syslog',
    service_name: 'app',
    source: 'test',
  });
  socket.close();
});

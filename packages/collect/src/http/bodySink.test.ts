/** Bodies of all kinds and sizes, as they come from a server to whoever asked. */
import { gzipSync } from 'node:zlib';
import { DEFAULT_HTTP_CLIENT, type HttpRequest, NodeHttpClient } from '@tyto/collect';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { BODY_BYTES_MAX, HEAD_BYTES } from '../limits.ts';
import { BodyBuffers } from './bodyBuffers.ts';
import { BodyCollector } from './bodyCollector.ts';
import { cut, noise, nothingIsInFlight, requestOf, TestServers } from './testing.ts';

let servers: TestServers;
let client: NodeHttpClient;

beforeEach(() => {
  servers = new TestServers();
  client = new NodeHttpClient(DEFAULT_HTTP_CLIENT);
});

afterEach(async () => {
  client.close();
  await servers.close();
  expect(nothingIsInFlight()).toBe(true);
});

type Framing = 'sized' | 'chunked' | 'until the end';
const FRAMINGS: readonly Framing[] = ['sized', 'chunked', 'until the end'];

interface Sent {
  readonly framing?: Framing;
  readonly encoding?: string;
  /** Bytes that are sent at once, and the bytes of a chunk. */
  readonly pieceBytes?: number;
  /** The connection stays open although all was sent. */
  readonly hangs?: boolean;
}

async function serve(content: Uint8Array, sent: Sent = {}): Promise<string> {
  const { framing = 'sized', encoding = 'gzip', pieceBytes = 100_000, hangs = false } = sent;
  const positions: number[] = [];
  for (let at = 0; at < content.length; at += pieceBytes) positions.push(at);
  return await servers.raw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n');
    if (encoding !== '') socket.write(`Content-Encoding: ${encoding}\r\n`);
    if (framing === 'sized')
      socket.write(`Content-Length: ${content.length + (hangs ? 1 : 0)}\r\n`);
    if (framing === 'chunked') socket.write('Transfer-Encoding: chunked\r\n');
    socket.write('\r\n');
    if (framing === 'chunked') {
      const all = cut(content, positions).flatMap((piece) => [
        Buffer.from(`${piece.length.toString(16)}\r\n`),
        piece,
        Buffer.from('\r\n'),
      ]);
      if (!hangs) all.push(Buffer.from('0\r\n\r\n'));
      socket.write(Buffer.concat(all));
    } else {
      for (const piece of cut(content, positions)) socket.write(piece);
    }
    if (framing === 'until the end' && !hangs) socket.end();
  });
}

async function get(url: string, more: Partial<HttpRequest> = {}): Promise<Buffer> {
  const { body } = await client.get(requestOf(url, more));
  return Buffer.from(body.buffer, body.byteOffset, body.length);
}

/** Without megabytes of differences. */
function expectSame(received: Uint8Array, expected: Uint8Array): void {
  expect(received.length).toBe(expected.length);
  expect(Buffer.compare(received, expected)).toBe(0);
}

describe.each(FRAMINGS)('a body that is %s', (framing) => {
  const SIZES = [0, 1, 65_535, 262_144, 262_145, 1_000_000, 4_194_304, 4_194_305, 9_000_000];
  it.each(SIZES)('is received, %i bytes', async (size) => {
    const content = noise(size);
    const buffers = new BodyBuffers();
    for (const pieceBytes of size > 100_000 ? [70_000] : [1000, 70_000]) {
      const url = await serve(content, { framing, encoding: '', pieceBytes });
      for (let i = 0; i < 2; i++) {
        const body = await get(url, { buffers });
        expectSame(body, content);
        buffers.giveBack(body.fill(0));
      }
    }
  });

  it.each(SIZES)('is decompressed, %i bytes', async (size) => {
    const contents = [noise(size), Buffer.alloc(size, 'a 1\n')];
    for (const content of contents) {
      const url = await serve(gzipSync(content, { level: 1 }), { framing });
      expectSame(await get(url), content);
    }
  });

  it('is decompressed, in pieces of a few bytes', async () => {
    const content = noise(450_000);
    const compressed = gzipSync(content);
    expect(compressed.length).toBeGreaterThan(256 * 1024);
    const pieceBytes = framing === 'chunked' ? 3 : 300;
    expectSame(await get(await serve(compressed, { framing, pieceBytes })), content);
  });

  it('is decompressed, of several members', async () => {
    for (const size of [10, 300_000, 1_000_000]) {
      const contents = [noise(size, 1), noise(size, 2), Buffer.alloc(0), noise(size, 3)];
      const compressed = Buffer.concat(contents.map((content) => gzipSync(content, { level: 1 })));
      expectSame(await get(await serve(compressed, { framing })), Buffer.concat(contents));
    }
  });

  it('may be as large as allowed, and not larger', async () => {
    const content = noise(700_000);
    for (const encoding of ['', 'gzip']) {
      for (const size of [300_000, 400_000, content.length]) {
        const all = content.subarray(0, size);
        const sent = encoding === '' ? all : gzipSync(all, { level: 1 });
        const url = await serve(sent, { framing, encoding });
        expectSame(await get(url, { bodyBytesMax: size }), all);
        const answer = get(url, { bodyBytesMax: size - 1 });
        await expect(answer).rejects.toThrow(/^body size limit exceeded$/);
      }
    }
  });

  it('is refused when it is damaged, cut or none', async () => {
    for (const size of [100, 100_000, 3_000_000]) {
      const compressed = gzipSync(noise(size), { level: 1 });
      const damaged = Buffer.from(compressed).fill(
        0x55,
        compressed.length >> 1,
        compressed.length - 8,
      );
      const wrong = Buffer.from(compressed);
      wrong.writeUInt32LE(size - 1, wrong.length - 4);
      const cases: readonly (readonly [Uint8Array, RegExp])[] = [
        [damaged, /incorrect data check|invalid|unexpected end/],
        [wrong, /incorrect length check/],
        [compressed.subarray(0, -1), /unexpected end of file/],
        [compressed.subarray(0, -9), /unexpected end of file/],
        [noise(size), /incorrect header check/],
        [Buffer.concat([compressed, noise(size)]), /incorrect header check|bytes after/],
        [Buffer.concat([compressed, Buffer.alloc(1)]), /bytes after the end/],
        [Buffer.concat([compressed, Buffer.alloc(size)]), /bytes after the end/],
        [Buffer.alloc(0), /unexpected end of file/],
      ];
      for (const [content, reason] of cases) {
        const url = await serve(content, { framing });
        await expect(get(url)).rejects.toThrow(reason);
      }
    }
  });
});

test('trailing zeros end the reading, however many pieces of them come', async () => {
  const compressed = gzipSync(noise(500_000), { level: 1 });
  const content = Buffer.concat([compressed, Buffer.alloc(8_000_000)]);
  const url = await serve(content, { framing: 'chunked', pieceBytes: 20_000, hangs: true });
  await expect(get(url)).rejects.toThrow(`Get "${url}": gzip: bytes after the end`);
});

test('answers to what is sent are read with the same care', async () => {
  const content = noise(5_000_000);
  const compressed = gzipSync(content, { level: 1 });
  const post = (url: string, more = {}) =>
    client.post({ ...requestOf(url), body: Buffer.from('x'), ...more });
  for (const framing of FRAMINGS) {
    expectSame((await post(await serve(compressed, { framing }))).body, content);
    const zeros = await serve(Buffer.concat([compressed, Buffer.alloc(5_000_000)]), { framing });
    await expect(post(zeros)).rejects.toThrow(`Post "${zeros}": gzip: bytes after the end`);
    const large = post(await serve(compressed, { framing }), { bodyBytesMax: 4_999_999 });
    await expect(large).rejects.toThrow(/^body size limit exceeded$/);
    const hanging = await serve(compressed, { framing, hangs: true });
    const late = post(hanging, { signal: AbortSignal.timeout(200) });
    await expect(late).rejects.toThrow('context deadline exceeded');
  }
});

describe('bombs', () => {
  it.each([
    ['small, that say how large they are', gzipSync(Buffer.alloc(60_000_000))],
    ['small, that lie', lying(gzipSync(Buffer.alloc(60_000_000)), 100)],
    ['of 4 GB, as far as they say', lying(gzipSync(Buffer.alloc(60_000_000)), 2 ** 32 - 1)],
    ['small, of two members', Buffer.concat([gzipSync(Buffer.alloc(60_000_000)), gzipSync('a')])],
    ['large', gzipSync(Buffer.concat([noise(400_000), Buffer.alloc(60_000_000)]))],
  ])('%s', async (_, bomb) => {
    for (const framing of FRAMINGS) {
      const url = await serve(bomb, { framing });
      const answer = get(url, { bodyBytesMax: 1_000_000 });
      await expect(answer).rejects.toThrow(/^body size limit exceeded$/);
    }
  });

  function lying(compressed: Buffer, size: number): Buffer {
    compressed.writeUInt32LE(size, compressed.length - 4);
    return compressed;
  }

  it('of chunks of one byte cost no more than other bodies', () => {
    const collector = new BodyCollector({ bytesMax: BODY_BYTES_MAX, announcedBytes: 0 });
    collector.push(Buffer.alloc(5_000_000));
    const piece = Buffer.alloc(1);
    const before = process.memoryUsage();
    for (let i = 0; i < 3_000_000; i++) collector.push(piece);
    const after = process.memoryUsage();
    const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    collector.drop();
    expect(bytes).toBeLessThan(30_000_000);
  });
});

describe('all bodies together', () => {
  it('are limited, and those that were refused make room', async () => {
    const content = Buffer.alloc(BODY_BYTES_MAX, 'a 1\n');
    const url = await serve(content, { encoding: '', hangs: true });
    const signal = AbortSignal.timeout(2000);
    const more = { bodyBytesMax: content.length + 1, signal };
    const all = await Promise.allSettled(Array.from({ length: 3 }, () => get(url, more)));
    const reasons = all.map((one) => (one.status === 'rejected' ? one.reason.message : ''));
    expect(reasons).toContain('body size limit exceeded (all targets together)');
    expect(reasons).toContain(`Get "${url}": context deadline exceeded`);
    const good = await serve(content, { encoding: '' });
    expectSame(await get(good), content);
  });
});

describe('the beginning of a body', () => {
  it.each(['', 'gzip'])(
    'is shown once, with the type, before the rest comes: "%s"',
    async (encoding) => {
      const content = noise(5_000_000);
      const sent = encoding === '' ? content : gzipSync(content, { level: 1 });
      const url = await serve(sent, { encoding });
      const seen: string[] = [];
      const inspect = (head: Uint8Array, contentType: string) => {
        expect(head.length).toBeGreaterThanOrEqual(HEAD_BYTES);
        expectSame(head, content.subarray(0, head.length));
        seen.push(contentType);
      };
      expectSame(await get(url, { inspect }), content);
      expect(seen).toEqual(['text/plain']);
    },
  );

  it.each(['', 'gzip'])('may be refused: "%s"', async (encoding) => {
    const content = noise(5_000_000);
    const sent = encoding === '' ? content : gzipSync(content, { level: 1 });
    const url = await serve(sent, { encoding, hangs: true });
    const inspect = () => {
      throw new Error('garbage');
    };
    await expect(get(url, { inspect })).rejects.toThrow(`Get "${url}": garbage`);
  });
});

describe('buffers', () => {
  it('are not given back twice', () => {
    const buffers = new BodyBuffers();
    const buffer = buffers.take(10);
    buffers.giveBack(buffer);
    expect(() => buffers.giveBack(buffer.subarray(5))).toThrow('BUG');
  });

  it('are used again once given back, and only then', async () => {
    const buffers = new BodyBuffers();
    const url = await serve(Buffer.from('a 1\n'), { encoding: '' });
    const first = await get(url, { buffers });
    const second = await get(url, { buffers });
    expect(second.buffer).not.toBe(first.buffer);
    buffers.giveBack(first);
    expect((await get(url, { buffers })).buffer).toBe(first.buffer);
  });

  it('of a body that was dropped take no more of it', () => {
    const buffers = new BodyBuffers();
    const collector = new BodyCollector({ bytesMax: 100, announcedBytes: 10, buffers });
    collector.push(Buffer.from('abc'));
    collector.drop();
    collector.drop();
    expect(() => collector.push(Buffer.from('abc'))).toThrow('BUG');
    expect(buffers.take(1).buffer).not.toBe(buffers.take(1).buffer);
  });
});

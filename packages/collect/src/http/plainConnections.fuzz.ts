/** Many scrapes at once, of which some end early: nobody sees a byte of somebody else's body. */
import { gzipSync } from 'node:zlib';
import { DEFAULT_HTTP_CLIENT, NodeHttpClient } from '@tyto/collect';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { eventually } from '../testing.ts';
import { BodyBuffers } from './bodyBuffers.ts';
import { cut, noise, nothingIsInFlight, requestOf, TestServers } from './testing.ts';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);

/** How a server answers, and what the client does meanwhile. */
interface Scrape {
  readonly size: number;
  readonly kind: 'plain' | 'chunked' | 'open' | 'gzip' | 'gzip chunked';
  readonly pieceBytes: number;
  /** Turns of the event loop after which it is aborted, ended by the server, or looked at. */
  readonly abortAfter: number;
  readonly cutAt: number;
  readonly holdFor: number;
}

const rarely = (most: number) => fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, fc.nat(most));
const scrape: fc.Arbitrary<Scrape> = fc.record({
  size: fc.oneof(fc.nat(3000), fc.nat(600_000), fc.nat(5_000_000)),
  kind: fc.constantFrom('plain', 'chunked', 'open', 'gzip', 'gzip chunked'),
  pieceBytes: fc.integer({ min: 2000, max: 300_000 }),
  abortAfter: rarely(12),
  cutAt: rarely(1_000_000),
  holdFor: fc.nat(8),
});

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

const servers = new TestServers();
const client = new NodeHttpClient(DEFAULT_HTTP_CLIENT);
afterAll(async () => {
  client.close();
  await eventually(() => servers.sockets.size === 0);
  await servers.close();
});

function wire({ size, kind, pieceBytes, cutAt }: Scrape, id: number): Buffer {
  const content = noise(size, id);
  const body = kind.startsWith('gzip') ? gzipSync(content, { level: 1 }) : content;
  const lines = ['HTTP/1.1 200 OK'];
  if (kind.startsWith('gzip')) lines.push('Content-Encoding: gzip');
  if (kind.endsWith('chunked')) lines.push('Transfer-Encoding: chunked');
  else if (kind !== 'open') lines.push(`Content-Length: ${body.length}`);
  const positions = Array.from({ length: body.length / pieceBytes }, (_, i) => i * pieceBytes);
  const pieces = !kind.endsWith('chunked')
    ? [body]
    : cut(body, positions).flatMap((piece) => [
        Buffer.from(`${piece.length.toString(16)}\r\n`),
        piece,
        Buffer.from('\r\n'),
      ]);
  if (kind.endsWith('chunked')) pieces.push(Buffer.from('0\r\n\r\n'));
  const all = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), ...pieces]);
  return cutAt < 0 ? all : all.subarray(0, cutAt);
}

test(`bodies do not mix (seed ${seed})`, async () => {
  let scrapes: readonly Scrape[] = [];
  const url = await servers.http(({ socket, url: path = '' }) => {
    const id = Number(path.slice(1));
    const it = scrapes[id - 1];
    const bytes = wire(it, id);
    // Not by way of `response`: its bytes are written as they are.
    socket.write(bytes);
    if (it.kind === 'open' || it.cutAt >= 0) socket.end();
  });
  let receivedCount = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(scrape, { minLength: 1, maxLength: 12 }), async (all) => {
      scrapes = all;
      const buffers = new BodyBuffers();
      const run = async ({ size, abortAfter, cutAt, holdFor, kind }: Scrape, id: number) => {
        const controller = new AbortController();
        const { signal } = controller;
        const answer = client.get(requestOf(`${url}/${id}`, { buffers, signal }));
        if (abortAfter >= 0)
          turns(abortAfter).then(
            () => controller.abort(),
            () => {},
          );
        let body: Uint8Array;
        try {
          body = (await answer).body;
        } catch (error) {
          const mayFail = abortAfter >= 0 || cutAt >= 0;
          if (!mayFail) throw error;
          return;
        }
        receivedCount++;
        const isCut = kind === 'open' && body.length < size && cutAt >= 0;
        const expected = noise(isCut ? body.length : size, id);
        expect(Buffer.compare(body, expected)).toBe(0);
        await turns(holdFor);
        expect(Buffer.compare(body, expected)).toBe(0);
        buffers.giveBack(body);
      };
      await Promise.all(all.map((one, i) => run(one, i + 1)));
    }),
    { seed, numRuns: 40 },
  );
  expect(receivedCount).toBeGreaterThan(20);
  expect(nothingIsInFlight()).toBe(true);
});

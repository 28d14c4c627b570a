/** The reader of responses against itself in other pieces, and against node:http as slow twin. */
import { Agent, get } from 'node:http';
import { TytoError } from '@tyto/base';
import { DEFAULT_HTTP_CLIENT, NodeHttpClient } from '@tyto/collect';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import {
  cut,
  nothingIsInFlight,
  type Reading,
  readPieces,
  requestOf,
  TestServers,
} from './testing.ts';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);

const servers = new TestServers();
const agent = new Agent({ keepAlive: true });
afterAll(async () => {
  agent.destroy();
  await servers.close();
});

const text = (characters: string, maxLength: number) =>
  fc.array(fc.constantFrom(...characters), { maxLength }).map((all) => all.join(''));
const token = text("!#$%&'*+-.^_`|~09azAZ", 6).map((name) => `x-${name}`);
const value = text('ab, ;:=\t\xe4\xff"\\', 8);
const blank = fc.constantFrom('', ' ', '\t', '  ');
const header = fc
  .tuple(token, blank, value, blank)
  .map(([name, a, it, b]) => `${name}:${a}${it}${b}`);
const connection = fc.constantFrom('', '', 'close', 'Keep-Alive', 'x, close', 'keep-alive,y');
const body = fc.oneof(
  text('ab\r\n\0\xff', 40),
  fc.integer({ min: 1000, max: 70_000 }).map((length) => 'ab\r\n7;'.repeat(length / 6)),
);
const chunk = fc.record({
  body: body.filter((it) => it !== ''),
  zeros: text('0', 3),
  isUpper: fc.boolean(),
  extension: fc.constantFrom('', '', ';x', ';x=1', ';a=b;c', ';x="q; r"'),
});

interface Response {
  readonly text: string;
  /** The connection has to end for it to be complete. */
  readonly isOpen: boolean;
}

/** What Node.js and RFC 9112 agree on; Node.js does not take bare line feeds. */
const responses = (newlines: readonly string[]): fc.Arbitrary<Response> =>
  fc
    .record({
      interim: fc.array(fc.tuple(fc.constantFrom(100, 102, 103), header), { maxLength: 2 }),
      isOld: fc.nat(4).map((one) => one === 0),
      status: fc.oneof(
        fc.constant(200),
        fc.constantFrom(204, 304),
        fc.integer({ min: 200, max: 599 }),
      ),
      phrase: fc.constantFrom('OK', '', 'Not so good: \xe4'),
      headers: fc.array(header, { maxLength: 4 }),
      connection,
      framing: fc.constantFrom('length', 'chunks', 'end'),
      body,
      chunks: fc.array(chunk, { maxLength: 5 }),
      trailers: fc.array(header, { maxLength: 2 }),
      newline: fc.constantFrom(...newlines),
    })
    .map((it): Response => {
      const lines = it.interim.flatMap(([status, one]) => [`HTTP/1.1 ${status} Wait`, one, '']);
      lines.push(`HTTP/1.${it.isOld ? 0 : 1} ${it.status} ${it.phrase}`, ...it.headers);
      if (it.connection !== '') lines.push(`Connection: ${it.connection}`);
      const isEmpty = it.status === 204 || it.status === 304;
      const framing = it.isOld && it.framing === 'chunks' ? 'length' : it.framing;
      let content = it.body;
      if (isEmpty) content = '';
      else if (framing === 'length') lines.push(`Content-Length: ${content.length}`);
      else if (framing === 'chunks') {
        lines.push('Transfer-Encoding: chunked');
        content = '';
        for (const { body, zeros, isUpper, extension } of it.chunks) {
          const size = body.length.toString(16);
          content += `${zeros}${isUpper ? size.toUpperCase() : size}${extension}\r\n${body}\r\n`;
        }
        content += ['0', ...it.trailers, '', ''].join('\r\n');
      }
      const head = [...lines, '', ''].join(it.newline);
      return { text: head + content, isOpen: !isEmpty && framing === 'end' };
    });

const mutation = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('insert', 'replace', 'remove', 'repeat', 'cut'),
  what: fc.oneof(
    fc.constantFrom('\n', '\r', ':', ' ', ',', '0', '\0', 'f', ';', '\r\n', '\r\n\r\n'),
    fc.constantFrom(
      'Content-Length: 3\r\n',
      'Transfer-Encoding: chunked\r\n',
      'HTTP/1.1 200 OK\r\n',
    ),
    fc.nat(255).map((code) => String.fromCharCode(code)),
  ),
});

function mutate(whole: string, { at, how, what }: { at: number; how: string; what: string }) {
  // Half of the time in the first lines, where most is decided.
  const position = at % (at % 2 === 0 ? Math.min(100, whole.length + 1) : whole.length + 1);
  const [before, after] = [whole.slice(0, position), whole.slice(position)];
  if (how === 'insert') return before + what + after;
  if (how === 'replace') return before + what + after.slice(what.length);
  if (how === 'remove') return before + after.slice(1 + (at % 5));
  return how === 'cut' ? before : before + after.slice(0, 20) + after;
}

const response = responses(['\r\n', '\r\n', '\n']);

test(`the pieces in which a response comes do not matter (seed ${seed})`, () => {
  const mutations = fc.array(mutation, { maxLength: 4 });
  let completeCount = 0;
  fc.assert(
    fc.property(
      response,
      mutations,
      fc.array(fc.nat(), { maxLength: 20 }),
      fc.boolean(),
      (...it) => {
        const [{ text: valid }, edits, positions, ends] = it;
        const bytes = Buffer.from(edits.reduce(mutate, valid), 'latin1');
        const whole = readPieces([bytes], ends);
        if (whole.reusable !== undefined) completeCount++;
        const cuts = positions.map((at) => at % (at % 2 === 0 ? 120 : bytes.length + 1));
        expect(
          readPieces(
            cut(
              bytes,
              cuts.filter((at) => at < bytes.length),
            ),
            ends,
          ),
        ).toEqual(whole);
        if (bytes.length > 2000) return;
        expect(
          readPieces(
            Array.from(bytes, (byte) => Uint8Array.of(byte)),
            ends,
          ),
        ).toEqual(whole);
      },
    ),
    { seed, numRuns: 3000 },
  );
  expect(completeCount).toBeGreaterThan(300);
});

test(`whatever a server sends, it is an answer or an error (seed ${seed})`, async () => {
  const client = new NodeHttpClient(DEFAULT_HTTP_CLIENT);
  let sent = Buffer.alloc(0);
  const url = await servers.raw((socket) => socket.end(sent));
  const edits = fc.array(mutation, { maxLength: 3 });
  let answerCount = 0;
  await fc.assert(
    fc.asyncProperty(response, edits, fc.boolean(), async (it, all, isGzip) => {
      const first = isGzip ? it.text.replace(/\r?\n/, '\nContent-Encoding: gzip\n') : it.text;
      sent = Buffer.from(all.reduce(mutate, first), 'latin1');
      await client.get(requestOf(url)).then(
        () => answerCount++,
        (error) => {
          expect(error).toBeInstanceOf(TytoError);
          expect(error.message).not.toContain('BUG');
          expect(error.message).not.toContain('deadline');
        },
      );
    }),
    { seed, numRuns: 300 },
  );
  client.close();
  expect(answerCount).toBeGreaterThan(10);
  expect(nothingIsInFlight()).toBe(true);
});

/** What node:http makes of the bytes that the server sends. */
function readWithNode(url: string): Promise<Reading> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (answer) => {
      let body = '';
      answer.setEncoding('latin1').on('data', (piece) => {
        body += piece;
      });
      answer.on('error', reject).on('end', () => {
        const headers: Record<string, string> = {};
        answer.rawHeaders.forEach((name, i, all) => {
          if (i % 2 === 1) return;
          const key = name.toLowerCase();
          headers[key] = Object.hasOwn(headers, key)
            ? `${headers[key]}, ${all[i + 1]}`
            : all[i + 1];
        });
        const { statusCode: status, statusMessage: statusText } = answer;
        const reusable = request.shouldKeepAlive;
        resolve({ status, statusText, headers, body, reusable, error: undefined });
      });
    });
    request.on('error', reject);
  });
}

test(`valid responses are read as by node:http (seed ${seed})`, async () => {
  let sent: Response = { text: '', isOpen: false };
  const url = await servers.raw((socket) => {
    socket.write(sent.text, 'latin1');
    if (sent.isOpen) socket.end();
  });
  await fc.assert(
    fc.asyncProperty(responses(['\r\n']), async (it) => {
      sent = it;
      const expected = await readWithNode(url);
      expect(readPieces([Buffer.from(it.text, 'latin1')], it.isOpen)).toEqual(expected);
    }),
    { seed, numRuns: 300 },
  );
});

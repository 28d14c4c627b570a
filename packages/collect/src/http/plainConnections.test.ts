/** Connections without TLS, through the client that has them, against servers that misbehave. */
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { DEFAULT_HTTP_CLIENT, NodeHttpClient } from '@tyto/collect';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { eventually } from '../testing.ts';
import { PlainConnections } from './plainConnections.ts';
import { noise, nothingIsInFlight, requestOf, TestServers } from './testing.ts';

let servers: TestServers;
let client: NodeHttpClient;

beforeEach(() => {
  servers = new TestServers();
  client = new NodeHttpClient(DEFAULT_HTTP_CLIENT);
});

afterEach(async () => {
  client.close();
  await eventually(() => servers.sockets.size === 0);
  await servers.close();
  expect(nothingIsInFlight()).toBe(true);
});

async function body(url: string): Promise<string> {
  const response = await client.get(requestOf(url));
  expect(response.status).toBe(200);
  return Buffer.from(response.body).toString();
}

/** What the request fails with. */
async function failure(url: string, more = {}): Promise<string> {
  return await client.get(requestOf(url, more)).then(
    () => 'it did not fail',
    (error: Error) => error.message,
  );
}

function sized(content: string, ...headers: string[]): string {
  const all = ['HTTP/1.1 200 OK', `Content-Length: ${content.length}`, ...headers, '', content];
  return all.join('\r\n');
}

describe('connections are kept alive', () => {
  it('and used again, one request after the other', async () => {
    const url = await servers.raw((socket, count) => socket.write(sized(`answer ${count}`)));
    for (let i = 0; i < 5; i++) expect(await body(url)).toBe(`answer ${i}`);
    expect(servers.connectionCount).toBe(1);
  });

  it('and are as many as there are requests at once, of which some are kept', async () => {
    const url = await servers.http((request, response) => response.end(request.url));
    const asked = Array.from({ length: 300 }, (_, i) => `/${i}`);
    expect(await Promise.all(asked.map((path) => body(url + path)))).toEqual(asked);
    await eventually(() => servers.sockets.size === 256);
    expect(await Promise.all(asked.map((path) => body(url + path)))).toEqual(asked);
    expect(servers.connectionCount).toBe(300 + 44);
  });

  it('but not when the response says so, or has no other end', async () => {
    const endings = [
      (socket: Socket) => socket.write(sized('a', 'Connection: close')),
      (socket: Socket) => socket.end(sized('a')),
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\n\r\na'),
      (socket: Socket) => socket.write(sized('a').replace('1.1', '1.0')),
      (socket: Socket) => socket.write(`${sized('a')}HTTP/1.1 200 OK\r\n`),
    ];
    for (const ending of endings) {
      const url = await servers.raw(ending);
      const before = servers.connectionCount;
      for (let i = 0; i < 3; i++) expect(await body(url)).toBe('a');
      expect(servers.connectionCount).toBe(before + 3);
    }
  });

  it('but not when something comes that nobody has asked for', async () => {
    const url = await servers.raw((socket) => {
      socket.write(sized('a'));
      setTimeout(() => socket.write(sized('not asked for')), 10);
    });
    expect(await body(url)).toBe('a');
    await eventually(() => servers.sockets.size === 0);
    expect(await body(url)).toBe('a');
  });

  it('without keeping the process alive', async () => {
    const url = await servers.raw((socket) => {
      socket.unref();
      socket.write(sized('a'));
    });
    const alive = () => process.getActiveResourcesInfo().filter((one) => one === 'TCPSocketWrap');
    const before = alive().length;
    expect(await body(url)).toBe('a');
    expect(alive().length).toBeLessThanOrEqual(before);
    expect(await body(url)).toBe('a');
    client.close();
    await eventually(() => servers.sockets.size === 0);
    expect(alive().length).toBeLessThanOrEqual(before);
  });

  it('and closed with the client, those under way when their response has come', async () => {
    let waiting: Socket | undefined;
    const url = await servers.raw((socket, count) => {
      if (count === 0) socket.write(sized('a'));
      else waiting = socket;
    });
    expect(await body(url)).toBe('a');
    const late = body(url);
    await eventually(() => waiting !== undefined);
    client.close();
    waiting?.write(sized('late'));
    expect(await late).toBe('late');
    await eventually(() => servers.sockets.size === 0);
  });
});

describe('a server that ends a kept connection as it is used again', () => {
  const endings = {
    ends: (socket: Socket) => socket.end(),
    closes: (socket: Socket) => socket.destroy(),
    resets: (socket: Socket) => socket.resetAndDestroy(),
  };
  it.each(Object.entries(endings))('is asked over a new one: it %s', async (_, ending) => {
    const url = await servers.raw((socket, count) => {
      if (count === 0) socket.write(sized('a'));
      else ending(socket);
    });
    for (let i = 0; i < 4; i++) expect(await body(url)).toBe('a');
    expect(servers.connectionCount).toBe(4);
  });

  it('is asked only once more', async () => {
    const url = await servers.raw((socket) => {
      if (servers.connectionCount === 1 && socket.bytesWritten === 0) socket.write(sized('a'));
      else socket.end();
    });
    expect(await body(url)).toBe('a');
    expect(await failure(url)).toBe(`Get "${url}": EOF`);
    expect(servers.connectionCount).toBe(2);
  });

  it('is not asked again when it has begun to answer', async () => {
    const url = await servers.raw((socket, count) => {
      if (count === 0) socket.write(sized('a'));
      else socket.end('HTTP/1.1');
    });
    expect(await body(url)).toBe('a');
    expect(await failure(url)).toBe(`Get "${url}": unexpected EOF`);
    expect(servers.connectionCount).toBe(1);
  });
});

describe('what went wrong is said', () => {
  it.each([
    ['', 'EOF'],
    ['HTTP/1.1 200 OK\r\n', 'unexpected EOF'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd', 'unexpected EOF'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab', 'unexpected EOF'],
    ['220 mail ESMTP\r\n', 'malformed HTTP response: "220 mail ESMTP"'],
    ['HTTP/1.1 200 OK\r\nA b\r\n', 'malformed HTTP response: the header "A b"'],
  ])('%j: %s', async (answer, reason) => {
    const url = await servers.raw((socket) => socket.end(answer));
    expect(await failure(url)).toBe(`Get "${url}": ${reason}`);
  });

  it('when the peer resets in the middle', async () => {
    const url = await servers.raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\nabcd');
      setTimeout(() => socket.resetAndDestroy(), 20);
    });
    expect(await failure(url)).toBe(`Get "${url}": read: connection reset by peer`);
  });

  it('with a status of its own', async () => {
    const url = await servers.raw((socket) => socket.end('HTTP/1.1 999 Go away\r\n\r\nabc'));
    const answer = await client.get(requestOf(url));
    expect(answer).toMatchObject({ status: 999, statusText: 'Go away', contentType: '' });
    expect(answer.body.length).toBe(0);
  });
});

describe('a request that is aborted', () => {
  const deadline = (url: string) => `Get "${url}": context deadline exceeded`;

  it('before it begins', async () => {
    const url = await servers.raw((socket) => socket.write(sized('a')));
    expect(await failure(url, { signal: AbortSignal.abort() })).toBe(deadline(url));
    expect(servers.connectionCount).toBe(0);
  });

  it('while the connection is made', async () => {
    const url = await servers.raw((socket) => socket.write(sized('a')));
    const connections = new PlainConnections();
    const controller = new AbortController();
    const receive = () => expect.unreachable();
    const request = { url: new URL(url), headers: {}, signal: controller.signal, receive };
    const answer = connections.get(request);
    controller.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
    connections.close();
  });

  const gzip = gzipSync(noise(2_000_000), { level: 1 });
  const answers: Record<string, (socket: Socket) => void> = {
    'before the answer': () => {},
    'within the head': (socket) => socket.write('HTTP/1.1 200 OK\r\nConte'),
    'within the body': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcd'),
    'within a large body': (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n');
      socket.write(Buffer.alloc(9_000_000));
    },
    'within a compressed body': (socket) => {
      const length = gzip.length + 1;
      const encoding = 'Content-Encoding: gzip';
      socket.write(`HTTP/1.1 200 OK\r\n${encoding}\r\nContent-Length: ${length}\r\n\r\n`);
      socket.write(gzip);
    },
  };
  it.each(Object.entries(answers))('%s', async (_, answer) => {
    let count = 0;
    const url = await servers.raw((socket) => {
      if (count++ === 0) answer(socket);
      else socket.write(sized('a'));
    });
    expect(await failure(url, { signal: AbortSignal.timeout(150) })).toBe(deadline(url));
    await eventually(() => servers.sockets.size === 0);
    expect(await body(url)).toBe('a');
  });

  it('at any moment', async () => {
    const url = await servers.raw((socket) => {
      const encoding = 'Content-Encoding: gzip';
      socket.write(`HTTP/1.1 200 OK\r\n${encoding}\r\nContent-Length: ${gzip.length}\r\n\r\n`);
      socket.write(gzip);
    });
    for (let i = 0; i < 40; i++) {
      const controller = new AbortController();
      const answer = failure(url, { signal: controller.signal });
      for (let turn = 0; turn < i; turn++) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      expect(['it did not fail', deadline(url)]).toContain(await answer);
    }
  });

  it('when it was answered, which is nothing to the next one over its connection', async () => {
    let waiting: Socket | undefined;
    const url = await servers.raw((socket, count) => {
      if (count === 0) socket.write(sized('a'));
      else waiting = socket;
    });
    const controller = new AbortController();
    await client.get(requestOf(url, { signal: controller.signal }));
    const next = body(url);
    await eventually(() => waiting !== undefined);
    controller.abort();
    waiting?.write(sized('b'));
    expect(await next).toBe('b');
    expect(servers.connectionCount).toBe(1);
  });

  it('once its kept connection has failed', async () => {
    const controller = new AbortController();
    const url = await servers.raw((socket, count) => {
      if (count > 0) socket.end();
      else if (servers.connectionCount === 1) socket.write(sized('a'));
      else controller.abort();
    });
    expect(await body(url)).toBe('a');
    expect(await failure(url, { signal: controller.signal })).toBe(deadline(url));
  });
});

describe('the request', () => {
  /** The heads of the requests that come. */
  async function heads(ask: (url: string) => Promise<unknown>): Promise<string[]> {
    const seen: string[] = [];
    const url = await servers.http(({ method, url: path, rawHeaders }, response) => {
      const pairs = rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\n`));
      seen.push(`${method} ${path}\n${pairs.join('')}`);
      response.end('a');
    });
    await ask(url);
    return seen.map((head) => head.replaceAll(new URL(url).host, 'HOST'));
  }

  it('has the headers in the order and spelling given, the path, and no fragment', async () => {
    const headers = { 'X-a': '1', 'x-B': '\xe4 ' };
    const [head] = await heads((url) =>
      client.get(requestOf(`${url}/a b/ä?c={d}&é="\r\n#e`, { headers })),
    );
    expect(head).toBe('GET /a%20b/%C3%A4?c={d}&%C3%A9=%22\nHost: HOST\nX-a: 1\nx-B: \xe4\n');
  });

  it('cannot be made to be another one by a configured header', async () => {
    const evil = [
      ['X-A', 'a\r\nHost: other'],
      ['X-A', 'a\nB: c'],
      ['X-A', 'a\0'],
      ['X-A', '\u{10d}\u{10a}'],
      ['X-A: b\r\nX-B', 'a'],
      ['X A', 'a'],
      ['', 'a'],
    ];
    const seen = await heads(async (url) => {
      for (const [name, value] of evil) {
        const headers = [{ name, values: [{ value: 'good' }, { value }] }];
        const own = new NodeHttpClient({ ...DEFAULT_HTTP_CLIENT, headers });
        await expect(own.get(requestOf(url))).rejects.toThrow(/^Get .*(header|Header)/);
        own.close();
      }
      const authorization = { type: 'Bearer', credentials: { value: 'a\r\nB: c' } };
      const own = new NodeHttpClient({ ...DEFAULT_HTTP_CLIENT, authorization });
      await expect(own.get(requestOf(url))).rejects.toThrow(/header/);
      own.close();
    });
    expect(seen).toEqual([]);
    expect(servers.connectionCount).toBe(0);
  });

  it('has several values of a configured header in lines of their own', async () => {
    const headers = [{ name: 'X-A', values: [{ value: 'b' }, { value: 'c' }] }];
    const own = new NodeHttpClient({ ...DEFAULT_HTTP_CLIENT, headers });
    const [head] = await heads((url) => own.get(requestOf(url)));
    own.close();
    expect(head).toContain('X-A: b\nX-A: c\n');
  });

  it('authenticates with what the address says, unless something else does', async () => {
    const address = (url: string) => `${url.replace('://', '://us%20er:p%C3%A4ss@')}/x`;
    const basic = (text: string) =>
      `Authorization: Basic ${Buffer.from(text).toString('base64')}\n`;
    const [head] = await heads((url) => client.get(requestOf(address(url))));
    expect(head).toBe(`GET /x\nHost: HOST\n${basic('us er:päss')}`);
    const [onlyName] = await heads((url) => client.get(requestOf(url.replace('://', '://u@'))));
    expect(onlyName).toContain(basic('u:'));
    const authorization = { type: 'Bearer', credentials: { value: 'token' } };
    const own = new NodeHttpClient({ ...DEFAULT_HTTP_CLIENT, authorization });
    const [other] = await heads((url) => own.get(requestOf(address(url))));
    own.close();
    expect(other.match(/Authorization.*/g)).toEqual(['Authorization: Bearer token']);
  });
});

describe('redirects', () => {
  it('are followed, the first Location only, and what they say is not read', async () => {
    const target = await servers.raw((socket) => socket.write(sized('there')));
    const url = await servers.raw((socket) => {
      const places = `Location: ${target}/x\r\nLocation: /never\r\n`;
      socket.write(`HTTP/1.1 302 Found\r\n${places}Content-Length: 1000000\r\n\r\n`);
      socket.write(Buffer.alloc(100_000));
    });
    expect(await body(url)).toBe('there');
    expect(await body(url)).toBe('there');
    await eventually(() => servers.sockets.size === 1);
  });

  it('take the user of an address along on its host, and not to another one', async () => {
    const seen: (string | undefined)[] = [];
    const other = await servers.http((request, response) => {
      seen.push(request.headers.authorization);
      response.end('there');
    });
    const url = await servers.http((request, response) => {
      seen.push(request.headers.authorization);
      const location = request.url === '/' ? '/again' : `${other}/x`;
      response.writeHead(307, { Location: location }).end();
    });
    expect(await body(url.replace('://', '://u:p@'))).toBe('there');
    const basic = `Basic ${btoa('u:p')}`;
    expect(seen).toEqual([basic, basic, undefined]);
  });

  it('lead nowhere else', async () => {
    const url = await servers.raw((socket) =>
      socket.write('HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n'),
    );
    expect(await failure(url)).toBe(`Get "${url}": unsupported protocol scheme "file"`);
  });
});

test('an IPv6 address', async () => {
  let url: string;
  try {
    url = await servers.raw((socket) => socket.write(sized('six')), '::1');
  } catch {
    process.stderr.write('SKIPPED: no IPv6 here\n');
    return;
  }
  expect(await body(url)).toBe('six');
  expect(await body(url)).toBe('six');
  expect(servers.connectionCount).toBe(1);
});

test('a name, of which each address is tried', async () => {
  const url = await servers.raw((socket, count) => socket.write(sized(`answer ${count}`)));
  const named = url.replace('127.0.0.1', 'localhost');
  expect(await body(named)).toBe('answer 0');
  expect(await body(named)).toBe('answer 1');
});

test('a response that nobody reads fast does not hold up the next one', async () => {
  const url = await servers.raw((socket) => socket.write(sized('abc')));
  const connections = new PlainConnections();
  const resumes: (() => void)[] = [];
  const push = (_: Uint8Array, resume: () => void) => {
    resumes.push(resume);
    return false;
  };
  const sink = { push, finish: () => Promise.reject(new Error('unused')), drop: () => {} };
  const { signal } = requestOf(url);
  const request = { url: new URL(url), headers: {}, signal, receive: () => sink };
  for (let i = 0; i < 3; i++) expect((await connections.get(request)).status).toBe(200);
  expect(servers.connectionCount).toBe(1);
  connections.close();
  expect(resumes.length).toBe(3);
});

test('who has enough is not sent more when an earlier response is read at last', async () => {
  const url = await servers.raw((socket, count) => {
    if (count === 0) socket.write(sized('abc'));
    else socket.write(sized('a'.repeat(9_000_000)));
  });
  const connections = new PlainConnections();
  const resumes: (() => void)[] = [];
  let pushedBytes = 0;
  const push = (piece: Uint8Array, resume: () => void) => {
    pushedBytes += piece.length;
    resumes.push(resume);
    return false;
  };
  const sink = { push, finish: () => Promise.reject(new Error('unused')), drop: () => {} };
  const { signal } = requestOf(url);
  const request = { url: new URL(url), headers: {}, signal, receive: () => sink };
  await connections.get(request);
  const second = connections.get(request);
  await eventually(() => resumes.length === 2);
  const pausedAt = pushedBytes;
  resumes[0]();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(pushedBytes).toBe(pausedAt);
  while (pushedBytes < 9_000_003) {
    const count = resumes.length;
    resumes[count - 1]();
    await eventually(() => resumes.length > count || pushedBytes === 9_000_003);
  }
  expect((await second).status).toBe(200);
  connections.close();
});

test('a compressed body that comes at once leaves a sound connection', async () => {
  const content = noise(3_000_000);
  const compressed = gzipSync(content, { level: 1 });
  expect(compressed.length).toBeGreaterThan(256 * 1024);
  const url = await servers.raw((socket) => {
    const encoding = 'Content-Encoding: gzip\r\nTransfer-Encoding: chunked';
    socket.write(`HTTP/1.1 200 OK\r\n${encoding}\r\n\r\n`);
    for (let at = 0; at < compressed.length; at += 50_000) {
      const piece = compressed.subarray(at, at + 50_000);
      socket.write(`${piece.length.toString(16)}\r\n`);
      socket.write(piece);
      socket.write('\r\n');
    }
    socket.write('0\r\n\r\n');
  });
  for (let i = 0; i < 5; i++) {
    const { body: received } = await client.get(requestOf(url));
    expect(Buffer.compare(received, content)).toBe(0);
    for (let j = 0; j < 3; j++) {
      const all = await Promise.all([1, 2].map(() => client.get(requestOf(url))));
      for (const { body: one } of all) expect(one.length).toBe(content.length);
    }
  }
  expect(servers.connectionCount).toBe(2);
});

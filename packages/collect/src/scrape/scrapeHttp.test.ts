import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { silentLogger, systemClock } from '@tyto/base';
import { type ActiveTarget, ScrapeManager } from '@tyto/collect';
import { MemoryMetricStore } from '@tyto/model';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dumpStore, eventually, jobsOf } from '../testing.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
let store: MemoryMetricStore;
let manager: ScrapeManager;

beforeEach(() => {
  store = new MemoryMetricStore();
  const version = '0.1.0';
  manager = new ScrapeManager({ store, clock: systemClock, logger: silentLogger, version });
});

afterEach(async () => {
  await manager.stop();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const text: Handler = (_, response) => {
  response.setHeader('Content-Type', 'text/plain; version=0.0.4');
  response.end('b 1\n');
};

/** Scrapes an address until the first result is there. */
async function scrape(address: string, more = ''): Promise<ActiveTarget> {
  const job = `{job_name: j, static_configs: [{targets: ["${address}"]}]${more && `, ${more}`}}`;
  await manager.apply(jobsOf(`global: {scrape_interval: 300ms}\nscrape_configs: [${job}]`));
  await eventually(() => manager.targets().active[0].health !== 'unknown');
  return manager.targets().active[0];
}

test('a plain target; connections are kept alive', async () => {
  const ports = new Set<number | undefined>();
  let count = 0;
  const address = await serve((request, response) => {
    count++;
    ports.add(request.socket.remotePort);
    text(request, response);
  });
  expect(await scrape(address)).toMatchObject({ health: 'up', lastError: '' });
  await eventually(() => count >= 3);
  expect(ports.size).toBe(1);
});

test('gzip', async () => {
  const address = await serve((request, response) => {
    // Between processes of one machine nobody is asked to compress.
    expect(request.headers['accept-encoding']).toBe('identity');
    response.setHeader('Content-Type', 'text/plain');
    response.setHeader('Content-Encoding', 'gzip');
    response.end(gzipSync('b 7\n'));
  });
  expect((await scrape(address)).health).toBe('up');
  expect((await dumpStore(store, 'b'))[0]).toMatch(/ 7@/);
});

test('a slow target is over at its timeout', async () => {
  const address = await serve(() => {});
  const target = await scrape(address, 'scrape_timeout: 50ms');
  expect(target.lastError).toBe(`Get "http://${address}/metrics": context deadline exceeded`);
});

test('a body that trickles is over at its timeout, too', async () => {
  const address = await serve((_, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.write('b 1\n');
  });
  const target = await scrape(address, 'scrape_timeout: 50ms');
  expect(target.lastError).toContain('context deadline exceeded');
});

test('an error status', async () => {
  const address = await serve((_, response) => {
    response.statusCode = 500;
    response.end('b 1\n');
  });
  const target = await scrape(address);
  expect(target.lastError).toBe('server returned HTTP status 500 Internal Server Error');
});

test('nobody listens', async () => {
  const address = await serve(text);
  servers.splice(0).forEach((server) => {
    server.close();
  });
  const target = await scrape(address);
  const dial = `dial tcp ${address}: connect: connection refused`;
  expect(target.lastError).toBe(`Get "http://${address}/metrics": ${dial}`);
});

test('basic auth, bearer tokens and custom headers', async () => {
  const seen: IncomingMessage['headers'][] = [];
  const address = await serve((request, response) => {
    seen.push(request.headers);
    text(request, response);
  });
  await scrape(
    address,
    'basic_auth: {username: u, password: p}, http_headers: {X-A: {values: [b]}}',
  );
  expect(seen.at(-1)).toMatchObject({ authorization: `Basic ${btoa('u:p')}`, 'x-a': 'b' });
  const count = seen.length;
  await scrape(address, 'authorization: {type: Token, credentials: secret}');
  await eventually(() => seen.length > count);
  expect(seen.at(-1)).toMatchObject({ authorization: 'Token secret' });
});

test('redirects are followed, credentials stay with the first host', async () => {
  let forwarded: string | undefined = 'nothing came';
  const other = await serve((request, response) => {
    forwarded = request.headers.authorization;
    text(request, response);
  });
  const address = await serve((_, response) => {
    response.writeHead(302, { Location: `http://${other}/elsewhere` }).end();
  });
  const target = await scrape(address, 'bearer_token: secret');
  expect(target).toMatchObject({ health: 'up' });
  expect(forwarded).toBeUndefined();
});

test('a redirect without end', async () => {
  const address = await serve((_, response) => {
    response.writeHead(302, { Location: '/again' }).end();
  });
  expect((await scrape(address)).lastError).toContain('stopped after 10 redirects');
});

test('body_size_limit counts what comes out of the compression', async () => {
  const address = await serve((_, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.setHeader('Content-Encoding', 'gzip');
    response.end(gzipSync('b 1\n'.repeat(100_000)));
  });
  const target = await scrape(address, 'body_size_limit: 100KB');
  expect(target.lastError).toBe('body size limit exceeded');
});

test('100 MB of garbage end after the first bytes', async () => {
  let sentBytes = 0;
  const block = Buffer.alloc(64 * 1024, 'garbage ö\u0000\n');
  const address = await serve((_, response) => {
    response.setHeader('Content-Type', 'text/plain');
    const send = () => {
      while (sentBytes < 100_000_000 && !response.destroyed) {
        sentBytes += block.length;
        if (!response.write(block)) {
          response.once('drain', send);
          return;
        }
      }
      response.end();
    };
    send();
  });
  const target = await scrape(address, 'scrape_interval: 5s, scrape_timeout: 5s');
  expect(target.lastError).toMatch(/^line 1: expected a number/);
  expect(sentBytes).toBeLessThan(20_000_000);
});

/** A certificate for localhost, made for this run; undefined where openssl is missing. */
function certificate(): { directory: string; key: string; cert: string } | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'tyto-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...names];
  try {
    execFileSync('openssl', [...make, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { directory, key, cert };
  } catch {
    process.stderr.write('SKIPPED: no openssl, so TLS is not tested\n');
    return undefined;
  }
}

test('TLS: an authority, a server name, and what happens without them', async () => {
  const files = certificate();
  if (files === undefined) return;
  const options = { key: readFileSync(files.key), cert: readFileSync(files.cert) };
  const server = createSecureServer(options, text);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const down = await scrape(address, 'scheme: https');
  expect(down.lastError).toContain('x509: certificate signed by unknown authority');
  const tls = [
    `{ca_file: "${files.cert}", server_name: localhost}`,
    '{insecure_skip_verify: true}',
  ];
  for (const config of tls) {
    await manager.apply([]);
    expect(await scrape(address, `scheme: https, tls_config: ${config}`)).toMatchObject({
      health: 'up',
      lastError: '',
    });
  }
  rmSync(files.directory, { recursive: true });
});

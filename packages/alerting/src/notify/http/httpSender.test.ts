import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  deliver,
  integrationsOf,
  listen,
  notification,
  record,
  type Recorded,
  recording,
  refusalOf,
  stopServers,
} from '../testing.ts';
import { proxyFor } from './proxy.ts';

afterEach(stopServers);

let directory: string;
const file = (name: string) => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tyto-tls-'));
  const subject = ['-subj', '/CN=hooks.test', '-addext', 'subjectAltName=DNS:hooks.test'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const out = ['-keyout', file('key.pem'), '-out', file('cert.pem'), '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...key, ...out, ...subject], { stdio: 'ignore' });
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const hook = (url: string, http = '{}', more = '') =>
  `webhook_configs: [{url: "${url}", http_config: ${http}${more}}]`;

async function recordSecurely(options: Record<string, unknown> = {}) {
  const requests: Recorded[] = [];
  const pair = { cert: readFileSync(file('cert.pem')), key: readFileSync(file('key.pem')) };
  const server = createSecureServer(
    { ...pair, ...options },
    recording(requests, () => ({})),
  );
  return { requests, url: `https://127.0.0.1:${await listen(server)}`, server };
}

/** A proxy that tunnels everything to one port, and notes what it was asked. */
async function startProxy(port: number) {
  const asked: { url: string | undefined; headers: Record<string, unknown> }[] = [];
  const sockets: Socket[] = [];
  const server = createServer();
  server.on('connect', ({ url, headers }, socket) => {
    asked.push({ url, headers });
    const other = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      other.pipe(socket).pipe(other);
    });
    sockets.push(other);
    other.on('error', () => socket.destroy());
    socket.on('error', () => other.destroy());
  });
  return { asked, address: `http://127.0.0.1:${await listen(server)}` };
}

describe('credentials', () => {
  it('are sent as the configuration says, and read from their files each time', async () => {
    const { url, requests } = await record();
    const secret = file('secret');
    writeFileSync(secret, 'one\n');
    const configs = [
      '{basic_auth: {username: u, password: p}}',
      '{authorization: {type: Token, credentials: abc}}',
      '{bearer_token: old}',
      `{authorization: {credentials_file: ${secret}}}`,
      `{http_headers: {X-Own: {values: [a], secrets: [b], files: [${secret}]}}}`,
    ];
    const hooks = configs.map((http) => `{url: "${url}", http_config: ${http}}`);
    const receiver = `webhook_configs: [${hooks}]`;
    const integrations = integrationsOf(receiver);
    const signal = AbortSignal.timeout(5000);
    for (const one of integrations) await one.notify(notification(), signal);
    writeFileSync(secret, 'two\n');
    await integrations[3].notify(notification(), signal);
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${btoa('u:p')}`,
      'Token abc',
      'Bearer old',
      'Bearer one',
      undefined,
      'Bearer two',
    ]);
    expect(requests[4].headers['x-own']).toBe('a, b, one');
  });

  it('that are in no file are an error to try again, without anything being sent', async () => {
    const { url, requests } = await record();
    const refused = await refusalOf(
      deliver(hook(url, '{authorization: {credentials_file: /nowhere/x}}')),
    );
    expect(refused).toMatchObject({ retry: true });
    expect(refused.message).toContain('cannot read the secret');
    expect(requests).toEqual([]);
  });

  it('of the receiver do not come into its errors', async () => {
    const { url } = await record(({ headers, path }) => ({
      status: 400,
      text: `you sent ${headers.authorization} to ${path}`,
    }));
    const key = 'k3y-abcdef-123456';
    const receiver = `opsgenie_configs: [{api_key: ${key}, api_url: "${url}"}]`;
    const { message } = await refusalOf(deliver(receiver));
    expect(message).toContain('400');
    expect(message).not.toContain(key);
    const bearer = hook(url, `{authorization: {credentials: ${key}}}`);
    expect((await refusalOf(deliver(bearer))).message).not.toContain(key);
    const { message: other } = await refusalOf(deliver(hook(`${url}/services/T024F1A/secret1`)));
    expect(other).not.toMatch(/T024F1A|secret1/);
  });
});

describe('OAuth 2', () => {
  const oauth2 = (url: string, more = '') =>
    `{oauth2: {client_id: me, client_secret: s3cret, token_url: "${url}/token", ` +
    `scopes: [a, b], endpoint_params: {audience: x}${more}}}`;

  it('fetches a token, keeps it until it expires, and another when it is refused', async () => {
    let tokens = 0;
    const token = await record(() => {
      return { text: `{"access_token":"t${++tokens}","token_type":"bearer","expires_in":60}` };
    });
    const { url, requests } = await record((_, i) => ({ status: i === 3 ? 401 : 200 }));
    const [integration] = integrationsOf(hook(url, oauth2(token.url)));
    const at = (ms: number) =>
      integration.notify(notification({ nowMs: ms }), AbortSignal.timeout(5000));
    await at(0);
    await at(40_000);
    await at(55_000);
    expect((await refusalOf(at(56_000))).retry).toBe(false);
    await at(57_000);
    const sent = requests.map(({ headers }) => headers.authorization);
    expect(sent).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2', 'Bearer t2', 'Bearer t3']);
    expect(token.requests).toHaveLength(3);
    const [{ headers, text }] = token.requests;
    expect(headers.authorization).toBe(`Basic ${btoa('me:s3cret')}`);
    expect(text).toBe('grant_type=client_credentials&scope=a+b&audience=x');
  });

  it('sends the secret in the body where the header is not taken', async () => {
    const token = await record(({ headers }) =>
      headers.authorization === undefined
        ? { text: '{"access_token":"t"}' }
        : { status: 401, text: '{"error":"invalid_client"}' },
    );
    const { url, requests } = await record();
    await deliver(hook(url, oauth2(token.url)));
    expect(requests[0].headers.authorization).toBe('Bearer t');
    const form = new URLSearchParams(token.requests[1].text);
    expect([form.get('client_id'), form.get('client_secret')]).toEqual(['me', 's3cret']);
  });

  it('says why there is no token, and never the secret', async () => {
    const answers = [
      { status: 400, text: '{"error":"invalid_scope","error_description":"not s3cret"}' },
      { status: 400, text: '{"error":"invalid_scope","error_description":"not s3cret"}' },
      { status: 503, text: 'later' },
      { text: 'garbage' },
      { text: '{"access_token":"a\\r\\nx: y"}' },
    ];
    const token = await record((_, i) => answers[i]);
    const { url, requests } = await record();
    const tell = () => refusalOf(deliver(hook(url, oauth2(token.url))));
    const first = await tell();
    expect(first.message).toMatch(/400 invalid_scope: not <secret>$/);
    expect(first.retry).toBe(false);
    expect((await tell()).retry).toBe(true);
    expect((await tell()).message).toContain('no JSON');
    expect((await tell()).message).toContain('line end');
    expect(requests).toEqual([]);
  });
});

describe('TLS', () => {
  it('trusts what it is told to, by the name that it is told', async () => {
    const { url, requests } = await recordSecurely();
    const unknown = await refusalOf(deliver(hook(url)));
    expect(unknown).toMatchObject({ retry: true });
    expect(unknown.message).toMatch(/self-signed|SELF_SIGNED/);
    const ca = `ca_file: ${file('cert.pem')}`;
    expect((await refusalOf(deliver(hook(url, `{tls_config: {${ca}}}`)))).message).toMatch(
      /ALTNAME|altnames/,
    );
    await deliver(hook(url, `{tls_config: {${ca}, server_name: hooks.test}}`));
    const inline = JSON.stringify(readFileSync(file('cert.pem'), 'utf8'));
    await deliver(hook(url, `{tls_config: {ca: ${inline}, server_name: hooks.test}}`));
    await deliver(hook(url, '{tls_config: {insecure_skip_verify: true}}'));
    expect(requests).toHaveLength(3);
  });

  it('shows its certificate, and speaks the versions that it may', async () => {
    const ca = readFileSync(file('cert.pem'));
    const { url, requests } = await recordSecurely({
      requestCert: true,
      rejectUnauthorized: true,
      ca,
      maxVersion: 'TLSv1.2',
    });
    const own = `cert_file: ${file('cert.pem')}, key_file: ${file('key.pem')}`;
    const skip = 'insecure_skip_verify: true';
    expect((await refusalOf(deliver(hook(url, `{tls_config: {${skip}}}`)))).retry).toBe(true);
    const modern = `{tls_config: {${skip}, ${own}, min_version: TLS13}}`;
    expect((await refusalOf(deliver(hook(url, modern)))).message).toMatch(/version|alert/i);
    await deliver(hook(url, `{tls_config: {${skip}, ${own}}}`));
    expect(requests).toHaveLength(1);
  });
});

describe('a proxy', () => {
  it('is tunnelled through, with its own headers', async () => {
    const { requests, url } = await recordSecurely();
    const proxy = await startProxy(Number(new URL(url).port));
    const http =
      `{proxy_url: "${proxy.address}", proxy_connect_header: {X-Pass: [abc]}, ` +
      `tls_config: {ca_file: ${file('cert.pem')}}}`;
    await deliver(hook('https://hooks.test/a', http));
    expect(requests[0]).toMatchObject({ path: '/a', headers: { host: 'hooks.test' } });
    expect(proxy.asked[0].url).toBe('hooks.test:443');
    expect(proxy.asked[0].headers['x-pass']).toBe('abc');
  });

  it('is given what has no TLS, with the whole address', async () => {
    const proxy = await record();
    await deliver(hook('http://hooks.test/a?b=c', `{proxy_url: "${proxy.url}"}`));
    expect(proxy.requests[0]).toMatchObject({ path: 'http://hooks.test/a?b=c', method: 'POST' });
    expect(proxy.requests[0].headers.host).toBe('hooks.test');
  });

  it('of the environment is taken where the configuration says so', async () => {
    const { requests, url } = await recordSecurely();
    const proxy = await startProxy(Number(new URL(url).port));
    const environment = { https_proxy: proxy.address.slice('http://'.length), no_proxy: 'x.test' };
    const http = '{proxy_from_environment: true, tls_config: {insecure_skip_verify: true}}';
    const [one] = integrationsOf(hook('https://hooks.test', http), '{}', '', environment);
    await one.notify(notification(), AbortSignal.timeout(5000));
    expect(requests).toHaveLength(1);
  });

  it('reaches Pushover, whose address is fixed', async () => {
    const { requests, url } = await recordSecurely();
    const proxy = await startProxy(Number(new URL(url).port));
    const http = `{proxy_url: "${proxy.address}", tls_config: {insecure_skip_verify: true}}`;
    const fields = `user_key: u, token: t, ttl: 2m, retry: 30s, expire: 1.5h, html: true`;
    await deliver(
      `pushover_configs: [{${fields}, sound: bike, http_config: ${http}, ` +
        `message: '<b>{{ .CommonAnnotations.none }}{{ .GroupLabels.alertname }}</b> {{ "<" }}'}]`,
    );
    expect(proxy.asked[0].url).toBe('api.pushover.net:443');
    expect(requests[0].path).toBe('/1/messages.json');
    expect(Object.fromEntries(new URLSearchParams(requests[0].text))).toEqual({
      token: 't',
      user: 'u',
      title: '[FIRING:1] PoolEmpty (critical)',
      message: '<b>PoolEmpty</b> &lt;',
      url: 'http://tyto:9090/#/alerts?receiver=team',
      url_title: '',
      priority: '2',
      retry: '30',
      expire: '5400',
      ttl: '120',
      device: '',
      sound: 'bike',
      html: '1',
    });
  });

  it('is left out for the hosts of no_proxy, as in Go', () => {
    const goes = (url: string, noProxy: string) => {
      const config = { url: 'p:1', noProxy, fromEnvironment: false, connectHeaders: [] };
      return proxyFor(new URL(url), config, {}) ?? 'straight';
    };
    expect(goes('http://127.0.0.1/', '')).toBe('http://p:1');
    expect(goes('http://127.0.0.1/', 'x')).toBe('straight');
    expect(goes('http://a.test/', 'b.test')).toBe('http://p:1');
    expect(goes('http://a.b.test/', 'b.test')).toBe('straight');
    expect(goes('http://b.test/', '.b.test')).toBe('http://p:1');
    expect(goes('http://b.test:81/', 'b.test:80')).toBe('http://p:1');
    expect(goes('https://b.test/', 'b.test:443')).toBe('straight');
    expect(goes('http://10.1.2.3/', '10.0.0.0/8')).toBe('straight');
    expect(goes('http://10.1.2.3/', '10.1.2.4, *')).toBe('straight');
    expect(goes('http://[fd00::1]/', 'fd00::/8')).toBe('straight');
    expect(goes('http://11.1.2.3/', '10.0.0.0/8,10.0.0.0/99,/8')).toBe('http://p:1');
  });
});

describe('redirects', () => {
  it('that keep the message are followed, without credentials to another origin', async () => {
    const other = await record();
    const { url, requests } = await record(({ path }) => ({
      status: path === '/a' ? 308 : 307,
      headers: { location: path === '/a' ? '/b' : `${other.url}/c` },
    }));
    const http = '{basic_auth: {username: u, password: p}, http_headers: {X-Key: {secrets: [k]}}}';
    await deliver(hook(`${url}/a`, http));
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${btoa('u:p')}`,
      `Basic ${btoa('u:p')}`,
    ]);
    const [last] = other.requests;
    expect(last).toMatchObject({ method: 'POST', path: '/c', body: { version: '4' } });
    expect(last.headers).not.toHaveProperty('authorization');
    expect(last.headers).not.toHaveProperty('x-key');
  });

  it('that would drop the message, have no end or are not wanted are told', async () => {
    const { url, requests } = await record(({ path }) => ({
      status: path === '/found' ? 302 : 307,
      headers: { location: '/loop' },
    }));
    const found = await refusalOf(deliver(hook(`${url}/found`)));
    expect(found.message).toContain('unexpected status code 302');
    expect((await refusalOf(deliver(hook(`${url}/loop`)))).message).toContain('10 redirects');
    const before = requests.length;
    const refused = await refusalOf(deliver(hook(`${url}/loop`, '{follow_redirects: false}')));
    expect(refused.message).toContain('unexpected status code 307');
    expect(requests.length).toBe(before + 1);
  });
});

describe('a hostile receiver', () => {
  it('that answers without end is not read to it', async () => {
    let sent = 0;
    const server = createServer((_, response) => {
      response.writeHead(500);
      const more = () => {
        sent += 65_536;
        if (!response.destroyed && sent < 200e6) response.write(Buffer.alloc(65_536, 'x'), more);
      };
      more();
    });
    const url = `http://127.0.0.1:${await listen(server)}`;
    const { message, retry } = await refusalOf(deliver(hook(url)));
    expect(retry).toBe(true);
    expect(message.length).toBeLessThan(400);
    expect(sent).toBeLessThan(20e6);
  });

  it('that does not answer is given up in its time, and tried again', async () => {
    const server = createServer(() => undefined);
    const url = `http://127.0.0.1:${await listen(server)}`;
    const refused = await refusalOf(deliver(hook(url, '{}', ', timeout: 100ms')));
    expect(refused).toMatchObject({ retry: true });
    expect(refused.message).toContain('no answer in time');
  });

  it('that takes a notification and breaks off has got it', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('x', () => response.destroy());
    });
    const url = `http://127.0.0.1:${await listen(server)}`;
    await deliver(hook(url));
  });

  it('that answers garbage is an error, not a crash', async () => {
    const server = createServer();
    server.on('connection', (socket) => socket.end('\0\0garbage\r\n\r\n'));
    const url = `http://127.0.0.1:${await listen(server)}`;
    expect(await refusalOf(deliver(hook(url)))).toMatchObject({ retry: true });
  });
});

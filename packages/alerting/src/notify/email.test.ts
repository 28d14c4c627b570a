import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SMTPServer, type SMTPServerAuthentication, type SMTPServerOptions } from 'smtp-server';
import { alert, deliver, ended, integrationsOf, notification, refusalOf } from './testing.ts';

let directory: string;
const file = (name: string) => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tyto-smtp-'));
  const subject = ['-subj', '/CN=mail.test', '-addext', 'subjectAltName=DNS:mail.test'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const out = ['-keyout', file('key.pem'), '-out', file('cert.pem'), '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...key, ...out, ...subject], { stdio: 'ignore' });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Lower-case names, decoded values. */
  readonly headers: ReadonlyMap<string, string>;
  /** By their types, in the order of the mail. */
  readonly parts: ReadonlyMap<string, string>;
  readonly secure: boolean;
  readonly hello: string;
}

/** A mail server; whoever logs in is noted. */
async function startMail(options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const logins: SMTPServerAuthentication[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth(auth, _, done) {
      logins.push(auth);
      const isRight =
        auth.method === 'CRAM-MD5' ? auth.validatePassword('md5-secret') : auth.password === 'pass';
      if (isRight) done(null, { user: auth.username ?? '' });
      else done(new Error(`wrong password ${auth.password}`));
    },
    onData(stream, { envelope, secure, hostNameAppearsAs }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          ...parseMail(Buffer.concat(chunks).toString('latin1')),
          secure,
          hello: String(hostNameAppearsAs),
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.server.address() as AddressInfo;
  return { mails, logins, port, address: `127.0.0.1:${port}` };
}

const pair = () => ({ cert: readFileSync(file('cert.pem')), key: readFileSync(file('key.pem')) });
const trust = () => `tls_config: {ca_file: ${file('cert.pem')}, server_name: mail.test}`;
const mailTo = (address: string, more = '') =>
  `email_configs: [{to: 'ops@x.test', from: 'tyto@x.test', smarthost: '${address}'${more}}]`;
const PLAIN = ', require_tls: false';

describe('a mail', () => {
  it('has text and HTML, in Korean, to all recipients', async () => {
    const { mails, address } = await startMail();
    const fields =
      `to: '김 <kim@x.test>, "Lee, S" <lee@x.test>', from: 'Tyto 경보 <tyto@x.test>', ` +
      `smarthost: '${address}', require_tls: false, hello: tyto.test, ` +
      `text: '{{ .CommonAnnotations.summary }} 본문', ` +
      `html: '<b>{{ .CommonAnnotations.summary }}</b>', ` +
      `headers: {subject: '[장애] {{ .GroupLabels.alertname }}', ` +
      `x-team: 결제팀, Reply-To: a@x.test}`;
    const firing = [alert({}, { summary: '<풀>이 비었다' })];
    await deliver(`email_configs: [{${fields}}]`, { firing });
    const [{ from, to, headers, parts, hello }] = mails;
    expect([from, to]).toEqual(['tyto@x.test', ['kim@x.test', 'lee@x.test']]);
    expect(hello).toBe('tyto.test');
    expect(headers.get('subject')).toBe('[장애] PoolEmpty');
    expect(headers.get('from')).toBe('Tyto 경보 <tyto@x.test>');
    expect(headers.get('to')).toBe('김 <kim@x.test>, "Lee, S" <lee@x.test>');
    expect(headers.get('x-team')).toBe('결제팀');
    expect(headers.get('reply-to')).toBe('a@x.test');
    expect(headers.get('date')).toBe('Sun, 01 Mar 2026 12:00:00 +0000');
    expect(headers.get('content-type')).toMatch(/^multipart\/alternative/);
    // The last alternative is the one that is preferred.
    expect([...parts]).toEqual([
      ['text/plain', '<풀>이 비었다 본문'],
      ['text/html', '<b>&lt;풀&gt;이 비었다</b>'],
    ]);
  });

  it('says all of each alert where nothing is written', async () => {
    const { mails, address } = await startMail();
    await deliver(mailTo(address, PLAIN), { ...ended });
    const [{ headers, parts }] = mails;
    expect(headers.get('subject')).toBe('[RESOLVED] PoolEmpty (critical)');
    const html = parts.get('text/html') ?? '';
    expect(html).toContain('[1] Resolved</h2>');
    expect(html).not.toContain('Firing');
    expect(html).toContain('alertname = PoolEmpty</div>');
    expect(html).toContain('href="http://tyto:9090/#/alerts?receiver=team"');
    expect(html).not.toContain('<!--');
  });

  it('belongs to a thread of its group, by day or for ever', async () => {
    const { mails, address } = await startMail();
    await deliver(mailTo(address, `${PLAIN}, threading: {enabled: true, thread_by_date: none}`));
    await deliver(mailTo(address, `${PLAIN}, threading: {enabled: true}`), ended);
    const roots = mails.map(({ headers }) => headers.get('references'));
    expect(roots[0]).toBe('<alert-c05fe9c84b2fab70-@alertmanager>');
    expect(roots[1]).toMatch(/^<alert-c05fe9c84b2fab70-2026-03-0[12]@alertmanager>$/);
    expect(mails.map(({ headers }) => headers.get('in-reply-to'))).toEqual(roots);
    expect(new Set(mails.map(({ headers }) => headers.get('message-id'))).size).toBe(2);
  });

  it('takes no header from a label', async () => {
    const { mails, address } = await startMail();
    const firing = [alert({}, { summary: 'a\r\nBcc: evil@x.test\r\n\r\nbody' })];
    const headers =
      `headers: {Subject: '{{ .CommonAnnotations.summary }}', ` +
      `X-A: '{{ .CommonAnnotations.summary }}'}`;
    await deliver(mailTo(address, `${PLAIN}, ${headers}`), { firing });
    expect(mails[0].headers.has('bcc')).toBe(false);
    expect(mails[0].to).toEqual(['ops@x.test']);
    expect(mails[0].headers.get('subject')).toBe('a Bcc: evil@x.test body');
  });

  it('goes to those that the server takes, once', async () => {
    const { mails, address } = await startMail({
      onRcptTo: ({ address: to }, _, done) =>
        done(
          to.startsWith('gone') ? Object.assign(new Error('unknown'), { responseCode: 550 }) : null,
        ),
    });
    const fields =
      `to: 'gone@x.test, ops@x.test', from: a@x.test, smarthost: '${address}', ` +
      `require_tls: false`;
    await deliver(`email_configs: [{${fields}}]`);
    expect(mails.map(({ to }) => to)).toEqual([['ops@x.test']]);
    const nobody = fields.replace('gone@x.test, ops@x.test', 'gone@x.test');
    const refused = await refusalOf(deliver(`email_configs: [{${nobody}}]`));
    expect(refused.retry).toBe(false);
    expect(refused.message).toMatch(/^SMTP 127\.0\.0\.1:\d+: .*550/);
  });
});

describe('the mail server', () => {
  it('is spoken to with STARTTLS, and with nothing less where that is demanded', async () => {
    const secure = await startMail({ ...pair(), disabledCommands: [] });
    await deliver(mailTo(secure.address, `, ${trust()}`));
    expect(secure.mails[0].secure).toBe(true);
    const untrusted = await refusalOf(deliver(mailTo(secure.address)));
    expect(untrusted.message).toMatch(/self-signed/i);
    expect(untrusted.retry).toBe(true);
    const open = await startMail();
    const refused = await refusalOf(deliver(mailTo(open.address)));
    expect(refused.retry).toBe(true);
    expect(refused.message).toContain("'require_tls' is true");
    expect(open.mails).toEqual([]);
  });

  it('is spoken to with TLS from the first byte where that is said', async () => {
    const { mails, address } = await startMail({ ...pair(), secure: true });
    await deliver(mailTo(address, `, force_implicit_tls: true, ${trust()}`));
    const skip = 'smtp_tls_config: {insecure_skip_verify: true}, smtp_force_implicit_tls: true';
    await deliver(mailTo(address), {}, `{${skip}}`);
    expect(mails.map(({ secure }) => secure)).toEqual([true, true]);
  });

  it('is logged in to with what it offers and what there is', async () => {
    const secure = { ...pair(), secure: true };
    const tls = `, force_implicit_tls: true, ${trust()}, auth_username: me`;
    const plain = await startMail({ ...secure, authMethods: ['PLAIN', 'LOGIN'] });
    await deliver(mailTo(plain.address, `${tls}, auth_password: pass`));
    const login = await startMail({ ...secure, authMethods: ['LOGIN'] });
    await deliver(mailTo(login.address, `${tls}, auth_password: pass`));
    const cram = await startMail({ ...secure, authMethods: ['PLAIN', 'CRAM-MD5'] });
    await deliver(mailTo(cram.address, `${tls}, auth_secret: md5-secret`));
    await deliver(mailTo(cram.address, `${tls}, auth_password: pass`));
    const used = [plain, login, cram].map(({ logins }) =>
      logins.map(({ method, username }) => `${method} ${username}`),
    );
    expect(used).toEqual([['PLAIN me'], ['LOGIN me'], ['CRAM-MD5 me', 'PLAIN me']]);
    expect([plain, login, cram].map(({ mails }) => mails.length)).toEqual([1, 1, 2]);
    const missing = await refusalOf(deliver(mailTo(login.address, tls)));
    expect(missing.message).toContain('missing password');
  });

  it('that takes no password is told so, and its error does not repeat it', async () => {
    const { address } = await startMail();
    const more = `${PLAIN}, auth_username: me, auth_password: wr0ng-pass`;
    const refused = await refusalOf(deliver(mailTo(address, more)));
    expect(refused.message).toMatch(/535/);
    expect(refused.message).not.toContain('wr0ng-pass');
    expect(refused.retry).toBe(false);
  });

  it('gets an identity with PLAIN', async () => {
    const lines: string[] = [];
    const { port } = await scripted((line, write) => {
      lines.push(line);
      if (line.startsWith('EHLO')) write('250-hi\r\n250 AUTH PLAIN\r\n');
      else write(line.startsWith('AUTH') ? '535 no\r\n' : '250 ok\r\n');
    });
    const more = `${PLAIN}, auth_username: me, auth_password: p, auth_identity: other`;
    await refusalOf(deliver(mailTo(`localhost:${port}`, more)));
    const [, sent] = lines.find((line) => line.startsWith('AUTH'))?.match(/PLAIN (.*)/) ?? [];
    expect(Buffer.from(sent ?? '', 'base64').toString()).toBe('other\0me\0p');
  });

  it('that has passing trouble is tried again, and one that refuses is not', async () => {
    const answers = ['451 later', '554 never'];
    const { port } = await scripted((line, write) => {
      if (line.startsWith('MAIL')) write(`${answers.shift()}\r\n`);
      else write('250 ok\r\n');
    });
    const tell = () => refusalOf(deliver(mailTo(`127.0.0.1:${port}`, PLAIN)));
    expect(await tell()).toMatchObject({ retry: true });
    expect(await tell()).toMatchObject({ retry: false });
  });

  it('that falls silent is given up in time', async () => {
    const { port } = await scripted(() => undefined);
    const [integration] = integrationsOf(mailTo(`127.0.0.1:${port}`, PLAIN));
    const told = refusalOf(integration.notify(notification(), AbortSignal.timeout(200)));
    expect(await told).toEqual({ message: 'SMTP: no answer in time', retry: true });
  });
});

/** A server that greets, and answers each line as the test says. */
async function scripted(answer: (line: string, write: (text: string) => void) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('220 test\r\n');
    let rest = '';
    socket.on('data', (data) => {
      const lines = (rest + data.toString()).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) answer(line, (text) => void socket.write(text));
    });
    cleanups.push(async () => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.address() as AddressInfo).port };
}

function parseMail(source: string): Pick<Mail, 'headers' | 'parts'> {
  const { headers, body } = split(source);
  const boundary = /boundary="?([^";]+)"?/.exec(headers.get('content-type') ?? '')?.[1];
  const sources = boundary === undefined ? [source] : body.split(`--${boundary}`).slice(1, -1);
  const parts = new Map<string, string>();
  for (const part of sources) {
    const inner = split(part.replace(/^\r\n/, ''));
    const type = (inner.headers.get('content-type') ?? '').split(';')[0];
    const encoding = inner.headers.get('content-transfer-encoding') ?? '';
    parts.set(type, decodeBody(inner.body, encoding).trim());
  }
  return { headers, parts };
}

function split(source: string): { headers: Map<string, string>; body: string } {
  const end = source.indexOf('\r\n\r\n');
  const unfolded = source.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  const headers = unfolded.split('\r\n').map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), decodeWords(line.slice(colon + 1).trim())];
  });
  return { headers: new Map(headers), body: source.slice(end + 4) };
}

function decodeBody(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  const bytes = encoding === 'quoted-printable' ? unquote(body.replace(/=\r\n/g, '')) : body;
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Encoded words of RFC 2047. */
function decodeWords(text: string): string {
  const joined = text.replace(/\?=\s+=\?/g, '?==?');
  return joined.replace(/=\?utf-8\?([qb])\?(.*?)\?=/gi, (_, kind: string, word: string) => {
    if (kind.toLowerCase() === 'b') return Buffer.from(word, 'base64').toString('utf8');
    return Buffer.from(unquote(word.replaceAll('_', ' ')), 'latin1').toString('utf8');
  });
}

function unquote(text: string): string {
  return text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

it('CRAM-MD5 is that of RFC 2195', () => {
  // The example of the RFC, which the server of these tests computes the same way.
  const challenge = '<1896.697170952@postoffice.reston.mci.net>';
  const digest = createHmac('md5', 'tanstaaftanstaaf').update(challenge).digest('hex');
  expect(digest).toBe('b913a602c7eda7a495b4e6e7334d3890');
});

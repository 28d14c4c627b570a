/** Where the notifications of one side arrive: everything that is posted anywhere, and mail. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { atEnd, freePort, temporaryDirectory } from '../harness.ts';
import { startHttp } from '../targets.ts';

export interface Arrival {
  readonly timeMs: number;
  /** The path with its query, or `mail <to>`. */
  readonly path: string;
  readonly content: unknown;
}

export interface Failures {
  readonly count: number;
  readonly status: number;
}

export interface Sink {
  readonly url: string;
  /** host:port of the mail server. */
  readonly mail: string;
  /** A proxy behind which every address is answered, whatever certificate it should have. */
  readonly proxy: string;
  readonly arrivals: readonly Arrival[];
}

/**
 * `failures` by the beginning of a path: so many requests are answered with the status. What comes
 * is noted at once, and answered after `delayMs`.
 */
export async function startSink(
  failures: ReadonlyMap<string, Failures>,
  delayMs = 0,
): Promise<Sink> {
  const arrivals: Arrival[] = [];
  const failed = new Map<string, number>();
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const path = pathOf(request.headers.host ?? '', request.url ?? '');
      arrivals.push({ timeMs: Date.now(), path, content: contentOf(body) });
      const key = path.split('/')[1];
      const count = failed.get(key) ?? 0;
      const { count: wanted = 0, status = 200 } = failures.get(key) ?? {};
      failed.set(key, count + 1);
      response.statusCode = count < wanted ? status : 200;
      response.setHeader('content-type', 'application/json');
      const answer = ANSWERS.find(([part]) => path.includes(part))?.[1] ?? '{"ok": true}';
      setTimeout(() => response.end(answer), delayMs);
    });
  };
  const { url } = await startHttp(listener);
  const [mail, proxy] = await Promise.all([startMail(arrivals), startProxy(listener)]);
  return { url: url.replace(/\/$/, ''), mail, proxy, arrivals };
}

/** What comes by the proxy has paths of its own. */
function pathOf(host: string, path: string): string {
  return host === 'events.pagerduty.com' ? `/pagerduty-v1${path}` : path;
}

async function startProxy(listener: RequestListener): Promise<string> {
  const directory = temporaryDirectory();
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory, name));
  const subject = ['-subj', '/CN=proxied.test', '-days', '2'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files], {
    stdio: 'ignore',
  });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  const behind = createSecureServer(pair, listener);
  const proxy = createServer().on('connect', (_, socket) => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    behind.emit('connection', socket);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve));
  atEnd(() => {
    behind.closeAllConnections();
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${port}`;
}

/** What the services answer whose answers are read, by a part of the path. */
const ANSWERS: readonly (readonly [part: string, text: string])[] = [
  [
    '/telegram',
    '{"ok": true, "result": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}}}',
  ],
  ['/gettoken', '{"errcode": 0, "access_token": "t"}'],
  ['/message/send', '{"errcode": 0}'],
  [
    '/sns',
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>' +
      '<MessageId>1</MessageId></PublishResult></PublishResponse>',
  ],
];

function contentOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body.startsWith('{') ? body : Object.fromEntries(new URLSearchParams(body));
  }
}

async function startMail(arrivals: Arrival[]): Promise<string> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        const to = rcptTo.map(({ address }) => address);
        const content = { from, to, ...parseMail(Buffer.concat(chunks).toString('latin1')) };
        arrivals.push({ timeMs: Date.now(), path: `mail ${to[0]}`, content });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  atEnd(() => new Promise<void>((resolve) => server.close(resolve)));
  return `127.0.0.1:${port}`;
}

/** Headers that say something, and the parts by their types. */
function parseMail(source: string): { headers: unknown; parts: Record<string, string> } {
  const { headers, body } = split(source);
  const shown = ['subject', 'from', 'to', 'x-own'].map((name) => [
    name,
    decodeWords(headers.get(name) ?? ''),
  ]);
  const boundary = /boundary="?([^";]+)"?/.exec(headers.get('content-type') ?? '')?.[1];
  const parts: Record<string, string> = {};
  const sources = boundary === undefined ? [source] : body.split(`--${boundary}`).slice(1, -1);
  for (const part of sources) {
    const inner = split(part.replace(/^\r\n/, ''));
    const type = (inner.headers.get('content-type') ?? 'text/plain').split(';')[0];
    const encoding = (inner.headers.get('content-transfer-encoding') ?? '').toLowerCase();
    parts[type] = decodeBody(inner.body, encoding).trim();
  }
  return { headers: Object.fromEntries(shown), parts };
}

function split(source: string): { headers: ReadonlyMap<string, string>; body: string } {
  const end = source.indexOf('\r\n\r\n');
  const unfolded = source.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  const headers = new Map(
    unfolded.split('\r\n').map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { headers, body: source.slice(end + 4) };
}

function decodeBody(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  const bytes = encoding === 'quoted-printable' ? unquote(body.replace(/=\r\n/g, '')) : body;
  return Buffer.from(bytes, 'latin1').toString('utf8').replaceAll('\r\n', '\n');
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

/** Where notifications arrive: webhooks, Slack's shape, and mail. */
import { SMTPServer } from 'smtp-server';
import { atEnd, freePort } from './harness.ts';
import { startHttp } from './targets.ts';

export interface Arrived<T> {
  readonly timeMs: number;
  readonly content: T;
}

export interface JsonServer {
  readonly url: string;
  readonly arrived: readonly Arrived<JsonContent>[];
}

/** What somebody posted. Tests look into it untyped. */
// biome-ignore lint/suspicious/noExplicitAny: each sender has its own shape.
export type JsonContent = any;

/** Takes JSON at any path, and answers like Slack does. */
export async function startJsonServer(): Promise<JsonServer> {
  const arrived: Arrived<JsonContent>[] = [];
  const server = await startHttp((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      arrived.push({ timeMs: Date.now(), content: JSON.parse(body) });
      response.end('ok');
    });
  });
  return { url: server.url, arrived };
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** The decoded body of a mail with one part. */
  readonly body: string;
}

export interface MailServer {
  /** host:port. */
  readonly address: string;
  readonly arrived: readonly Arrived<Mail>[];
}

/** A mail server without TLS that wants this user and password. */
export async function startMailServer(user: string, password: string): Promise<MailServer> {
  const arrived: Arrived<Mail>[] = [];
  const server = new SMTPServer({
    authOptional: false,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    authMethods: ['PLAIN', 'LOGIN'],
    disableReverseLookup: true,
    onAuth({ username, password: given }, _, done) {
      if (username === user && given === password) done(null, { user });
      else done(new Error('wrong user or password'));
    },
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        const to = rcptTo.map(({ address }) => address);
        const parsed = parseMail(Buffer.concat(chunks).toString('latin1'));
        arrived.push({ timeMs: Date.now(), content: { from, to, ...parsed } });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  atEnd(() => new Promise<void>((resolve) => server.close(resolve)));
  return { address: `127.0.0.1:${port}`, arrived };
}

function parseMail(source: string): Pick<Mail, 'headers' | 'body'> {
  const end = source.indexOf('\r\n\r\n');
  const unfolded = source.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  const headers = new Map(
    unfolded.split('\r\n').map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = source.slice(end + 4);
  const encoding = (headers.get('content-transfer-encoding') ?? '').toLowerCase();
  if (encoding === 'base64') return { headers, body: Buffer.from(body, 'base64').toString('utf8') };
  if (encoding !== 'quoted-printable') return { headers, body };
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return { headers, body: Buffer.from(bytes, 'latin1').toString('utf8') };
}

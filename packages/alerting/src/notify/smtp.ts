/** Delivers a mail over SMTP, with the ways to authenticate that Alertmanager has. */
import { createHmac } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { errorMessage } from '@tyto/base';
import { createTransport } from 'nodemailer';
import type { TlsOptions } from './http/tlsConfig.ts';
import { NotifyError } from './notification.ts';

const CONNECT_MS_MAX = 15_000;
/** A server that scans mails takes its time to answer. */
const IDLE_MS_MAX = 60_000;
const METHOD = 'TYTO';

export interface SmtpAccess {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly implicitTls: boolean;
  /** STARTTLS, or nothing is sent; without it, STARTTLS is not asked for. */
  readonly requireTls: boolean;
  readonly tls: TlsOptions;
  readonly hello: string;
  /** '' for nobody. */
  readonly username: string;
  readonly identity: string;
  readonly password: string;
  /** For CRAM-MD5. */
  readonly secret: string;
}

export interface Envelope {
  readonly from: string;
  readonly to: string[];
}

interface AuthContext {
  readonly authMethods: readonly string[];
  sendCommand(command: string): Promise<{ readonly status: number; readonly text: string }>;
}

/**
 * Resolves with the recipients that the server refused, at most all but one. Rejects with
 * NotifyError: what the server refuses for good is not tried again.
 */
export async function deliver(
  mail: Record<string, unknown> & { readonly envelope: Envelope },
  access: SmtpAccess,
  signal: AbortSignal,
): Promise<string[]> {
  let socket: Socket | undefined;
  const transport = createTransport({
    host: access.host,
    port: access.port,
    secure: access.implicitTls,
    requireTLS: access.requireTls && !access.implicitTls,
    ignoreTLS: !access.requireTls,
    name: access.hello,
    tls: access.tls,
    connectionTimeout: CONNECT_MS_MAX,
    greetingTimeout: CONNECT_MS_MAX,
    socketTimeout: IDLE_MS_MAX,
    disableFileAccess: true,
    disableUrlAccess: true,
    getSocket(_: unknown, callback: (error: Error | null, options?: object) => void) {
      const connection = connect({ host: access.host, port: access.port });
      socket = connection;
      const fail = (error: Error) => callback(error);
      connection.once('error', fail);
      connection.setTimeout(CONNECT_MS_MAX, () => connection.destroy(new Error('timed out')));
      connection.once('connect', () => {
        connection.removeListener('error', fail);
        connection.setTimeout(0);
        callback(null, { connection });
      });
    },
    ...(access.username === '' ? {} : customAuth(access)),
  });
  try {
    const sent = await Promise.race([
      transport.sendMail({ ...mail, envelope: { ...mail.envelope } }),
      aborted(signal),
    ]);
    return sent.rejected.map(String);
  } catch (error) {
    throw failure(error, access);
  } finally {
    transport.close();
    // It says goodbye where all went well, and is not waited for.
    if (signal.aborted) socket?.destroy();
  }
}

/** Never resolves. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new NotifyError('SMTP: no answer in time', true));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function failure(error: unknown, access: SmtpAccess): NotifyError {
  const { responseCode, code } = error as { responseCode?: number; code?: string };
  const server = `${access.host}:${access.port}`;
  if (error instanceof NotifyError)
    return new NotifyError(hide(error.message, access), error.retry);
  if (code === 'ETLS' && access.requireTls && !access.implicitTls) {
    const what = `'require_tls' is true but ${server} does not speak STARTTLS`;
    return new NotifyError(`SMTP: ${what}: ${errorMessage(error)}`, true, error);
  }
  // 5xx answers are the server's last word; all else may pass.
  const isFinal = responseCode !== undefined && responseCode >= 500;
  const shown = hide(errorMessage(error), access);
  return new NotifyError(`SMTP ${server}: ${shown}`.slice(0, 400), !isFinal, error);
}

/** Servers repeat what they do not understand. */
function hide(text: string, { password, secret }: SmtpAccess): string {
  let shown = text.replace(/\s+/g, ' ');
  for (const one of [password, secret]) {
    if (one === '') continue;
    shown = shown.replaceAll(one, '<secret>');
    shown = shown.replaceAll(Buffer.from(one).toString('base64'), '<secret>');
  }
  return shown;
}

/** nodemailer has no identity for PLAIN, and takes the first way that the server offers. */
function customAuth(access: SmtpAccess): Record<string, unknown> {
  return {
    auth: { type: 'custom', method: METHOD, user: access.username, pass: access.password },
    customAuth: { [METHOD]: (context: AuthContext) => logIn(context, access) },
  };
}

async function logIn(context: AuthContext, access: SmtpAccess): Promise<true> {
  const offers = (name: string) => context.authMethods.includes(name);
  const { username, password, secret, identity } = access;
  if (offers('CRAM-MD5') && secret !== '') return await cramMd5(context, username, secret);
  if (password === '') {
    const what = offers('CRAM-MD5') ? 'secret for CRAM-MD5' : 'password for PLAIN or LOGIN';
    throw new NotifyError(`find auth mechanism: missing ${what} auth mechanism`, true);
  }
  if (offers('PLAIN')) {
    if (!access.implicitTls && !access.requireTls && !isLocal(access.host)) {
      throw new NotifyError('PLAIN auth: the connection is not encrypted', true);
    }
    const credentials = base64(`${identity}\0${username}\0${password}`);
    return expect(await context.sendCommand(`AUTH PLAIN ${credentials}`), 235);
  }
  if (!offers('LOGIN')) {
    const known = context.authMethods.join(' ');
    throw new NotifyError(`find auth mechanism: unknown auth mechanism: ${known}`, true);
  }
  expect(await context.sendCommand('AUTH LOGIN'), 334);
  expect(await context.sendCommand(base64(username)), 334);
  return expect(await context.sendCommand(base64(password)), 235);
}

async function cramMd5(context: AuthContext, username: string, secret: string): Promise<true> {
  const { status, text } = await context.sendCommand('AUTH CRAM-MD5');
  expect({ status, text }, 334);
  const challenge = Buffer.from(text.replace(/^334[ -]?/, ''), 'base64');
  const digest = createHmac('md5', secret).update(challenge).digest('hex');
  return expect(await context.sendCommand(base64(`${username} ${digest}`)), 235);
}

/** Go's rule: a password goes over an open connection to this machine only. */
function isLocal(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '::1';
}

function expect(answer: { readonly status: number; readonly text: string }, status: number): true {
  if (answer.status === status) return true;
  const shown = answer.text.replace(/\s+/g, ' ').slice(0, 200);
  throw new NotifyError(`SMTP auth: ${shown}`, answer.status < 500);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

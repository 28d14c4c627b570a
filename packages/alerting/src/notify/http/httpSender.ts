/**
 * Sends what HTTP receivers are told, with their credentials, which no redirect takes to another
 * origin, and judges the answer.
 */
import { createHash } from 'node:crypto';
import { NotifyError } from '../notification.ts';
import { Connections } from './connections.ts';
import { type Answer, type Exchange, exchange, shownUrl } from './exchange.ts';
import type { HttpConfig } from './httpConfig.ts';
import { OAuth2Tokens } from './oauth2.ts';
import type { Environment } from './proxy.ts';
import { readSecret } from './secret.ts';

/** As many as Go follows. */
const REDIRECT_COUNT_MAX = 10;
/** Of an answer, this much is shown in an error. */
const SHOWN_LENGTH_MAX = 200;
/** What is shorter is no secret, and hiding it would garble the text. */
const SECRET_LENGTH_MIN = 4;

export interface Outgoing {
  /** POST where it is not said. */
  readonly method?: Exchange['method'];
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly nowMs: number;
}

export interface Verdict {
  /** Codes that are retried, beside 5xx. */
  readonly retryCodes?: readonly number[];
  /** What of an answer is worth showing; the whole text where it is not said. */
  readonly details?: (answer: Answer) => string;
}

type Headers = Readonly<Record<string, string | string[]>>;

/** What a request may show to another origin than the one that is configured. */
const HARMLESS_HEADERS = ['user-agent', 'content-type'];

export class HttpSender {
  readonly #config: HttpConfig;
  readonly #connections: Connections;
  readonly #tokens: OAuth2Tokens | undefined;

  constructor(config: HttpConfig, environment: Environment) {
    const { oauth2 } = config;
    this.#config = config;
    this.#connections = new Connections(config.tls, config.proxy, environment);
    if (oauth2 === undefined) return;
    const connections = new Connections(oauth2.tls, oauth2.proxy, environment);
    this.#tokens = new OAuth2Tokens(oauth2, connections);
  }

  /** Posts JSON; resolves on 2xx. Rejects with NotifyError. */
  async postJson(request: Omit<Outgoing, 'body'>, body: unknown, verdict: Verdict = {}) {
    return await this.postText({ ...request, body: JSON.stringify(body) }, verdict);
  }

  /** The same of JSON that is a text already. */
  async postText(request: Outgoing, verdict: Verdict = {}): Promise<Answer> {
    const headers = { 'content-type': 'application/json', ...request.headers };
    return await this.send({ ...request, headers }, verdict);
  }

  /** Sends; resolves on 2xx. Rejects with NotifyError that says host and answer, and no secret. */
  async send(request: Outgoing, verdict: Verdict = {}): Promise<Answer> {
    const { answer, headers } = await this.#ask(request);
    if (answer.status >= 200 && answer.status < 300) return answer;
    if (answer.status === 401) this.#tokens?.forget();
    const { retryCodes = [], details = ({ text }) => text } = verdict;
    const retry = answer.status >= 500 || retryCodes.includes(answer.status);
    const shown = hideSecrets(details(answer), request.url, headers);
    const { host } = new URL(request.url);
    const text = `unexpected status code ${answer.status} from ${host}`;
    throw new NotifyError(shown === '' ? text : `${text}: ${shown}`, retry);
  }

  /** Sends; resolves with any answer. Rejects with NotifyError. */
  async ask(request: Outgoing): Promise<Answer> {
    return (await this.#ask(request)).answer;
  }

  /** The answer, and the headers of the first request: what an error must not repeat. */
  async #ask(request: Outgoing): Promise<{ answer: Answer; headers: Headers }> {
    const { method = 'POST', body, signal } = request;
    const origin = webAddress(request.url);
    const headers = await this.#headers(request);
    let url = origin;
    for (let count = 0; count <= REDIRECT_COUNT_MAX; count++) {
      const shown = url.origin === origin.origin ? headers : withoutCredentials(headers);
      const sent = { method, url, headers: shown, body, signal };
      const answer = await exchange(this.#connections, sent);
      const next = this.#redirect(answer, url, method);
      if (next === undefined) return { answer, headers };
      url = next;
    }
    throw new NotifyError(
      `${shownUrl(origin)}: stopped after ${REDIRECT_COUNT_MAX} redirects`,
      true,
    );
  }

  /** Of redirects, only these keep method and body; after others nothing would be told. */
  #redirect(answer: Answer, url: URL, method: string): URL | undefined {
    const followed = method === 'GET' ? [301, 302, 303, 307, 308] : [307, 308];
    if (!this.#config.followRedirects || !followed.includes(answer.status)) return undefined;
    if (answer.location === '' || !URL.canParse(answer.location, url.href)) return undefined;
    const next = new URL(answer.location, url);
    return next.protocol === 'http:' || next.protocol === 'https:' ? next : undefined;
  }

  async #headers(request: Outgoing): Promise<Headers> {
    const headers: Record<string, string | string[]> = { 'user-agent': 'Tyto' };
    for (const { name, values } of this.#config.headers) {
      headers[name.toLowerCase()] = await Promise.all(values.map(readSecret));
    }
    const authorization = await this.#authorization(request);
    if (authorization !== undefined) headers.authorization = authorization;
    return { ...headers, ...request.headers };
  }

  async #authorization({ nowMs, signal }: Outgoing): Promise<string | undefined> {
    const { basicAuth, authorization } = this.#config;
    if (this.#tokens !== undefined) return await this.#tokens.header(nowMs, signal);
    if (basicAuth !== undefined) {
      const username = await readSecret(basicAuth.username);
      const password = await readSecret(basicAuth.password);
      return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    }
    if (authorization === undefined) return undefined;
    return `${authorization.type} ${await readSecret(authorization.credentials)}`;
  }
}

function withoutCredentials(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => HARMLESS_HEADERS.includes(name)),
  );
}

/** A group's key in a form that every receiver takes. */
export function hashKey(groupKey: string): string {
  return createHash('sha256').update(groupKey).digest('hex');
}

function webAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new NotifyError('the address of the receiver is not a web address', false);
}

/** The text on one line, without what it repeats of the address and of the headers. */
function hideSecrets(text: string, url: string, headers: Headers): string {
  const { pathname, search, username, password } = new URL(url);
  const parts = [
    ...pathname.split('/'),
    ...new URLSearchParams(search).values(),
    username,
    password,
    ...Object.values(headers)
      .flat()
      .flatMap((value) => value.split(' ')),
  ];
  let shown = text.slice(0, 4 * SHOWN_LENGTH_MAX);
  for (const part of parts) {
    // Words of an address are none; keys have digits or are long.
    const isSecret = part.length >= SECRET_LENGTH_MIN && (/\d/.test(part) || part.length > 20);
    if (isSecret) shown = shown.replaceAll(part, '<secret>');
  }
  return shown.replace(/\s+/g, ' ').trim().slice(0, SHOWN_LENGTH_MAX);
}

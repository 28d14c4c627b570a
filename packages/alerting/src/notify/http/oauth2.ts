/**
 * Tokens of OAuth 2 for client credentials (RFC 6749, 4.4). A token is kept until shortly before it
 * expires, and forgotten when it is refused or the secret changes.
 */
import { errorMessage } from '@tyto/base';
import { NotifyError } from '../notification.ts';
import type { Connections } from './connections.ts';
import type { OAuth2Config } from './httpConfig.ts';
import { exchange } from './exchange.ts';
import { readSecret } from './secret.ts';

/** A token is not used in its last moments. */
const SPARE_MS = 10_000;

interface Token {
  readonly header: string;
  readonly secret: string;
  /** Infinity where the server does not say. */
  readonly expiresAtMs: number;
}

export class OAuth2Tokens {
  readonly #config: OAuth2Config;
  readonly #connections: Connections;
  #token: Token | undefined;
  /** Where servers want the client's secret; found out with the first answer, as Go does. */
  #style: 'header' | 'body' | undefined;

  constructor(config: OAuth2Config, connections: Connections) {
    this.#config = config;
    this.#connections = connections;
  }

  /** The `Authorization` header. Rejects with NotifyError. */
  async header(nowMs: number, signal: AbortSignal): Promise<string> {
    const secret = await readSecret(this.#config.clientSecret);
    const known = this.#token;
    if (known !== undefined && known.secret === secret && nowMs < known.expiresAtMs - SPARE_MS) {
      return known.header;
    }
    const token = await this.#fetch(secret, nowMs, signal);
    this.#token = token;
    return token.header;
  }

  /** The receiver does not take it: the next request asks for another. */
  forget(): void {
    this.#token = undefined;
  }

  async #fetch(secret: string, nowMs: number, signal: AbortSignal): Promise<Token> {
    const styles = this.#style === undefined ? (['header', 'body'] as const) : [this.#style];
    let failure: NotifyError | undefined;
    for (const style of styles) {
      const answer = await this.#ask(style, secret, signal);
      if (answer.status >= 200 && answer.status < 300) {
        this.#style = style;
        return readToken(answer.text, secret, nowMs);
      }
      const { host } = new URL(this.#config.tokenUrl);
      const shown = errorOf(answer.text).replaceAll(secret === '' ? '\0' : secret, '<secret>');
      const retry = answer.status >= 500 || answer.status === 429;
      failure = new NotifyError(
        `oauth2: cannot fetch token from ${host}: ${answer.status} ${shown}`.trim(),
        retry,
      );
      if (retry) break;
    }
    throw failure ?? new NotifyError('oauth2: cannot fetch token', true);
  }

  async #ask(style: 'header' | 'body', secret: string, signal: AbortSignal) {
    const { tokenUrl, clientId, scopes, endpointParams } = this.#config;
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    for (const [name, value] of Object.entries(endpointParams)) form.set(name, value);
    const headers: Record<string, string> = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    };
    if (style === 'header') {
      const pair = `${formEncode(clientId)}:${formEncode(secret)}`;
      headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    } else {
      form.set('client_id', clientId);
      form.set('client_secret', secret);
    }
    const url = new URL(tokenUrl);
    const body = form.toString();
    return await exchange(this.#connections, { method: 'POST', url, headers, body, signal });
  }
}

function formEncode(text: string): string {
  return new URLSearchParams({ v: text }).toString().slice(2);
}

function readToken(text: string, secret: string, nowMs: number): Token {
  let answer: Record<string, unknown>;
  try {
    answer = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new NotifyError(`oauth2: the token is no JSON: ${errorMessage(error)}`, false, error);
  }
  const { access_token: token, token_type: type, expires_in: seconds } = answer ?? {};
  if (typeof token !== 'string' || token === '') {
    throw new NotifyError('oauth2: server response missing access_token', false);
  }
  // A line end in a header would end it.
  if (/[\r\n]/.test(token)) throw new NotifyError('oauth2: the token has a line end', false);
  const isBearer = typeof type !== 'string' || type === '' || /^bearer$/i.test(type);
  const lifeSeconds = Number(seconds);
  return {
    header: `${isBearer ? 'Bearer' : String(type).replace(/[^\w-]/g, '')} ${token}`,
    secret,
    expiresAtMs: lifeSeconds > 0 ? nowMs + lifeSeconds * 1000 : Infinity,
  };
}

/** `error` and `error_description` of the answer, which never hold the secret. */
function errorOf(text: string): string {
  try {
    const { error, error_description: more } = JSON.parse(text) as Record<string, unknown>;
    return [error, more]
      .filter((part) => typeof part === 'string')
      .join(': ')
      .slice(0, 200);
  } catch {
    return '';
  }
}

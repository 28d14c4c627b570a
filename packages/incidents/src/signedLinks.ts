/**
 * Links that prove what they allow: an incident, an action, an end and for whom, signed with a key
 * that is kept in the state store. Whoever has the link may do this one thing, and nothing else.
 *
 *   <base64url of JSON [incident, action, seconds, person]>.<base64url of HMAC-SHA-256>
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { StateStore } from '@tyto/alerting';

export type LinkAction = 'view' | 'acknowledge';

export interface Link {
  readonly incident: string;
  readonly action: LinkAction;
  readonly expiresAtMs: number;
  /** '' for a link that is for nobody in particular. */
  readonly person: string;
}

const KEY = 'linkKey/1';
const TOKEN_LENGTH_MAX = 2000;

export class SignedLinks {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  /** With the key that is kept, or a new one. Rejects where it cannot be kept. */
  static async open(state: StateStore): Promise<SignedLinks> {
    for (const [key, value] of state.entries(KEY)) {
      if (key === KEY && typeof value === 'string') {
        return new SignedLinks(Buffer.from(value, 'base64'));
      }
    }
    const key = randomBytes(32);
    await state.put(KEY, key.toString('base64'));
    return new SignedLinks(key);
  }

  sign({ incident, action, expiresAtMs, person }: Link): string {
    const fields = [incident, action, Math.ceil(expiresAtMs / 1000), person];
    const payload = Buffer.from(JSON.stringify(fields)).toString('base64url');
    return `${payload}.${this.#mac(payload).toString('base64url')}`;
  }

  /** What a token allows, also when it has expired; undefined for one that is not ours. */
  read(token: string): Link | undefined {
    if (token.length > TOKEN_LENGTH_MAX) return undefined;
    const [payload = '', given = '', ...rest] = token.split('.');
    const mac = Buffer.from(given, 'base64url');
    const own = this.#mac(payload);
    if (rest.length > 0 || mac.length !== own.length || !timingSafeEqual(mac, own)) {
      return undefined;
    }
    const fields = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const [incident, action, seconds, person] = fields as [string, LinkAction, number, string];
    return { incident, action, expiresAtMs: seconds * 1000, person };
  }

  #mac(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(payload).digest();
  }
}

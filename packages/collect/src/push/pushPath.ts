/**
 * The grouping key in the path of a push: `job/<job>{/<label>/<value>}`. A name that ends in
 * `@base64` has its value in base64url, with or without padding, where `=` is the empty value.
 */
import { TytoError } from '@tyto/base';
import { isClassicLabelName } from '@tyto/model';

const BASE64 = '@base64';
/** Labels of a grouping key; each is a label of all its series. */
const LABELS_MAX = 64;

/** The labels behind `/metrics/`. Throws TytoError `bad_data`. */
export function groupingKey(path: string): ReadonlyMap<string, string> {
  const parts = path.split('/');
  const key = new Map<string, string>();
  if (parts.length % 2 === 1) {
    throw bad(`odd number of components in label string ${JSON.stringify(path)}`);
  }
  if (parts.length > 2 * LABELS_MAX) throw bad(`expected at most ${LABELS_MAX} labels`);
  for (let i = 0; i < parts.length; i += 2) {
    const written = decoded(parts[i]);
    const isEncoded = written.endsWith(BASE64);
    const name = isEncoded ? written.slice(0, -BASE64.length) : written;
    if (!isClassicLabelName(name) || name.startsWith('__')) {
      throw bad(`improper label name ${JSON.stringify(name)}`);
    }
    if (key.has(name)) throw bad(`the label ${name} is there twice`);
    const value = decoded(parts[i + 1]);
    key.set(name, isEncoded ? decodeBase64(value, name) : value);
  }
  if ((key.get('job') ?? '') === '') throw bad('job name is required');
  return key;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new TytoError('bad_data', `malformed URL component ${part}`, { cause: error });
  }
}

function decodeBase64(text: string, name: string): string {
  const plain = text.replace(/=+$/, '');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    if (/^[A-Za-z0-9_-]*$/.test(plain) && plain.length % 4 !== 1) {
      return decoder.decode(Buffer.from(plain, 'base64url'));
    }
  } catch {
    // No UTF-8; the same mistake for the sender.
  }
  throw bad(`invalid base64 encoding for label ${name}: ${JSON.stringify(text)}`);
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}

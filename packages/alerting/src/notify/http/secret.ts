/** Secrets: written in the configuration, or in a file that is read at each use. */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { errorMessage, yaml } from '@tyto/base';
import { NotifyError } from '../notification.ts';

export type Secret = { readonly value: string } | { readonly file: string };

/** What is written, or what is in the file; undefined where neither is given. */
export function secretOf(value: string, file: string): Secret | undefined {
  if (value !== '') return { value };
  return file === '' ? undefined : { file };
}

/**
 * The secret, without the line end that editors add. Rejects with NotifyError: the file may be
 * there at the next attempt.
 */
export async function readSecret(secret: Secret): Promise<string> {
  if ('value' in secret) return secret.value;
  try {
    return (await readFile(secret.file, 'utf8')).trim();
  } catch (error) {
    throw new NotifyError(`cannot read the secret: ${errorMessage(error)}`, true, error);
  }
}

/** A path; a relative one starts at the directory of the file that it is written in. */
export const filePath: yaml.Schema<string> = (node, decoder) => {
  const path = yaml.string(node, decoder);
  if (path === '' || isAbsolute(path)) return path;
  return join(dirname(decoder.place(node).file ?? '.'), path);
};

/** Complains where both a value and the file for it are given, in Alertmanager's words. */
export function refuseBoth(
  config: Readonly<Record<string, unknown>>,
  names: readonly (readonly [string, string])[],
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  for (const [first, second] of names) {
    if (!isGiven(config[first]) || !isGiven(config[second])) continue;
    const message = `at most one of ${first} & ${second} must be configured`;
    decoder.error(yaml.childNode(node, second), message);
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== '' && value !== 0;
}

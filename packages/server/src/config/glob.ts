/** Files that a pattern names: `*`, `?` and `[a-z]` in any part of the path, as Go's filepath.Glob. */
import { readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { errorCode } from '@tyto/base';

/** Matches below `base` for a relative pattern, sorted; a plain path is returned as it is. */
export async function glob(pattern: string, base: string): Promise<string[]> {
  const full = isAbsolute(pattern) ? pattern : join(base, pattern);
  if (!/[*?[]/.test(pattern)) return [full];
  let found = [resolve('/')];
  for (const part of full.split('/').filter((name) => name !== '')) {
    const next = await Promise.all(found.map((directory) => step(directory, part)));
    found = next.flat();
  }
  return found.sort((a, b) => (a < b ? -1 : 1));
}

async function step(directory: string, part: string): Promise<string[]> {
  if (!/[*?[]/.test(part)) {
    const path = join(directory, part);
    return (await exists(path)) ? [path] : [];
  }
  const matches = toRegExp(part);
  try {
    const names = await readdir(directory);
    return names.filter((name) => matches.test(name)).map((name) => join(directory, name));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errorCode(error) ?? '')) return [];
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

function toRegExp(part: string): RegExp {
  const source = part
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${source}$`);
}

/** Helpers of this package's tests; not exported. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A directory of conformance data: below TYTO_SHARED, or below a directory `shared` beside one of
 * the ancestors of this file; undefined, after saying so, where there is none.
 */
export function sharedPath(name: string): string | undefined {
  const roots = process.env.TYTO_SHARED === undefined ? [] : [process.env.TYTO_SHARED];
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    roots.push(join(at, 'shared'));
  }
  const found = roots.map((root) => join(root, name)).find((path) => existsSync(path));
  if (found === undefined) {
    process.stderr.write(`SKIPPED: no shared data "${name}" found; set TYTO_SHARED\n`);
  }
  return found;
}

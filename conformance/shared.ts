/**
 * The reference data of other programs: $TYTO_SHARED, or a directory `shared` beside the
 * repository. It is no part of the repository, so tests skip, loudly, where it is missing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The path of something below the shared directory, undefined where it is not there. */
export function sharedPath(...parts: string[]): string | undefined {
  const given = process.env.TYTO_SHARED ?? '';
  const candidates = given === '' ? [] : [given];
  for (let at = process.cwd(); at !== dirname(at); at = dirname(at)) {
    candidates.push(join(at, 'shared'));
  }
  const found = candidates
    .map((directory) => join(directory, 'conformance', ...parts))
    .find((path) => existsSync(path));
  if (found === undefined) {
    process.stdout.write(`SKIPPED: no ${parts.join('/')}; set TYTO_SHARED to the shared data\n`);
  }
  return found;
}

/** The `cases` of a JSON file of extracted facts; none where the file is missing. */
export function sharedCases<T>(...parts: string[]): T[] {
  const path = sharedPath(...parts);
  return path === undefined ? [] : JSON.parse(readFileSync(path, 'utf8')).cases;
}

/** A YAML text with its secrets covered, for pages and logs. */
import { isPair, isScalar, isSeq, parseDocument, visit } from 'yaml';

const COVER = '<secret>';
const USER_INFO = /(\w+:\/\/[^/\s:@"']*:)[^@/\s"']+@/g;

/**
 * Covers the values of the named fields, also those in lists, however they are written, and the
 * passwords in web addresses. `a/b` names the fields `b` anywhere below a field `a`, `a/*` all
 * below it. A text that is no YAML is covered whole.
 */
export function redactYaml(text: string, secretFields: ReadonlySet<string>): string {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return COVER;
  const ranges: [start: number, end: number][] = [];
  visit(document, {
    Pair(_, pair, path) {
      const name = keyOf(pair);
      const isSecret =
        secretFields.has(name) ||
        path.some((parent) => isPair(parent) && covers(secretFields, keyOf(parent), name));
      if (!isSecret) return;
      const values = isSeq(pair.value) ? pair.value.items : [pair.value];
      for (const value of values) {
        if (!isScalar(value) || value.value === null || value.value === '') continue;
        if (value.range) ranges.push([value.range[0], value.range[1]]);
      }
    },
  });
  ranges.sort((a, b) => b[0] - a[0]);
  let covered = text;
  for (const [start, end] of ranges) {
    // A block scalar's range takes the end of its last line with it.
    const lineEnd = covered.slice(start, end).endsWith('\n') ? '\n' : '';
    covered = covered.slice(0, start) + COVER + lineEnd + covered.slice(end);
  }
  return covered.replace(USER_INFO, `$1${COVER}@`);
}

function covers(secretFields: ReadonlySet<string>, parent: string, name: string): boolean {
  return secretFields.has(`${parent}/${name}`) || secretFields.has(`${parent}/*`);
}

function keyOf(pair: { readonly key: unknown }): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

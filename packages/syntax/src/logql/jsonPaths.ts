/** The expressions of `json a="servers[0].headers[\"User-Agent\"]"`: paths of keys and indexes. */

const START = /[A-Za-z_][A-Za-z0-9_-]*|\["(?:[^"\\]|\\.)*"\]|\[\d+\]/y;
const NEXT = /\.[A-Za-z_][A-Za-z0-9_-]*|\["(?:[^"\\]|\\.)*"\]|\[\d+\]/y;
const PART_COUNT_MAX = 64;

/** The path that an expression names; undefined where it is none. */
export function parseJsonPath(expression: string): readonly (string | number)[] | undefined {
  const path: (string | number)[] = [];
  let at = 0;
  while (at < expression.length && path.length < PART_COUNT_MAX) {
    const pattern = at === 0 ? START : NEXT;
    pattern.lastIndex = at;
    const found = pattern.exec(expression)?.[0];
    if (found === undefined) return undefined;
    path.push(partOf(found));
    at += found.length;
  }
  return at === expression.length && path.length > 0 ? path : undefined;
}

function partOf(found: string): string | number {
  if (found.startsWith('["')) return found.slice(2, -2).replace(/\\(.)/g, '$1');
  if (found.startsWith('[')) return Number(found.slice(1, -1));
  return found.startsWith('.') ? found.slice(1) : found;
}

/** Texts with `$1`, `${1}`, `$name`, `${name}` and `$$`, as Go's Regexp.Expand has them. */
import type { AnchoredRegExp } from '@tyto/base';

const REFERENCE = /\$(?:\$|\{(\w+)\}|(\w+))/g;

export interface Template {
  readonly source: string;
  /** Whether it refers to any group. */
  readonly variable: boolean;
  /** The text for what the expression captured (whole match first). */
  expand(captured: readonly string[]): string;
}

/** Resolves the references of `source` once; one to a group that is not there stands for ''. */
export function compileTemplate(source: string, regex: AnchoredRegExp): Template {
  const parts: (string | number)[] = [];
  let end = 0;
  for (const match of source.matchAll(REFERENCE)) {
    parts.push(source.slice(end, match.index));
    end = match.index + match[0].length;
    const name = match[1] ?? match[2];
    if (name === undefined) parts.push('$');
    else parts.push(groupOf(name, regex) ?? '');
  }
  parts.push(source.slice(end));
  return {
    source,
    variable: referencesGroup(source),
    expand: (captured) =>
      parts.map((part) => (typeof part === 'number' ? (captured[part] ?? '') : part)).join(''),
  };
}

/** Whether a text has a reference such as `$1` in it. */
export function referencesGroup(source: string): boolean {
  return source.includes('$');
}

function groupOf(name: string, regex: AnchoredRegExp): number | undefined {
  if (!/^\d+$/.test(name)) return regex.groupIndex(name);
  const index = Number(name);
  return index <= regex.groupCount ? index : undefined;
}

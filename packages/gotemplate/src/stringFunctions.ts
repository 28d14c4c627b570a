/** String functions that rule templates and notification templates share. */
import { compileSearch } from '@tyto/base';
import { fail, type TemplateFunction } from './execute.ts';
import { print, SafeHtml, SafeUrl, type Value } from './values.ts';

export const stringFunctions: Readonly<Record<string, TemplateFunction>> = {
  toUpper: (text) => textOf(text).toUpperCase(),
  toLower: (text) => textOf(text).toLowerCase(),
  title: (text) =>
    textOf(text).replace(
      /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
      (_, before, letter) => before + letter.toUpperCase(),
    ),
  trimSpace: (text) => textOf(text).trim(),
  match: (pattern, text) => compileSearch(textOf(pattern)).matcher(textOf(text)).find(),
  reReplaceAll: (pattern, replacement, text) =>
    replaceAll(textOf(pattern), textOf(replacement), textOf(text)),
  safeHtml: (text) => new SafeHtml(textOf(text)),
};

/** A string argument; a number where Go wants a string is an error there and here. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof SafeHtml || value instanceof SafeUrl) return value.text;
  return fail(`wrong type for value; expected string; got ${print(value).slice(0, 40)}`);
}

/** regexp.ReplaceAllString: `$1`, `${1}` and `$name` in the replacement, the longest name counts. */
function replaceAll(pattern: string, replacement: string, text: string): string {
  const program = compileSearch(pattern);
  const groups = program.namedGroups();
  const matcher = program.matcher(text);
  let out = '';
  let at = 0;
  while (matcher.find()) {
    out += text.slice(at, matcher.start());
    out += replacement.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (all, braced, bare) => {
      if (all === '$$') return '$';
      const name: string = braced ?? bare;
      const index = /^\d+$/.test(name) ? Number(name) : groups[name];
      return index === undefined || index > matcher.groupCount()
        ? ''
        : (matcher.group(index) ?? '');
    });
    at = matcher.end();
  }
  return out + text.slice(at);
}

/**
 * Reading the repository's sources: which files there are, what each imports and exports.
 *
 * There is no parser here. `mask` blanks comments and the insides of strings, so that patterns
 * over the masked text see code only; positions are those of the file. The code is formatted by
 * one formatter, which is what makes this exact enough.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const SKIPPED = new Set(['node_modules', 'dist', 'build', 'coverage', 'data', '.git']);

/** Paths below `directory`, relative to the root, sorted, with forward slashes. */
export function listFiles(directory = '.', accept = () => true) {
  const found = [];
  const walk = (path) => {
    if (!existsSync(path)) return;
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) walk(child);
      } else if (accept(child)) {
        found.push(relative(root, child).split(sep).join('/'));
      }
    }
  };
  walk(join(root, directory));
  return found.sort();
}

export function readText(path) {
  return readFileSync(join(root, path), 'utf8');
}

export function readJson(path) {
  return JSON.parse(readText(path));
}

/** Tests and what only tests use. */
export function isTest(path) {
  return /\.(test|fuzz|bench)\.(ts|tsx|js)$/.test(path) || isTesting(path);
}

/** Helpers of tests: a folder `testing`, or a file of that name. */
export function isTesting(path) {
  return /(^|\/)testing(\/|\.tsx?$)/.test(path);
}

/** The 1-based line of a position. */
export function lineAt(text, position) {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) {
    line++;
  }
  return line;
}

const WORD = /[\w$]/;
const REGEXP_AFTER_WORD = /(?:^|[^\w$.])(?:return|typeof|case|of|in|do|else|void|throw|await)$/;

/** The text with comments and the insides of strings and regular expressions as spaces. */
export function mask(text) {
  const out = text.split('');
  // Each open `${` of a template, as the depth of braces at which it closes.
  const templates = [];
  let depth = 0;
  let at = 0;
  const blank = (from, to) => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  const template = (from) => {
    let end = from;
    while (end < text.length && text[end] !== '`') {
      if (text[end] === '$' && text[end + 1] === '{') {
        templates.push(depth);
        depth++;
        blank(from, end);
        return end + 2;
      }
      end += text[end] === '\\' ? 2 : 1;
    }
    blank(from, end);
    return end + 1;
  };
  while (at < text.length) {
    const char = text[at];
    const next = text[at + 1];
    if (char === '/' && next === '/') {
      const end = endOf(text, '\n', at);
      blank(at, end);
      at = end;
    } else if (char === '/' && next === '*') {
      const end = endOf(text, '*/', at + 2) + 2;
      blank(at, end);
      at = end;
    } else if ((char === "'" || char === '"') && !WORD.test(text[at - 1] ?? ' ')) {
      const end = stringEnd(text, at);
      blank(at + 1, end);
      at = end + 1;
    } else if (char === '`') {
      at = template(at + 1);
    } else if (char === '/' && beginsRegExp(text, out, at)) {
      const end = regExpEnd(text, at);
      blank(at + 1, end);
      at = end + 1;
    } else {
      if (char === '{') depth++;
      if (char === '}') {
        depth--;
        if (templates.at(-1) === depth) {
          templates.pop();
          at = template(at + 1);
          continue;
        }
      }
      at++;
    }
  }
  return out.join('');
}

function endOf(text, what, from) {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at;
}

/** Where the quote closes; a string does not go past its line. */
function stringEnd(text, start) {
  let at = start + 1;
  while (at < text.length && text[at] !== text[start] && text[at] !== '\n') {
    at += text[at] === '\\' ? 2 : 1;
  }
  return at;
}

function beginsRegExp(text, out, at) {
  let before = at - 1;
  while (before >= 0 && (out[before] === ' ' || out[before] === '\n')) before--;
  if (before < 0) return true;
  const last = out[before];
  if (text[at + 1] === '>' || last === '<') return false;
  if (WORD.test(last)) {
    return REGEXP_AFTER_WORD.test(out.slice(Math.max(0, before - 9), before + 1).join(''));
  }
  return !')]}\'"`'.includes(last);
}

function regExpEnd(text, start) {
  let inClass = false;
  let at = start + 1;
  while (at < text.length && text[at] !== '\n') {
    if (text[at] === '\\') at++;
    else if (text[at] === '[') inClass = true;
    else if (text[at] === ']') inClass = false;
    else if (text[at] === '/' && !inClass) return at;
    at++;
  }
  return at;
}

const NAMED = String.raw`\{[^}]*\}`;
const NAMESPACE = String.raw`\*\s+as\s+[\w$]+`;
const CLAUSE = [
  NAMESPACE,
  String.raw`\*`,
  String.raw`[\w$]+(?:\s*,\s*(?:${NAMED}|${NAMESPACE}))?`,
  NAMED,
].join('|');
const FROM = new RegExp(
  String.raw`(?<![\w$.])(import|export)\s+(type\s+)?(${CLAUSE})\s+from\s+['"]`,
  'g',
);
const BARE = /(?<![\w$.])import\s+['"]/g;
const DYNAMIC = /(?<![\w$.])import\(\s*['"]/g;

/**
 * What a file imports, re-exports included: `{ specifier, line, typeOnly, names, reexport }`.
 * `names` are the imported ones; `*` stands for all of them.
 */
export function readImports(text, masked = mask(text)) {
  const found = [];
  const add = (match, fields) => {
    const start = match.index + match[0].length;
    const specifier = text.slice(start, stringEnd(text, start - 1));
    found.push({ specifier, line: lineAt(text, match.index), ...fields });
  };
  for (const match of masked.matchAll(FROM)) {
    const { names, typeOnly } = readClause(match[3], match[2] !== undefined);
    add(match, { names, typeOnly, reexport: match[1] === 'export' });
  }
  for (const match of masked.matchAll(BARE)) {
    add(match, { names: [], typeOnly: false, reexport: false });
  }
  for (const match of masked.matchAll(DYNAMIC)) {
    add(match, { names: ['*'], typeOnly: false, reexport: false });
  }
  return found.sort((a, b) => a.line - b.line);
}

function readClause(clause, isType) {
  if (clause.startsWith('*') || /\*\s+as/.test(clause)) return { names: ['*'], typeOnly: isType };
  const braces = /\{([^}]*)\}/.exec(clause);
  const items = (braces?.[1] ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
  const names = items.map((item) => item.replace(/^type\s+/, '').split(/\s+as\s+/)[0]);
  const hasDefault = /^[\w$]/.test(clause);
  if (hasDefault) names.push('default');
  const allTypes = items.length > 0 && items.every((item) => /^type\s/.test(item));
  return { names, typeOnly: isType || (allTypes && !hasDefault) };
}

const KEYWORDS = 'class|const\\s+enum|const|let|var|interface|type|enum|namespace';
const DECLARED = new RegExp(
  String.raw`(?<![\w$.])export\s+(?:(?:declare|default|async|abstract)\s+)*` +
    String.raw`(function\s*\*?|${KEYWORDS})\s+([\w$]+)`,
  'g',
);
const LISTED = /(?<![\w$.])export\s+(?:type\s+)?\{([^}]*)\}(?!\s*from)/g;
const DEFAULT = /(?<![\w$.])export\s+default\b/g;

/** What a file declares and exports: `{ name, line, isType }`; re-exports are imports. */
export function readExports(text, masked = mask(text)) {
  const found = [];
  for (const match of masked.matchAll(DECLARED)) {
    const isType = match[1] === 'interface' || match[1] === 'type';
    found.push({ name: match[2], line: lineAt(text, match.index), isType });
  }
  for (const match of masked.matchAll(LISTED)) {
    for (const item of match[1].split(',')) {
      const name = item
        .trim()
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/)
        .at(-1);
      if (name) found.push({ name, line: lineAt(text, match.index), isType: false });
    }
  }
  for (const match of masked.matchAll(DEFAULT)) {
    found.push({ name: 'default', line: lineAt(text, match.index), isType: false });
  }
  return found;
}

/** The file that a relative specifier names, or undefined when there is none. */
export function resolveRelative(from, specifier, exists) {
  const base = join(dirname(from), specifier.replace(/\?.*$/, '')).split(sep).join('/');
  const candidates = [base, `${base}.ts`, `${base}.tsx`, `${base}/index.ts`];
  return candidates.find((path) => exists(path));
}

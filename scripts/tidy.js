/**
 * House rules that a type checker and a linter do not know: banned words, dead files and exports,
 * sizes, documents. `node scripts/tidy.js [--update [--allow-growth]]`
 *
 * Sizes beyond the limits of STYLE.md are recorded in ratchet.json and may only shrink: --update
 * writes the present ones down and refuses to grow, unless --allow-growth says that it is meant.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  isTest,
  isTesting,
  lineAt,
  listFiles,
  mask,
  readExports,
  readImports,
  readJson,
  readText,
  resolveRelative,
  root,
} from './sources.js';

const LINE_COLUMNS_MAX = 100;
const FILE_LINES_MAX = 500;
const TEST_LINES_MAX = 1000;
const FUNCTION_LINES_MAX = 70;

const isSource = (path) => /^packages\/[^/]+\/src\//.test(path);
const isProduction = (path) => isSource(path) && !isTest(path);
const isWeb = (path) => path.startsWith('packages/web/');
const isClock = (path) => path === 'packages/base/src/clock.ts' || path.endsWith('.d.ts');
/** The command itself, whose time is the system's. */
const isCommand = (path) => path.startsWith('packages/server/src/cli/');
const isToolConfig = (path) => /(^|\/)(vite|vitest)\.config\.ts$/.test(path);

/** What is not written, where, and what is written instead. Comments and strings do not count. */
const BANNED = [
  {
    pattern: /\bconsole\./g,
    where: isProduction,
    instead: 'use the Logger that is handed in',
  },
  {
    pattern: /\bMath\.random\b/g,
    where: isProduction,
    instead: 'take the randomness as a parameter, so that tests own it',
  },
  {
    pattern: /\b(?:Date\.now|performance\.now)\b/g,
    where: (path) => isProduction(path) && !isWeb(path) && !isClock(path),
    instead: 'use the Clock that is handed in',
  },
  {
    pattern: /\bnew Date\(\)/g,
    where: (path) => isProduction(path) && !isWeb(path),
    instead: 'use the Clock that is handed in',
  },
  {
    pattern: /(?<![\w.])set(?:Timeout|Interval)\(/g,
    where: (path) => isProduction(path) && !isWeb(path) && !isClock(path) && !isCommand(path),
    instead: 'use Clock.schedule',
  },
  {
    pattern: /\bprocess\.env\b/g,
    where: (path) => isProduction(path) && !path.startsWith('packages/server/'),
    instead: 'take it as a parameter; only the server reads the environment',
  },
  { pattern: /\bas any\b/g, where: isSource, instead: 'name the type, or check it' },
  {
    pattern: /\bexport default\b/g,
    where: (path) => /\.tsx?$/.test(path) && !isToolConfig(path),
    instead: 'export it by name',
  },
  { pattern: /\bexport \* from\b/g, where: isSource, instead: 'list the names' },
  { pattern: /^\s*(?:const )?enum\s+\w/gm, where: isSource, instead: 'use a union of literals' },
];

/** Marks of unfinished work, which are looked for in comments. */
const UNFINISHED = /\b(?:TODO|FIXME|XXX|HACK)\b/g;
const SUPPRESSED = /@ts-(?:ignore|nocheck)\b/g;
/** Directories of somebody's machine. */
const MACHINE_PATH = /(?<![\w.~:/-])\/(?:work|farm|Users|home)\/[\w.-]+/g;

/** What `text` has that the rules ban: `{ path, line, message }`. */
export function checkWords(path, text, masked = mask(text)) {
  const violations = [];
  const report = (position, message) =>
    violations.push({ path, line: lineAt(text, position), message });
  for (const { pattern, where, instead } of BANNED) {
    if (!where(path)) continue;
    for (const match of masked.matchAll(pattern)) {
      report(match.index, `"${match[0].trim()}" is banned here: ${instead}`);
    }
  }
  for (const match of text.matchAll(UNFINISHED)) {
    // In code the word is a name or a text; in a comment, which is masked, it is a mark.
    if (masked.startsWith(match[0], match.index) || isInString(text, masked, match.index)) continue;
    report(match.index, `"${match[0]}": do it, or write an issue`);
  }
  for (const match of text.matchAll(SUPPRESSED)) {
    if (isInString(text, masked, match.index)) continue;
    report(match.index, `"${match[0]}" is banned: use @ts-expect-error with the reason`);
  }
  return violations;
}

/** Whether a masked position lies between quotes on its line, rather than in a comment. */
function isInString(text, masked, position) {
  const lineStart = text.lastIndexOf('\n', position) + 1;
  const before = masked.slice(lineStart, position).match(/['"`/]/g) ?? [];
  return before.length % 2 === 1;
}

export function checkMachinePaths(path, text) {
  return [...text.matchAll(MACHINE_PATH)].map((match) => ({
    path,
    line: lineAt(text, match.index),
    message: `"${match[0]}" is a directory of one machine`,
  }));
}

/** One title, and relative links that lead somewhere. `exists` takes paths from the root. */
export function checkMarkdown(path, text, exists) {
  const violations = [];
  const prose = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, (block) => block.replace(/[^\n]/g, ' '));
  const titles = [...prose.matchAll(/^# /gm)];
  if (titles.length !== 1) {
    const message = `a document has one "# " title, this one has ${titles.length}`;
    violations.push({ path, line: 1, message });
  }
  for (const match of prose.matchAll(/\[[^\]]*\]\(([^)\s]+)[^)]*\)/g)) {
    const target = match[1].replace(/[#?].*$/, '');
    if (target === '' || /^[a-z]+:/i.test(target)) continue;
    const resolved = join(dirname(path), decodeURIComponent(target)).replace(/\/$/, '');
    if (exists(resolved)) continue;
    violations.push({ path, line: lineAt(text, match.index), message: `dead link: ${match[1]}` });
  }
  return violations;
}

/** `"resolved": "http…"` ties the lock file to one registry. */
export function checkLockFile(path, text) {
  const at = text.search(/"resolved":\s*"https?:/);
  if (at < 0) return [];
  const message = 'download addresses are recorded; see omit-lockfile-registry-resolved in .npmrc';
  return [{ path, line: lineAt(text, at), message }];
}

/**
 * Files that nothing leads to, and exports that nothing uses. `files` are `{ path, text }`;
 * `entries` are the paths that something outside of the sources starts or publishes. `unshared`
 * counts, by path, the exported values that only their own file uses; a type may be exported
 * because it stands in a signature.
 */
export function checkDead(files, entries) {
  const paths = new Set(files.map(({ path }) => path));
  const exists = (path) => paths.has(path);
  const used = new Map(files.map(({ path }) => [path, new Set()]));
  const importers = new Map(files.map(({ path }) => [path, []]));
  for (const { path, text } of files) {
    for (const { specifier, names } of readImports(text)) {
      const target = specifier.startsWith('.')
        ? resolveRelative(path, specifier, exists)
        : undefined;
      if (target === undefined || target === path) continue;
      importers.get(target).push(path);
      for (const name of names) used.get(target).add(name);
    }
    // Workers and styles are named by their address.
    for (const match of text.matchAll(/new URL\(\s*['"](\.[^'"]+)['"]/g)) {
      const target = resolveRelative(path, match[1], exists);
      if (target !== undefined) importers.get(target).push(path);
    }
  }
  const violations = [];
  const unshared = {};
  for (const { path, text } of files) {
    if (entries.has(path) || path.endsWith('.d.ts') || /\.(test|fuzz|bench)\./.test(path)) continue;
    const from = importers.get(path).filter((other) => isTesting(path) || !isTest(other));
    if (from.length === 0) {
      const message = 'nothing imports this file, or tests only; remove it';
      violations.push({ path, line: 1, message });
      continue;
    }
    const names = used.get(path);
    if (names.has('*')) continue;
    const masked = mask(text);
    for (const { name, line, isType } of readExports(text, masked)) {
      if (names.has(name)) continue;
      if (countWord(masked, name) < 2) {
        violations.push({ path, line, message: `nothing uses "${name}"; remove it` });
      } else if (!isType) unshared[path] = (unshared[path] ?? 0) + 1;
    }
  }
  return { violations, unshared };
}

function countWord(text, word) {
  return text.match(/[\w$]+/g)?.filter((other) => other === word).length ?? 0;
}

/** What is larger than the limits: `longLines`, `fileLines`, `functionLines` of one file. */
export function measure(path, text, masked = mask(text)) {
  const lines = text.replace(/\n$/, '').split('\n');
  const longLines = lines.filter((line) => [...line].length > LINE_COLUMNS_MAX).length;
  const linesMax = isTest(path) ? TEST_LINES_MAX : FILE_LINES_MAX;
  return {
    longLines,
    fileLines: lines.length > linesMax ? lines.length : 0,
    functionLines: isTest(path) ? 0 : longestFunction(masked),
  };
}

const STATEMENTS =
  'if|for|while|switch|catch|with|return|else|do|try|class|export|interface|type|const|let';
/** How the text before a function's brace looks: an arrow, `function`, or a method's name. */
const HEADER = new RegExp(
  [
    String.raw`=>\s*\{$`,
    String.raw`^\s*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b`,
    String.raw`^\s*(?!(?:${STATEMENTS})\b)(?:[\w$]+\s+)*\*?[#\w$[\].]+(?:<[^{]*>)?\([^]*\{$`,
  ].join('|'),
);

/** Lines of the longest function beyond the limit, or 0. The code is formatted. */
function longestFunction(masked) {
  const lines = masked.split('\n');
  const open = [];
  let longest = 0;
  lines.forEach((line, number) => {
    for (let column = 0; column < line.length; column++) {
      if (line[column] === '{') open.push({ number, column });
      if (line[column] !== '}') continue;
      const start = open.pop();
      if (start === undefined) continue;
      const length = number - start.number + 1;
      if (length <= FUNCTION_LINES_MAX || length <= longest) continue;
      if (HEADER.test(header(lines, start))) longest = length;
    }
  });
  return longest;
}

/** The text from the line at which the statement of a brace begins up to the brace. */
function header(lines, { number, column }) {
  const indent = (line) => line.length - line.trimStart().length;
  let first = number;
  while (first > 0 && /^\s*[)}\]]/.test(lines[first])) {
    const depth = indent(lines[first]);
    do first--;
    while (first > 0 && (lines[first].trim() === '' || indent(lines[first]) > depth));
  }
  const parts = lines.slice(first, number);
  return [...parts, lines[number].slice(0, column + 1)].join('\n');
}

/** Compares measured sizes with the recorded ones; growth is a violation. */
export function compareRatchet(sizes, ratchet) {
  const violations = [];
  const limits = {
    longLines: [0, `lines longer than ${LINE_COLUMNS_MAX} columns`],
    fileLines: [0, `lines in a file (${FILE_LINES_MAX}, tests ${TEST_LINES_MAX})`],
    functionLines: [0, `lines in a function (${FUNCTION_LINES_MAX})`],
    unsharedExports: [0, 'exported values that only their own file uses'],
  };
  for (const [kind, [free, words]] of Object.entries(limits)) {
    for (const [path, size] of Object.entries(sizes[kind])) {
      const allowed = ratchet[kind]?.[path] ?? free;
      if (size <= allowed) continue;
      const recorded = allowed > 0 ? `, ${allowed} recorded` : '';
      violations.push({ path, line: 1, message: `${size} ${words}${recorded}: make it smaller` });
    }
  }
  return violations;
}

function measureAll(files, unsharedExports) {
  const sizes = { fileLines: {}, functionLines: {}, longLines: {}, unsharedExports };
  for (const { path, text, masked } of files) {
    for (const [kind, size] of Object.entries(measure(path, text, masked))) {
      if (size > 0) sizes[kind][path] = size;
    }
  }
  return sizes;
}

/** What packages publish, tools start and scripts name. */
function entryPoints(files) {
  const entries = new Set();
  for (const path of listFiles('packages', (name) => name.endsWith('package.json'))) {
    const manifest = readJson(path);
    for (const target of [...strings(manifest.exports), ...strings(manifest.bin)]) {
      entries.add(join(dirname(path), target));
    }
  }
  for (const { path, text } of files) {
    if (!path.startsWith('scripts/')) continue;
    for (const match of text.matchAll(/packages\/[\w./-]+\.tsx?/g)) entries.add(match[0]);
  }
  for (const path of listFiles('packages/web', (name) => name.endsWith('index.html'))) {
    for (const match of readText(path).matchAll(/src="\/?([^"]+)"/g)) {
      entries.add(join(dirname(path), match[1]));
    }
  }
  return entries;
}

function strings(value) {
  if (typeof value === 'string') return [value];
  return value === null || typeof value !== 'object' ? [] : Object.values(value).flatMap(strings);
}

function checkAll(sources, sizes, dead) {
  const exists = (path) => existsSync(join(root, path));
  const documents = listFiles('.', (path) => path.endsWith('.md'));
  const texts = listFiles('.', (path) => /\.(md|json|ya?ml|sh|html|css)$|\/run$/.test(path))
    .filter((path) => path !== 'package-lock.json')
    .map((path) => ({ path, text: readText(path) }));
  const ratchet = existsSync(join(root, 'ratchet.json')) ? readJson('ratchet.json') : {};
  return [
    ...sources.flatMap(({ path, text, masked }) => checkWords(path, text, masked)),
    ...[...texts, ...sources].flatMap(({ path, text }) => checkMachinePaths(path, text)),
    ...dead,
    ...documents.flatMap((path) => checkMarkdown(path, readText(path), exists)),
    ...checkLockFile('package-lock.json', readText('package-lock.json')),
    ...compareRatchet(sizes, ratchet),
  ];
}

function update(sizes, allowGrowth) {
  const known = existsSync(join(root, 'ratchet.json')) ? readJson('ratchet.json') : {};
  const grown = compareRatchet(sizes, known);
  if (grown.length > 0 && !allowGrowth) return grown;
  writeFileSync(join(root, 'ratchet.json'), `${JSON.stringify(sizes, null, 2)}\n`);
  return [];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const sources = listFiles('.', (path) => /\.(ts|tsx|js)$/.test(path))
    .filter((path) => !path.startsWith('packages/kernels/src/assembly/'))
    .map((path) => {
      const text = readText(path);
      return { path, text, masked: mask(text) };
    });
  const packageSources = sources.filter(({ path }) => isSource(path));
  const dead = checkDead(packageSources, entryPoints(sources));
  const sizes = measureAll(sources, dead.unshared);
  const violations = process.argv.includes('--update')
    ? update(sizes, process.argv.includes('--allow-growth'))
    : checkAll(sources, sizes, dead.violations);
  for (const { path, line, message } of violations) {
    process.stdout.write(`${path}:${line}: ${message}\n`);
  }
  process.exitCode = violations.length === 0 ? 0 : 1;
}

import { describe, expect, it } from 'vitest';
import {
  checkDead,
  checkLockFile,
  checkMachinePaths,
  checkMarkdown,
  checkWords,
  compareRatchet,
  measure,
} from './tidy.js';

const messages = (violations) => violations.map(({ line, message }) => `${line}: ${message}`);

describe('banned words', () => {
  const path = 'packages/tsdb/src/a.ts';

  it('are named with what to write instead', () => {
    const text = 'const a = 1;\nconst b = Date.now();\n';
    expect(messages(checkWords(path, text))).toEqual([
      '2: "Date.now" is banned here: use the Clock that is handed in',
    ]);
  });

  it.each([
    'console.log(a);',
    'Math.random();',
    'setTimeout(run, 5);',
    'const a = b as any;',
    'export default a;',
    "export * from './b.ts';",
    'process.env.HOME;',
    'new Date();',
    'enum Color { Red }',
    '// TO' + 'DO: more',
    '/* FIX' + 'ME */',
    '// @ts-' + 'ignore',
  ])('%s', (text) => {
    expect(checkWords(path, text)).toHaveLength(1);
  });

  it('may stand in comments, strings, names and tests', () => {
    expect(checkWords(path, "// Date.now\nconst a = 'Math.random(';\nclock.setTimeout();")).toEqual(
      [],
    );
    expect(checkWords(path, "const a = 'XXX' + TODO;")).toEqual([]);
    expect(checkWords('packages/tsdb/src/a.test.ts', 'setTimeout(run, Math.random())')).toEqual([]);
    expect(checkWords('packages/base/src/clock.ts', 'setTimeout(run, 5)')).toEqual([]);
  });
});

describe('dead code', () => {
  const file = (name, text) => ({ path: `packages/a/src/${name}`, text });
  const entries = new Set(['packages/a/src/index.ts']);

  it('is a file that only tests import, and an export that nothing uses', () => {
    const files = [
      file('index.ts', "export { a } from './a.ts';\n"),
      file('a.ts', 'export const a = 1;\nexport const b = 2;\nexport const c = 3;\nuse(c);\n'),
      file('b.ts', 'export const d = 1;\n'),
      file('b.test.ts', "import { d } from './b.ts';\n"),
    ];
    const { violations, unshared } = checkDead(files, entries);
    expect(messages(violations)).toEqual([
      '2: nothing uses "b"; remove it',
      '1: nothing imports this file, or tests only; remove it',
    ]);
    expect(unshared).toEqual({ 'packages/a/src/a.ts': 1 });
  });

  it('is not what a namespace, a worker address or a signature uses', () => {
    const files = [
      file('index.ts', "export * as a from './a.ts';\nnew URL('./work.ts', import.meta.url);\n"),
      file('a.ts', 'export const b = 1;\n'),
      file('work.ts', 'interface C {}\nfunction d(c: C) {}\n'),
    ];
    expect(checkDead(files, entries)).toEqual({ violations: [], unshared: {} });
  });
});

describe('sizes', () => {
  it('counts lines and columns beyond the limits', () => {
    const text = `${'x'.repeat(101)}\n${'y\n'.repeat(500)}`;
    expect(measure('packages/a/src/a.ts', text)).toMatchObject({ longLines: 1, fileLines: 501 });
    expect(measure('packages/a/src/a.test.ts', text)).toMatchObject({ fileLines: 0 });
  });

  const body = `${'    x();\n'.repeat(80)}  }\n`;
  it.each([
    ['a function', `export function a(\n  b: number,\n): void {\n${body.slice(0, -4)}}\n`, 82],
    ['a method', `class A {\n  async #b(c: { d: number }): Promise<void> {\n${body}}\n`, 82],
    ['an arrow function', `  const a = (b: number) => {\n${body}`, 82],
    ['no class', `class A {\n${body}`, 0],
    ['no loop', `  for (const a of b) {\n${body}`, 0],
    ['no condition behind another', `  if (a) {\n  } else if (b) {\n${body}`, 0],
    ['no object', `  const a = {\n${body}`, 0],
  ])('measures %s', (_, text, lines) => {
    expect(measure('packages/a/src/a.ts', text).functionLines).toBe(lines);
  });

  it('may shrink and not grow', () => {
    const recorded = { fileLines: { 'a.ts': 600 } };
    const sizes = (lines) => ({
      fileLines: { 'a.ts': lines },
      functionLines: {},
      longLines: {},
      unsharedExports: {},
    });
    expect(compareRatchet(sizes(599), recorded)).toEqual([]);
    expect(compareRatchet(sizes(601), recorded)[0].message).toMatch(/601 .* 600 recorded/);
    expect(compareRatchet(sizes(501), {})).toHaveLength(1);
  });
});

describe('documents', () => {
  it('have one title and links that lead somewhere', () => {
    const text = '# A\n\n[b](../b.md#c) [d](https://e) [f](#g)\n\n```\n# no title [x](y.md)\n```\n';
    const exists = (path) => path === 'b.md';
    expect(checkMarkdown('docs/a.md', text, exists)).toEqual([]);
    expect(messages(checkMarkdown('a/docs/a.md', `${text}# B\n`, exists))).toEqual([
      '1: a document has one "# " title, this one has 2',
      '3: dead link: ../b.md#c',
    ]);
  });

  it('name no directory of one machine', () => {
    expect(checkMachinePaths('a.md', `cd ${'/wo' + 'rk'}/wt-x`)).toHaveLength(1);
    expect(checkMachinePaths('a.md', 'https://a/home/b docs/home/c /var/lib/tyto')).toEqual([]);
  });

  it('take no download addresses into the lock file', () => {
    expect(checkLockFile('package-lock.json', '{\n"resolved": "https://a/b.tgz"}')).toHaveLength(1);
    expect(checkLockFile('package-lock.json', '{"resolved": "packages/a", "link": true}')).toEqual(
      [],
    );
  });
});

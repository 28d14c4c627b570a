import { describe, expect, it } from 'vitest';
import { checkLayers, cycles } from './layers.js';

const layers = {
  layers: [['base'], ['model'], ['wire', 'api'], ['server'], ['web']],
  only: { web: ['api', 'model'] },
  universal: ['base', 'model'],
  browser: ['web'],
};

const manifest = (dependencies = [], more = {}) => ({
  exports: { '.': './src/index.ts' },
  dependencies: Object.fromEntries(dependencies.map((name) => [name, '*'])),
  ...more,
});

/** What is said about files, in packages that declare what the first argument lists. */
function check(dependencies, files, more = {}) {
  const names = ['base', 'model', 'wire', 'api', 'server', 'web'];
  const packages = Object.fromEntries(
    names.map((name) => [name, manifest(dependencies[name], more[name])]),
  );
  const list = Object.entries(files).map(([path, text]) => ({
    path: `packages/${path}`,
    text,
  }));
  const rootManifest = { devDependencies: { vitest: '*' } };
  return checkLayers({ layers, packages, files: list, rootManifest }).map(
    ({ path, line, message }) => `${path}:${line}: ${message}`,
  );
}

describe('packages', () => {
  it('import downwards what they declare', () => {
    const files = { 'model/src/a.ts': "import { must } from '@tyto/base';\n" };
    expect(check({ model: ['@tyto/base'] }, files)).toEqual([]);
    expect(check({}, files)).toEqual([
      'packages/model/src/a.ts:1: packages/model/package.json does not declare "@tyto/base"',
    ]);
  });

  it('do not import upwards, nor one another within a layer', () => {
    const files = {
      'model/src/a.ts': "const a = 1;\nimport type { B } from '@tyto/wire';\n",
      'wire/src/a.ts': "export { c } from '@tyto/api';\n",
    };
    const told = check({ model: ['@tyto/wire'], wire: ['@tyto/api'] }, files);
    expect(told[0]).toMatch(/^packages\/model\/src\/a\.ts:2: model lies below wire/);
    expect(told[1]).toMatch(/^packages\/wire\/src\/a\.ts:1: wire and api are of one layer/);
  });

  it('keep to the list of what they may import at all', () => {
    const files = { 'web/src/a.tsx': "import { a } from '@tyto/wire';\n" };
    expect(check({ web: ['@tyto/wire'] }, files)).toEqual([
      'packages/web/src/a.tsx:1: web may import api, model only (layers.json), not wire',
    ]);
  });

  it('declare nothing that they do not import', () => {
    const test = { 'wire/src/a.test.ts': "import { a } from '@tyto/base';\n" };
    expect(check({ wire: ['@tyto/base'] }, test)[0]).toMatch(/is declared and not imported/);
    const development = { wire: { devDependencies: { '@tyto/base': '*' } } };
    expect(check({}, test, development)).toEqual([]);
    const unused = { 'wire/src/a.ts': 'export const a = 1;\n' };
    expect(check({}, unused, development)[0]).toMatch(/declared for tests and not imported/);
  });

  it('do not depend on each other in a circle', () => {
    const told = check({ model: ['@tyto/wire'], wire: ['@tyto/model'] }, {});
    expect(told).toEqual([
      'packages/model/package.json:1: packages depend on each other in a circle: ' +
        'model → wire → model',
    ]);
  });

  it('have their place in layers.json', () => {
    const packages = { stray: manifest() };
    const [violation] = checkLayers({ layers, packages, files: [] });
    expect(violation.message).toBe('"stray" is in no layer of layers.json');
  });

  it('declare npm packages; tests may use those of the root', () => {
    const files = {
      'server/src/a.ts': "import fastify from 'fastify';\n",
      'server/src/a.test.ts': "import { it } from 'vitest';\n",
    };
    expect(check({}, files)).toEqual([
      'packages/server/src/a.ts:1: packages/server/package.json does not declare "fastify"',
    ]);
    expect(check({ server: ['fastify'] }, files)).toEqual([]);
  });
});

describe('files', () => {
  it('do not leave their package, nor go behind the exports of another', () => {
    const files = {
      'model/src/a.ts': "import { a } from '../../base/src/a.ts';\n",
      'wire/src/a.ts': "import { a } from '@tyto/model/src/a.ts';\n",
      'model/src/b.ts': 'export {};\n',
    };
    const told = check({ wire: ['@tyto/model'] }, files);
    expect(told[0]).toMatch(/"\.\.\/\.\.\/base\/src\/a\.ts" leaves the package/);
    expect(told[1]).toMatch(/"@tyto\/model\/src\/a\.ts" is behind the package's exports/);
    const open = { model: { exports: { '.': '', './src/a.ts': '' } } };
    expect(check({ wire: ['@tyto/model'] }, files, open)).toHaveLength(1);
  });

  it('import their own package by its name or index in tests only', () => {
    const text = "import { a } from '@tyto/model';\n";
    expect(check({}, { 'model/src/a.test.ts': text, 'model/src/testing/a.ts': text })).toEqual([]);
    expect(check({}, { 'model/src/a.ts': text })[0]).toMatch(/by relative paths/);
    const index = {
      'model/src/a.ts': "import { b } from './index.ts';\n",
      'model/src/index.ts': '',
    };
    expect(check({}, index)[0]).toMatch(/does not import its own package's index/);
  });

  it('of universal and browser packages import nothing of Node.js outside of tests', () => {
    const text = "import { join } from 'node:path';\n";
    const files = { 'base/src/a.ts': text, 'base/src/a.test.ts': text, 'web/src/a.ts': text };
    expect(check({}, files)).toEqual([
      'packages/base/src/a.ts:1: "node:path" is of Node.js, and base runs everywhere; ' +
        'take it as a parameter',
      'packages/web/src/a.ts:1: "node:path" does not exist in a browser',
    ]);
    expect(check({}, { 'server/src/a.ts': "import 'fs/promises';\n" })[0]).toMatch(/"node:fs/);
  });

  it('do not import each other in a circle, types aside', () => {
    const files = {
      'wire/src/a.ts': "import { b } from './b.ts';\n",
      'wire/src/b.ts': "import { c } from './c.ts';\n",
      'wire/src/c.ts': "import type { A } from './a.ts';\n",
    };
    expect(check({}, files)).toEqual([]);
    const circle = { ...files, 'wire/src/c.ts': "import { a, type A } from './a.ts';\n" };
    expect(check({}, circle)).toEqual([
      'packages/wire/src/a.ts:1: files import each other in a circle: packages/wire/src/a.ts → ' +
        'packages/wire/src/b.ts → packages/wire/src/c.ts → packages/wire/src/a.ts',
    ]);
  });
});

it('finds each circle of a graph once', () => {
  const edges = new Map([
    ['a', ['b']],
    ['b', ['a', 'c']],
    ['c', ['c']],
    ['d', ['a']],
  ]);
  expect(cycles(edges)).toEqual([
    ['a', 'b', 'a'],
    ['c', 'c'],
  ]);
});

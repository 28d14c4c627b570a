import { describe, expect, it } from 'vitest';
import { mask, readExports, readImports } from './sources.js';

describe('masking', () => {
  it.each([
    ["a('b // c') // d", "a('      ')     "],
    ['/* import */ x', '             x'],
    ['`a ${b + `c`} d` + e', '`  ${b + ` `}  ` + e'],
    ["x = /'[/]'/.test(y) / 2 / z", 'x = /     /.test(y) / 2 / z'],
    ["return /'/g;", 'return / /g;'],
    ["<p>it's {a}</p>", "<p>it's {a}</p>"],
    ["'it\\'s' + a", "'     ' + a"],
  ])('%s', (text, masked) => {
    expect(mask(text)).toBe(masked);
  });
});

describe('imports', () => {
  it('are read with their names, lines and whether they are types only', () => {
    const text = [
      "import type { A } from './a.ts';",
      'import {',
      '  b as c,',
      '  type D,',
      "} from './b.ts';",
      "import e, { f } from 'e';",
      "import * as g from 'g';",
      "import './h.css';",
      "export { i } from './i.ts';",
      "export * as j from './j.ts';",
      "const k = await import('./k.ts');",
      "// import { l } from './l.ts';",
      'const text = "import { m } from \'./m.ts\'";',
      "import { type N } from './n.ts';",
    ].join('\n');
    const shown = readImports(text).map(
      ({ specifier, line, names, typeOnly }) =>
        `${line} ${specifier} ${names.join()}${typeOnly ? ' types' : ''}`,
    );
    expect(shown).toEqual([
      '1 ./a.ts A types',
      '2 ./b.ts b,D',
      '6 e f,default',
      '7 g *',
      '8 ./h.css ',
      '9 ./i.ts i',
      '10 ./j.ts *',
      '11 ./k.ts *',
      '14 ./n.ts N types',
    ]);
  });
});

describe('exports', () => {
  it('are read where they are declared or listed', () => {
    const text = [
      'export const a = 1;',
      'export async function b() {}',
      'export function* c() {}',
      'export abstract class D {}',
      'export interface E {}',
      'export type F = string;',
      'export { g, h as i };',
      "export { j } from './j.ts';",
      '// export const k = 1;',
    ].join('\n');
    const names = readExports(text).map(({ name, isType }) => name + (isType ? ' type' : ''));
    expect(names).toEqual(['a', 'b', 'c', 'D', 'E type', 'F type', 'g', 'i']);
  });
});

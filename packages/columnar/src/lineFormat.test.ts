import { describe, expect, it } from 'vitest';
import { HOT_FIELDS, LINE_KINDS, LineScanner } from './lineFormat.ts';

const scanner = new LineScanner();
const kindOf = (line: string) => LINE_KINDS[scanner.scan(line)];
const hotOf = (line: string) => {
  scanner.scan(line);
  return Object.fromEntries(
    HOT_FIELDS.map((name, i) => [name, scanner.hot[i]]).filter(([, value]) => value !== ''),
  );
};

describe('the kind of a line', () => {
  it('tells JSON by how far a search for "name": can be relied on', () => {
    expect(kindOf('{}')).toBe('json');
    expect(kindOf('{"a":1,"b":"x","c":null,"d":-1.5e3,"e":true}')).toBe('json');
    expect(kindOf(' {"a":1, "b":2} ')).toBe('json');
    for (const nested of ['{"a": 1}', '{"a" :1}', '{"a":{"b":1}}', '{"a":[1]}', '{"a":"\\n"}']) {
      expect([nested, kindOf(nested)]).toEqual([nested, 'nested']);
    }
  });

  it('takes what only begins like JSON for odd, and everything else for text', () => {
    const odd = ['{', '{"a":1', '{"a":1}x', '{"a":01}', '{a:1}', '{"a":"\t"}', '{"a":1,"a":2}'];
    for (const line of [...odd, '{"a\\n":1}', '{"a":"\\x"}', `${'{"a":'.repeat(99)}1`]) {
      expect([line, kindOf(line)]).toEqual([line, 'odd']);
    }
    for (const line of ['', 'plain', '[1]', '"x"', 'a=b c', 'a="b', 'a=b a=c']) {
      expect([line, kindOf(line)]).toEqual([line, 'text']);
    }
  });

  it('agrees with JSON.parse about what is valid', () => {
    const parts = [
      '{',
      '}',
      '"a"',
      ':',
      ',',
      '1',
      '-',
      '.5',
      'e2',
      'null',
      '[',
      ']',
      ' ',
      '\\u0041',
    ];
    let state = 7;
    for (let i = 0; i < 30_000; i++) {
      let line = '{';
      for (let n = 0; n < 7; n++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        line += parts[(state >>> 16) % parts.length];
      }
      let isValid = true;
      try {
        JSON.parse(line);
      } catch {
        isValid = false;
      }
      const kind = kindOf(line);
      if (kind === 'json' || kind === 'nested') expect([line, isValid]).toEqual([line, true]);
      else if (isValid) expect([line, line.split('"a"').length > 2]).toEqual([line, true]);
    }
  });

  it('knows logfmt that has nothing to argue about', () => {
    expect(kindOf('level=info msg="all is well" n=1')).toBe('logfmt');
    expect(kindOf('a= b=""')).toBe('logfmt');
    expect(kindOf('msg="a=b"')).toBe('text');
    expect(kindOf('a=b  c=d')).toBe('text');
  });
});

describe('fields with columns of their own', () => {
  it('are read as LogQL shows them', () => {
    expect(hotOf('{"level":"in\\u0066o","status":200,"method":null,"path":{"a":1}}')).toEqual({
      level: 'info',
      status: '200',
    });
    expect(hotOf('level=warn status=5e2 path="/a b"')).toEqual({
      level: 'warn',
      status: '5e2',
      path: '/a b',
    });
    expect(hotOf('{"a":{"level":"x"}}')).toEqual({});
    expect(hotOf('{"level":"x"')).toEqual({});
  });
});

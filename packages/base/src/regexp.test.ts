import { describe, expect, it } from 'vitest';
import { compileAnchored, TytoError } from '@tyto/base';

describe('compileAnchored', () => {
  it('is anchored, whatever the path that answers', () => {
    const cases: [pattern: string, yes: string[], no: string[]][] = [
      ['node', ['node'], ['nodes', 'a node', '']],
      ['a|bc|', ['a', 'bc', ''], ['b', 'abc']],
      ['(5..|4..)', ['500', '404'], ['5000', '50']],
      ['ap.*', ['ap', 'api', 'ap\ni'], ['xap']],
      ['ap.+', ['api'], ['ap']],
      ['.*err.*', ['err', 'an error'], ['er']],
      ['ab?c', ['ac', 'abc'], ['abbc']],
      ['a|b.*', ['a', 'bcd'], ['ab']],
      ['(?i)GET', ['get', 'GET'], ['gett']],
      ['😀+', ['😀😀'], ['']],
      ['', [''], ['x']],
      ['a|b$', ['a', 'b'], ['ax']],
    ];
    for (const [pattern, yes, no] of cases) {
      const regexp = compileAnchored(pattern);
      for (const value of yes) expect(regexp.matches(value), `${pattern} ~ ${value}`).toBe(true);
      for (const value of no) expect(regexp.matches(value), `${pattern} !~ ${value}`).toBe(false);
    }
  });

  it('refuses parentheses that close what is around a pattern', () => {
    for (const pattern of ['a)(b', ')(', 'a)', '(a', '[(])(\\))(', '\\()(', '(?:a))(?:(b)']) {
      expect(() => compileAnchored(pattern), pattern).toThrow('error parsing regexp');
    }
    for (const pattern of ['[)]x', '\\)\\(x', '(a)(b)x', '[(]x']) compileAnchored(pattern);
  });

  it('tells literals and prefixes to the index', () => {
    expect(compileAnchored('a|b').literals).toEqual(['a', 'b']);
    expect(compileAnchored('node.+').prefix).toBe('node');
    expect(compileAnchored('nodes?x').prefix).toBe('node');
  });

  it('captures groups by number and name', () => {
    const regexp = compileAnchored('([^:]+)(?::\\d+)?;(?P<port>\\d+)');
    expect(regexp.capture('host:80;9100')).toEqual(['host:80;9100', 'host', '9100']);
    expect(regexp.groupIndex('port')).toBe(2);
    expect(regexp.capture('host')).toBeUndefined();
  });

  it('refuses a bad pattern with the reason', () => {
    for (const pattern of ['(', 'a)(b', '*', '[a', '(?<=x)y', 'a{1001}']) {
      expect(() => compileAnchored(pattern), pattern).toThrow(TytoError);
    }
  });

  it('stays linear on a pattern that explodes elsewhere', () => {
    // A backtracking engine would take longer than the universe is old; the test would time out.
    expect(compileAnchored('(a+)+b').matches('a'.repeat(5000))).toBe(false);
  });
});

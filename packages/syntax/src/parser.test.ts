import { formatExpr, ParseError, parseExpr, parseSelector, prettyExpr } from '@tyto/syntax';
import { describe, expect, it } from 'vitest';

function problemOf(query: string): ParseError | undefined {
  try {
    parseExpr(query);
    return undefined;
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}

function printed(query: string): string {
  return formatExpr(parseExpr(query));
}

describe('the grammar', () => {
  it('binds a sign like a product, so that a power comes first', () => {
    expect(parseExpr('-1 ^ 2')).toMatchObject({ kind: 'unary', operand: { operator: '^' } });
    expect(parseExpr('-a * b')).toMatchObject({ kind: 'binary', left: { kind: 'unary' } });
  });

  it('groups powers from the right and everything else from the left', () => {
    expect(parseExpr('2 ^ 3 ^ 4')).toMatchObject({ right: { operator: '^' } });
    expect(parseExpr('2 - 3 - 4')).toMatchObject({ left: { operator: '-' } });
    expect(parseExpr('a or b and c')).toMatchObject({ operator: 'or', right: { operator: 'and' } });
  });

  it('takes keywords as metric names and labels', () => {
    expect(parseExpr('sum')).toMatchObject({ kind: 'vector', name: 'sum' });
    expect(parseExpr('rate(offset[5m])')).toMatchObject({ kind: 'call' });
    expect(parseExpr('sum by (on, bool) (start)')).toMatchObject({ grouping: ['on', 'bool'] });
  });

  it('reads numbers in all notations', () => {
    const values = ['0x1F', '1_000', '1e3', '.5', '5m', '0755', 'Inf', '1m30s'].map((text) => {
      const expr = parseExpr(text);
      return expr.kind === 'number' ? expr.value : undefined;
    });
    expect(values).toEqual([31, 1000, 1000, 0.5, 300, 493, Infinity, 90]);
  });

  it('reads quoted names of metrics and labels', () => {
    const expr = parseExpr('{"my.metric", "a b"="x", c=~"y.*"}');
    expect(expr).toMatchObject({ kind: 'vector', name: 'my.metric' });
    expect(formatExpr(expr)).toBe('{"my.metric","a b"="x",c=~"y.*"}');
  });

  it('reads the three kinds of strings, and comments', () => {
    expect(parseExpr('"a\\n\\u00e9" # a comment')).toMatchObject({ value: 'a\né' });
    expect(parseExpr("'it\\'s'")).toMatchObject({ value: "it's" });
    expect(parseExpr('`a\\n`')).toMatchObject({ value: 'a\\n' });
  });

  it('applies modifiers in any order to selectors, ranges and subqueries', () => {
    expect(printed('a offset 5m @ 10')).toBe('a @ 10.000 offset 5m');
    expect(printed('a[5m] @ end() offset -1h')).toBe('a[5m] @ end() offset -1h');
    expect(printed('rate(a[5m])[1h:] @ start()')).toBe('rate(a[5m])[1h:] @ start()');
  });

  it('says where the problem is', () => {
    expect(() => parseExpr('sum(\n  foo{a=b})')).toThrow(
      '2:9: parse error: unexpected identifier "b" in label matching, expected string',
    );
    expect(problemOf('foo +\n rate(x)')?.place).toEqual({ line: 2, column: 7 });
  });

  it('refuses a nesting that would exhaust the stack', () => {
    expect(() => parseExpr(`${'('.repeat(5000)}1${')'.repeat(5000)}`)).toThrow(/too deeply/);
    const chain = (count: number) => `a${' + a'.repeat(count)}`;
    expect(() => parseExpr(chain(5000))).toThrow(/more than 1500 operators/);
    expect(formatExpr(parseExpr(chain(1500)))).toBe(chain(1500));
  });
});

describe('the type check', () => {
  const refused: [query: string, reason: string][] = [
    ['rate(foo)', 'expected type range vector in call to function "rate", got instant vector'],
    ['clamp(foo, 1)', 'expected 3 argument(s) in call to "clamp", got 2'],
    ['round()', 'expected at least 1 argument(s) in call to "round", got 0'],
    ['round(a, 1, 2)', 'expected at most 2 argument(s) in call to "round", got 3'],
    ['1 > 2', 'comparisons between scalars must use BOOL modifier'],
    ['a + bool b', 'bool modifier can only be used on comparison operators'],
    ['a == on(x) group_left(x) b', 'label "x" must not occur in ON and GROUP clause at once'],
    ['a[5m] + 1', 'binary expression must contain only scalar and instant vector types'],
    ['time()[5m:]', 'subquery is only allowed on instant vector, got scalar instead'],
  ];
  for (const [query, reason] of refused) {
    it(`refuses ${query}`, () => expect(problemOf(query)?.reason).toBe(reason));
  }

  const experiments = [
    ['functions', 'mad_over_time(a[5m])', 'function "mad_over_time" is not enabled'],
    [
      'functions',
      'limitk(1, a)',
      'limitk() is experimental and must be enabled with ' +
        '--enable-feature=promql-experimental-functions',
    ],
    ['extendedSelectors', 'rate(a[5m] anchored)', 'anchored modifier is experimental and not'],
    ['extendedSelectors', 'a smoothed', 'smoothed modifier is experimental and not enabled'],
    ['fillModifiers', 'a + fill(0) b', 'binop fill modifiers are experimental and not enabled'],
  ] as const;
  for (const [feature, query, reason] of experiments) {
    it(`refuses ${query} unless ${feature} are enabled`, () => {
      const all = { functions: true, extendedSelectors: true, fillModifiers: true };
      expect(() => parseExpr(query, { experimental: false })).toThrow(reason);
      expect(() => parseExpr(query, { experimental: { ...all, [feature]: false } })).toThrow(
        reason,
      );
      const only = { functions: false, extendedSelectors: false, fillModifiers: false };
      expect(parseExpr(query, { experimental: { ...only, [feature]: true } })).toBeDefined();
      expect(parseExpr(query)).toBeDefined();
    });
  }
});

describe('prettyExpr', () => {
  it('leaves what fits on one line and splits what does not', () => {
    expect(prettyExpr(parseExpr('sum(a)+1'))).toBe('sum(a) + 1');
    expect(prettyExpr(parseExpr('sum by (x) (foo) + foo_3'), 10)).toBe(
      '  sum by (x) (\n    foo\n  )\n+\n  foo_3',
    );
  });

  it('never changes what is meant', () => {
    const text = '-(aaaaaaaa + bbbbbbbb) * (cccccccc[5m:] offset 1m > bool 5) ^ topk(3, dddddddd)';
    const query = text.replace('cccccccc[5m:] offset 1m', 'rate(cccccccc[5m:] offset 1m)');
    const expr = parseExpr(query);
    expect(formatExpr(parseExpr(prettyExpr(expr, 10)))).toBe(formatExpr(expr));
  });
});

describe('parseSelector', () => {
  it('yields the matchers of a selector', () => {
    const matchers = parseSelector('up{job!="x"}');
    expect(matchers.map(({ type, name, value }) => `${name}${type}${value}`)).toEqual([
      '__name__=up',
      'job!=x',
    ]);
  });

  it('refuses anything else', () => {
    expect(() => parseSelector('up offset 5m')).toThrow('expected a series selector');
    expect(() => parseSelector('sum(up)')).toThrow('expected a series selector');
  });
});

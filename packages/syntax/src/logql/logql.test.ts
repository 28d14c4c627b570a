import { describe, expect, it } from 'vitest';
import { formatLogql, parseLogql, parseLogSelector, prettyLogql } from '@tyto/syntax';

/** What is typed, and how it is printed where that differs. */
const QUERIES: readonly (readonly [text: string, printed?: string])[] = [
  ['{foo="bar"}'],
  ['{ foo = "bar" , ip!="foo", }', '{foo="bar", ip!="foo"}'],
  ['{foo=~`bar\\w+`}', '{foo=~"bar\\\\w+"}'],
  ['({foo="bar"} |= "x")', '{foo="bar"} |= "x"'],
  ['{a="b"} # a comment\n |= `x` # another', '{a="b"} |= "x"'],
  ['{foo="bar"}|="a"!="b"|~"c.*"!~"d"', '{foo="bar"} |= "a" != "b" |~ "c.*" !~ "d"'],
  ['{foo="bar"} |> "<_> level=debug <_>" !> "<_>x"'],
  ['{foo="bar"} |= "a" or "b" or ip("10.0.0.0/8") != "c"'],
  ['{foo="bar"} |= ip("192.168.4.5-192.168.4.20")'],
  ['{foo="bar"} | json'],
  ['{foo="bar"} | json a="b.c[0]", d', '{foo="bar"} | json a="b.c[0]", d="d"'],
  ['{foo="bar"} | json ua="request.headers[\\"User-Agent\\"]"'],
  [
    '{foo="bar"} | logfmt --strict --keep-empty a="b", c',
    '{foo="bar"} | logfmt --strict --keep-empty a="b", c="c"',
  ],
  ['{foo="bar"} | regexp "(?P<method>\\\\w+) (?P<path>\\\\S+)"'],
  [
    '{foo="bar"} | pattern `<ip> - - <_> "<method>"`',
    '{foo="bar"} | pattern "<ip> - - <_> \\"<method>\\""',
  ],
  ['{foo="bar"} | unpack | decolorize'],
  ['{foo="bar"} | a="b" or c=~"d" , e!="f"', '{foo="bar"} | (a="b" or c=~"d") and e!="f"'],
  ['{foo="bar"} | a=1 and b==2 and c!=-3.5', '{foo="bar"} | a==1 and b==2 and c!=-3.5'],
  ['{foo="bar"} | a>=250ms | b<1.5h | c==1d', '{foo="bar"} | a>=250ms | b<1h30m | c==1d'],
  ['{foo="bar"} | size>20KB | size<=2.5KiB', '{foo="bar"} | size>20000B | size<=2560B'],
  ['{foo="bar"} | addr=ip("1.2.3.4") | addr!=ip("::1")'],
  ['{foo="bar"} | (a="1" or b="2") and c="3"'],
  ['{foo="bar"} | a<5 or b>2 and c>=2.5KiB', '{foo="bar"} | a<5 or (b>2 and c>=2560B)'],
  ['{foo="bar"} | a="1" b="2"', '{foo="bar"} | a="1" and b="2"'],
  [
    '{foo="bar"} | rate="a" | json="b" | ip="c" | sum > 3',
    '{foo="bar"} | rate="a" | json="b" | ip="c" | sum>3',
  ],
  ['{foo="bar"} | line_format "{{.a}}\\n" | label_format a=b, c="{{.d}}"'],
  ['{foo="bar"} | drop __error__, level=~"d.*" | keep a, b="c"'],
  ['rate({foo="bar"}[5m])', 'rate({foo="bar"} [5m])'],
  ['count_over_time({foo="bar"}[1d] |= "x")', 'count_over_time({foo="bar"} |= "x" [1d])'],
  [
    'count_over_time(({foo="bar"} |= "x")[5m] offset 1h)',
    'count_over_time({foo="bar"} |= "x" [5m] offset 1h)',
  ],
  ['rate({foo="bar"}[5m] offset -1w)', 'rate({foo="bar"} [5m] offset -1w)'],
  ['sum_over_time({a="b"} | json | unwrap bytes(size) | __error__="" [1m])'],
  [
    'max_over_time({a="b"}|unwrap duration[1m]) by (x)',
    'max_over_time({a="b"} | unwrap duration [1m]) by (x)',
  ],
  ['quantile_over_time(0.99, {a="b"} | unwrap duration_seconds(t) [1m]) without (x, y)'],
  ['first_over_time({a="b"} | unwrap v [500us])', 'first_over_time({a="b"} | unwrap v [500000ns])'],
  ['sum(rate({a="b"}[1m])) by (x,y)', 'sum by (x, y) (rate({a="b"} [1m]))'],
  ['avg without() (rate({a="b"}[1m]))', 'avg without () (rate({a="b"} [1m]))'],
  ['topk(5, rate({a="b"}[1m])) by (x)', 'topk by (x) (5, rate({a="b"} [1m]))'],
  ['approx_topk(3, rate({a="b"}[1m]))', 'approx_topk(3, rate({a="b"} [1m]))'],
  ['sort_desc(rate({a="b"}[1m]))', 'sort_desc(rate({a="b"} [1m]))'],
  ['label_replace(vector(1), "a", "$1", "b", "(.*)")'],
  ['1 + -2 * 3 ^ 4 ^ 5', '1 + -2 * 3 ^ 4 ^ 5'],
  ['(1 + 2) * 3'],
  ['vector(1) > bool on (a, b) group_left (c) vector(2)'],
  [
    'vector(1) and ignoring(a) vector(2) or vector(3) unless vector(4)',
    'vector(1) and ignoring (a) vector(2) or vector(3) unless vector(4)',
  ],
  [
    'sum(rate({a="b"}[1m])) / sum(rate({c="d"}[1m])) * 100 >= 1e3',
    'sum(rate({a="b"} [1m])) / sum(rate({c="d"} [1m])) * 100 >= 1000',
  ],
];

const PROBLEMS: readonly (readonly [text: string, message: string])[] = [
  ['', 'parse error at line 1, col 1: syntax error: unexpected $end'],
  ['{foo="bar"', 'parse error at line 1, col 11: syntax error: unexpected $end, expecting } or ,'],
  ['{foo="bar}', 'parse error at line 1, col 6: literal not terminated'],
  [
    '{foo=bar}',
    'parse error at line 1, col 6: syntax error: unexpected IDENTIFIER, expecting STRING',
  ],
  [
    '{foo="bar"} |= 5',
    'parse error at line 1, col 16: syntax error: unexpected NUMBER, expecting STRING',
  ],
  ['{}', 'parse error : queries require at least one regexp or equality matcher'],
  ['{foo=~".*"}', 'app=~".+" will'],
  ['{foo!="bar"}', 'parse error : queries require at least one regexp or equality matcher'],
  ['{foo=~"("}', 'error parsing regexp: missing closing )'],
  ['unk({foo="bar"}[5m])', 'parse error at line 1, col 1: syntax error: unexpected IDENTIFIER'],
  ['rate({foo="bar"})', 'parse error at line 1, col 17: syntax error: unexpected )'],
  ['rate({foo="bar"}[5minutes])', 'not a valid duration string: "5minutes"'],
  ['rate({foo="bar"}[5)', "missing closing ']' in duration"],
  ['rate({foo="bar"}[0s])', 'duration must be greater than 0'],
  ['min({foo="bar"}[5m])', 'syntax error: unexpected {'],
  ['rate({foo="bar"}[5m]) by (x)', 'parse error : grouping not allowed for rate aggregation'],
  ['absent_over_time({foo="bar"}[5h]) by (foo)', 'grouping not allowed for absent_over_time'],
  [
    'sum_over_time({foo="bar"}[5m])',
    'parse error : invalid aggregation sum_over_time without unwrap',
  ],
  [
    'count_over_time({foo="bar"} | unwrap x [5m])',
    'invalid aggregation count_over_time with unwrap',
  ],
  ['{foo="bar"} | unwrap x', 'syntax error: unexpected |'],
  [
    'quantile_over_time({a="b"} | unwrap x [5m])',
    'parameter required for operation quantile_over_time',
  ],
  [
    'max_over_time(1, {a="b"} | unwrap x [5m])',
    'parameter 1 not supported for operation max_over_time',
  ],
  ['sum(3, rate({a="b"}[5m]))', 'parse error : unsupported parameter for operation sum(3,'],
  ['topk(rate({a="b"}[5m]))', 'parse error : parameter required for operation topk'],
  ['bottomk(1.2, rate({a="b"}[5m]))', 'parse error : invalid parameter bottomk(1.2,'],
  ['topk(0, rate({a="b"}[5m]))', 'invalid parameter (must be greater than 0) topk(0'],
  [
    'bottomk(he, rate({a="b"}[5m]))',
    'parse error at line 1, col 9: syntax error: unexpected IDENTIFIER',
  ],
  [
    '1 or vector(1)',
    'unexpected literal for left leg of logical/set binary operation (or): 1.000000',
  ],
  [
    '{a="b"} | addr>=ip("1.2.3.4")',
    'syntax error: unexpected IDENTIFIER, expecting BYTES or NUMBER or DURATION',
  ],
  [
    '{a="b"} | regexp "\\\\w+"',
    'invalid regexp parser: at least one named capture must be supplied',
  ],
  ['{a="b"} | regexp "(?P<a.b>.)"', 'invalid regexp parser: '],
  ['{a="b"} | pattern "x <_>"', 'invalid pattern parser: at least one capture is required'],
  ['{a="b"} | pattern "<a><b>"', "found consecutive capture '<a><b>'"],
  ['{a="b"} | pattern "<a> <a>"', 'duplicate capture name (a)'],
  ['{a="b"} |> "<a> x"', 'named captures are not allowed'],
  ['{a="b"} | json x="a..b"', 'cannot parse expression [a..b]'],
  ['{a="b"} | label_format x=a, x=b', "multiple label name 'x' not allowed in a single format"],
  ['{a="b"} | label_format __error__=a', '__error__ cannot be formatted'],
  ['label_replace(rate({a="b"}[5m]), "")', 'syntax error: unexpected ), expecting ,'],
  ['label_replace(vector(1), "a", "", "b", "(")', 'invalid regex in label_replace: '],
  ['{a="b"} | b > 5xyz', 'not a number, duration or size: "5xyz"'],
  ['{a="b"} ~ "c"', 'syntax error: unexpected "~"'],
];

describe('LogQL', () => {
  for (const [text, printed = text] of QUERIES) {
    it(`reads ${text}`, () => {
      expect(formatLogql(parseLogql(text))).toBe(printed);
      expect(formatLogql(parseLogql(printed))).toBe(printed);
      expect(formatLogql(parseLogql(prettyLogql(parseLogql(text))))).toBe(printed);
    });
  }

  for (const [text, message] of PROBLEMS) {
    it(`refuses ${text}`, () => {
      expect(() => parseLogql(text)).toThrow(message);
    });
  }

  it('takes a selector alone where one is asked for', () => {
    expect(parseLogSelector('{a="b", c=~"d"}')).toHaveLength(2);
    expect(() => parseLogSelector('{a="b"} |= "x"')).toThrow('only label matchers are supported');
    expect(() => parseLogSelector('vector(1)')).toThrow('only log selector is supported');
  });

  it('breaks what is longer than a line', () => {
    const text =
      'sum by (level) (count_over_time({service="a-long-name", cluster="another-long-name"} ' +
      '|= "some text" | json | status>=500 [5m]))';
    expect(prettyLogql(parseLogql(text))).toBe(`sum by (level) (
  count_over_time(
    {service="a-long-name", cluster="another-long-name"}
      |= "some text"
      | json
      | status>=500
    [5m]
  )
)`);
  });
});

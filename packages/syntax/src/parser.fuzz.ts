/**
 * Any text is parsed or refused with a place, in time that its length tells: random characters and
 * tokens, real queries with changes, and what is nested or repeated as often as it fits.
 */
import { TytoError } from '@tyto/base';
import { formatExpr, ParseError, parseExpr, parseSelector, prettyExpr } from '@tyto/syntax';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const RUNS = Number(process.env.TYTO_FUZZ_RUNS ?? 1500);
/** Far more than any of these takes, far less than what is quadratic or worse would. */
const MS_MAX = 3000;

const QUERIES = [
  'sum by (job, instance) (rate(http_requests_total{job=~"api|web", code!~"5.."}[5m])) > 0.5',
  'histogram_quantile(0.99, sum without (pod) (rate(request_seconds_bucket[5m] offset 1h)))',
  'max_over_time(deriv(rate(distance_total[5s])[30s:5s])[10m:] @ end())',
  'a * on (x, "y.z") group_left (b) c unless ignoring (d) e and f or g',
  'topk(5, -foo @ 1609746000.5 offset -5m) == bool 1e3 ^ -2 % 0x1F + Inf',
  '{"my.metric", "a label"="b\\n\\u00e9", c=`raw \\d`, __name__!=""}',
  'label_replace(up, "x", "$1-${name}", "y", "(?P<name>.*)")',
  'count_values("v", quantile(0.5, a) without (b)) atan2 1h30m',
  "absent_over_time({a='b',}[step() + 5m * 2]) # a comment\n",
  'increase(x[5m] anchored) / delta(y[5m] smoothed) + fill_left(3) z',
  'limit_ratio(-0.5, a) + info(b, {c=~".+"}) or vector(NaN) >bool scalar(d)',
];
const TOKENS = [
  ...'(){}[],@:+-*/%^=!<>"\'`#\\ \n.$~&|;',
  ...['==', '!=', '=~', '!~', '<=', '>=', '</', '>/', 'by', 'without', 'on', 'ignoring', 'bool'],
  ...['group_left', 'group_right', 'offset', 'anchored', 'smoothed', 'fill', 'start', 'end'],
  ...['sum', 'topk', 'rate', 'info', 'label_join', 'absent', 'and', 'or', 'unless', 'atan2'],
  ...['up', 'a:b', '"s"', "'\\x41'", '1', '1e9', '0x', '.5', '5m', '1h30m', 'Inf', 'nan', 'step'],
  ...['\0', '\ud800', '\udfff', '\u{1f600}', 'é', '\u2028', '[5m]', '[5m:]', '{a="b"}', '()'],
];

const mutated = fc
  .tuple(
    fc.constantFrom(...QUERIES),
    fc.array(fc.tuple(fc.nat(), fc.nat(12), fc.constantFrom(...TOKENS)), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([query, changes]) => {
    let text = query;
    for (const [place, removed, added] of changes) {
      const at = place % (text.length + 1);
      text = text.slice(0, at) + added + text.slice(at + removed);
    }
    return text;
  });

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.array(fc.constantFrom(...TOKENS), { maxLength: 30 }).map((tokens) => tokens.join('')),
  fc.array(fc.constantFrom(...TOKENS), { maxLength: 30 }).map((tokens) => tokens.join(' ')),
  mutated,
);

/** The problem that a text is refused with, which has a place in it; undefined for a query. */
function problemOf(text: string, parse: (text: string) => unknown): string | undefined {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof TytoError) || !(error instanceof ParseError)) throw error;
    expect(error.message).toMatch(/^\d+:\d+: parse error: ./);
    expect(error.span.start).toBeGreaterThanOrEqual(0);
    expect(error.span.start).toBeLessThanOrEqual(text.length);
    return error.message;
  }
}

describe('any text', () => {
  it('is a query or is refused with a place', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        problemOf(text, parseSelector);
        if (problemOf(text, parseExpr) !== undefined) return;
        const printed = formatExpr(parseExpr(text));
        // What is printed is a query that prints as itself, on one line or on several.
        expect(formatExpr(parseExpr(printed))).toBe(printed);
        expect(formatExpr(parseExpr(prettyExpr(parseExpr(text))))).toBe(printed);
      }),
      { numRuns: RUNS },
    );
  });

  it('as long as it may be ends in time', () => {
    const length = 60_000;
    const repeated = [...TOKENS, 'a=~"b.",', 'up or ', 'label_join(', 'sum by (a', '"a",', '- '];
    for (const token of repeated) {
      const count = Math.floor(length / token.length);
      for (const [before, after] of [
        ['', ''],
        ['up', ''],
        ['{', '}'],
        ['up[', ']'],
        ['sum by (', ') (up)'],
        ['"', '"'],
        ['label_join(up, "a", ', '"b")'],
      ]) {
        const startMs = performance.now();
        problemOf(before + token.repeat(count) + after, parseExpr);
        expect(performance.now() - startMs, before + token).toBeLessThan(MS_MAX);
      }
    }
  }, 60_000);

  it('may be nested however deeply', () => {
    const nests: [before: string, after: string][] = [
      ['(', ')'],
      ['abs(', ')'],
      ['-', ''],
      ['- -', ''],
      ['1 ^ ', ''],
      ['up + ', ''],
      ['sum(', ')'],
      ['topk(1, ', ')'],
      ['absent(', ')'],
      ['', '[1m:1m]'],
      ['max_over_time(', '[1m:1m])'],
      ['', ' offset 1m'],
      ['', ' @ 1'],
      ['', ' @ end()'],
      ['up[', ']'],
      ['up[(', ')]'],
      ['up[-', ']'],
      ['up[1m + ', ']'],
      ['up[max_of(1m, ', ')]'],
      ['up offset (', ')'],
      ['up offset -', ''],
      ['1 + (up offset (', '))'],
    ];
    for (const [before, after] of nests) {
      for (const depth of [150, 5000, 40_000]) {
        const startMs = performance.now();
        const text = `${before.repeat(depth)}up${after.repeat(depth)}`;
        if (problemOf(text, parseExpr) === undefined) prettyExpr(parseExpr(text));
        expect(performance.now() - startMs, `${before} ${depth} ${after}`).toBeLessThan(MS_MAX);
      }
    }
    const inBrackets = (open: string, close: string) =>
      `up[${open.repeat(40_000)}5m${close.repeat(40_000)}]`;
    for (const [open, close] of [
      ['(', ')'],
      ['-', ''],
      ['1m + ', ''],
      ['1m ^ ', ''],
      ['max_of(1m, ', ')'],
    ]) {
      problemOf(inBrackets(open, close), parseExpr);
    }
  });

  it('longer than a query may be is refused', () => {
    expect(problemOf(`up${' '.repeat(2_000_000)}`, parseExpr)).toContain('the query is longer');
    const patterns = Array.from({ length: 40 }, (_, i) => `l${i}=~"(a|b)*${'.'.repeat(5000)}"`);
    expect(problemOf(`{${patterns.join()}}`, parseExpr)).toContain('regular expressions');
  });
});

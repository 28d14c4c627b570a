/** Any text is a query that prints as itself, or is refused with a place, and in time. */
import { TytoError } from '@tyto/base';
import { formatLogql, ParseError, parseLogql, prettyLogql } from '@tyto/syntax';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const RUNS = Number(process.env.TYTO_FUZZ_RUNS ?? 1500);
/** Generous: a crowded machine is slow, and what is quadratic or worse would be far slower. */
const MS_MAX = 3000;

const QUERIES = [
  '{app="foo", level=~"a|b"} |= "x" or ip("10.0.0.0/8") != `y` |~ "z+" !> "<_>q"',
  '{a="b"} | json x="y[0].z", w | logfmt --strict k="v" | pattern "<p> <_>" | unpack',
  '{a="b"} | regexp "(?P<m>.)" | a>1 or (b<=2ms and c!="d"), e=ip("::1") | decolorize',
  '{a="b"} | line_format "{{.x}}" | label_format a=b, c="{{.d}}" | drop e, f="g" | keep h=~"i"',
  'sum by (a) (rate({x="y"} | json | unwrap bytes(z) | __error__="" [5m] offset 1h)) > bool 5',
  'topk(5, a) + on (b, c) group_left (d) quantile_over_time(0.9, {a="b"} | unwrap c [1m]) by (e)',
  'label_replace(vector(1), "a", "$1", "b", "(.*)") or vector(-1e3) and sort_desc(vector(0x1F))',
];
const TOKENS = [
  ...'(){}[],@:+-*/%^=!<>"\'`#\\ \n.$~&|;',
  ...['|=', '!=', '=~', '!~', '|~', '|>', '!>', '==', '>=', '<=', 'by', 'without', 'on', 'bool'],
  ...['json', 'logfmt', 'unwrap', 'ip("1.1.1.1")', 'drop', 'keep', 'pattern "<a>"', '--strict'],
  ...['sum', 'topk', 'rate', 'vector(1)', 'label_replace', 'and', 'or', 'unless', 'offset'],
  ...[
    '{a="b"}',
    '"s"',
    '1',
    '1e9',
    '0x',
    '.5',
    '5m',
    '1h30m',
    '5KB',
    '[5m]',
    '[',
    'é',
    '\u{1f600}',
  ],
  ...['\0', '\ud800', '\u2028', '| a="b"', '| a>1', '|= "x"', '()'],
];

const mutated = fc
  .tuple(
    fc.constantFrom(...QUERIES),
    fc.array(fc.tuple(fc.nat(), fc.nat(12), fc.constantFrom(...TOKENS)), { maxLength: 4 }),
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
  fc.array(fc.constantFrom(...TOKENS), { maxLength: 30 }).map((tokens) => tokens.join(' ')),
  mutated,
);

function problemOf(text: string): string | undefined {
  try {
    parseLogql(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof TytoError) || !(error instanceof ParseError)) throw error;
    expect(error.message).toMatch(/^parse error( at line \d+, col \d+:| :) ./);
    return error.message;
  }
}

describe('any text', () => {
  it('is a LogQL query or is refused with a place', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (problemOf(text) !== undefined) return;
        const printed = formatLogql(parseLogql(text));
        expect(formatLogql(parseLogql(printed))).toBe(printed);
        expect(formatLogql(parseLogql(prettyLogql(parseLogql(text))))).toBe(printed);
      }),
      { numRuns: RUNS },
    );
  });

  it('as long as it may be ends in time', () => {
    const length = 40_000;
    for (const token of [
      ...TOKENS,
      'a=~"b.",',
      'vector(1) or ',
      '| a="b" or ',
      '"a" or ',
      'a=b,',
    ]) {
      const count = Math.floor(length / token.length);
      for (const before of [
        '',
        '{a="b"}',
        '{',
        'rate({a="b"}',
        '{a="b"} | label_format ',
        '{a="b"} |= ',
      ]) {
        const startMs = performance.now();
        problemOf(before + token.repeat(count));
        expect(performance.now() - startMs, before + token).toBeLessThan(MS_MAX);
      }
    }
  }, 120_000);

  it('may be nested however deeply', () => {
    for (const [before, inside, after] of [
      ['(', 'vector(1)', ')'],
      ['(', '{a="b"}', ')'],
      ['sum(', 'vector(1)', ')'],
      ['1 ^ ', '1', ''],
      ['1 + ', '1', ''],
      ['label_replace(', 'vector(1)', ', "a", "b", "c", "d")'],
      ['{a="b"} | (', 'a="b"', ')'],
    ]) {
      for (const depth of [100, 20_000]) {
        const text = before.repeat(depth) + inside + after.repeat(depth);
        if (problemOf(text) === undefined) prettyLogql(parseLogql(text));
      }
    }
    problemOf(`rate(${'('.repeat(40_000)}{a="b"}${')'.repeat(40_000)}[5m])`);
    problemOf(`{a="b"} | ${'('.repeat(40_000)}a="b"`);
  });

  it('longer than a query may be is refused', () => {
    expect(problemOf(`{a="b"}${' '.repeat(200_000)}`)).toContain('input size too long');
  });
});

/** The slow, obvious twin of LineMatcher.match, on strings. For tests. */

export interface SlowRun {
  readonly entries: number[];
  readonly values: number[];
  readonly end: number;
  readonly next: number;
}

/** Same contract, but for the length of a run; `series` and `next` are by entry. */
export function matchLinesSlowly(
  body: string,
  position: number,
  expected: number,
  series: readonly string[],
  next: readonly number[],
): SlowRun {
  const run = { entries: [] as number[], values: [] as number[], end: position, next: expected };
  while (run.next >= 0) {
    const lineEnd = body.indexOf('\n', run.end);
    const line = body.slice(run.end, Math.max(0, lineEnd));
    const name = series[run.next];
    if (lineEnd < 0 || !line.startsWith(`${name} `)) break;
    const value = plainNumber(line.slice(name.length + 1));
    if (value === undefined) break;
    run.entries.push(run.next);
    run.values.push(value);
    run.end = lineEnd + 1;
    run.next = next[run.next];
  }
  return run;
}

/** Numbers that the kernel reads: up to 19 digits, exponents that are not extreme. */
function plainNumber(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN;
  if (text === '+Inf' || text === '-Inf') return text === '+Inf' ? Infinity : -Infinity;
  const parts = /^[+-]?(?:(\d+)\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, whole = '', fraction = '', onlyFraction = '', written = '0'] = parts;
  const mantissa = BigInt(whole + fraction + onlyFraction);
  if (mantissa >= 10n ** 19n) return undefined;
  const exponent = Number(written) - (fraction + onlyFraction).length;
  const isExact = mantissa <= 2n ** 53n && Math.abs(exponent) <= 22;
  if (mantissa > 0n && !isExact && Math.abs(exponent) > 64) return undefined;
  return Number(text);
}

/**
 * Regular expressions with RE2's syntax and linear time, so that a pattern from outside can never
 * hang the process. Plain literals, prefixes and alternations of literals skip the automaton.
 */
import { RE2JS } from 're2js';
import { errorMessage, TytoError } from './errors.ts';

/** A compiled, fully anchored pattern. */
export interface AnchoredRegExp {
  readonly source: string;
  matches(value: string): boolean;
  /** The literal strings that it matches and no others, where it is such a set. */
  readonly literals: readonly string[] | undefined;
  /** A prefix that every match has; may be empty. */
  readonly prefix: string;
  /** The capture groups (whole match first; '' for one that took no part) or undefined. */
  capture(value: string): readonly string[] | undefined;
  /** Index of a named group, or undefined. */
  groupIndex(name: string): number | undefined;
  readonly groupCount: number;
}

const PATTERN_LENGTH_MAX = 64 * 1024;
const META = /[\\^$.|?*+()[\]{}]/;

/** Compiled patterns that are kept, since queries come again; each takes some kilobytes. */
const KEPT_COUNT_MAX = 512;
const KEPT_LENGTH_MAX = 1000;
/** By source, the least recently used first. */
const kept = new Map<string, AnchoredRegExp>();

/**
 * Compiles `source` anchored at both ends; `.` matches newlines, as in Prometheus 3.
 * Throws TytoError `bad_data` with the reason of a pattern that does not parse.
 */
export function compileAnchored(source: string): AnchoredRegExp {
  const known = kept.get(source);
  kept.delete(source);
  const compiled = known ?? compileAnew(source);
  // Counted repetitions make programs that are far larger than their source.
  if (source.length <= KEPT_LENGTH_MAX && !source.includes('{')) kept.set(source, compiled);
  const [oldest] = kept.keys();
  if (kept.size > KEPT_COUNT_MAX) kept.delete(oldest);
  return compiled;
}

function compileAnew(source: string): AnchoredRegExp {
  if (source.length > PATTERN_LENGTH_MAX) {
    throw new TytoError('bad_data', `regular expression is longer than ${PATTERN_LENGTH_MAX}`);
  }
  const literals = literalAlternatives(source);
  const prefix = literals?.length === 1 ? literals[0] : literalPrefix(source);
  // Lists of names are long, always right, and need a program for their groups only.
  let compiled = literals === undefined ? compileRe2(`^(?s:${source})$`, source) : undefined;
  const program = () => {
    compiled ??= compileRe2(`^(?s:${source})$`, source);
    return compiled;
  };
  return {
    source,
    literals,
    prefix,
    matches: matchFunction(source, literals, prefix, program),
    get groupCount() {
      return program().groupCount();
    },
    groupIndex: (name) => program().namedGroups()[name],
    capture(value) {
      const matcher = program().matcher(value);
      if (!matcher.matches()) return undefined;
      const captured: string[] = [];
      for (let i = 0; i <= program().groupCount(); i++) captured.push(matcher.group(i) ?? '');
      return captured;
    },
  };
}

/** Compiles an unanchored RE2 pattern, for searching and replacing. Throws TytoError `bad_data`. */
export function compileSearch(source: string): RE2JS {
  return compileRe2(source, source);
}

function compileRe2(pattern: string, shown: string): RE2JS {
  try {
    // A stray parenthesis must not close the group that the anchors stand around.
    if (pattern !== shown && mayEscape(shown)) RE2JS.compile(shown);
    return RE2JS.compile(pattern);
  } catch (error) {
    const reason = errorMessage(error).replace(/^error parsing regexp: /, '');
    throw new TytoError('bad_data', `error parsing regexp: ${reason}`, { cause: error });
  }
}

/** Whether a parenthesis may close one that is not in the pattern: for sure not, or perhaps. */
function mayEscape(source: string): boolean {
  if (source.includes('[') || source.includes('\\Q')) return true;
  let depth = 0;
  for (let i = 0; i < source.length && depth >= 0; i++) {
    const char = source[i];
    if (char === '\\') i++;
    else if (char === '(') depth++;
    else if (char === ')') depth--;
  }
  return depth !== 0;
}

function matchFunction(
  source: string,
  literals: readonly string[] | undefined,
  prefix: string,
  program: () => RE2JS,
): (value: string) => boolean {
  if (literals !== undefined) {
    if (literals.length === 1) return (value) => value === literals[0];
    const set = new Set(literals);
    return (value) => set.has(value);
  }
  if (source === '.*') return () => true;
  if (source === '.+') return (value) => value !== '';
  const rest = source.slice(prefix.length);
  if (rest === '.*') return (value) => value.startsWith(prefix);
  if (rest === '.+') return (value) => value.length > prefix.length && value.startsWith(prefix);
  if (prefix === '') {
    const contained = /^\.\*(.*)\.\*$/s.exec(source)?.[1];
    if (contained !== undefined && contained !== '' && !META.test(contained)) {
      return (value) => value.includes(contained);
    }
  }
  const suffix = source.slice(2);
  if (/^\.[*+]/.test(source) && !META.test(suffix)) {
    const before = source[1] === '+' ? 1 : 0;
    return (value) => value.length >= suffix.length + before && value.endsWith(suffix);
  }
  return (value) => value.startsWith(prefix) && program().testExact(value);
}

/** `a|b|c` (also in one pair of parentheses) as its strings, when nothing in it is special. */
function literalAlternatives(source: string): string[] | undefined {
  const group = /^\((?:\?:)?([^()]*)\)$/.exec(source);
  const parts = (group?.[1] ?? source).split('|');
  return parts.some((part) => META.test(part)) ? undefined : parts;
}

/** The literal characters that every match starts with. */
function literalPrefix(source: string): string {
  const special = META.exec(source);
  if (special === null) return source;
  if (source.includes('|')) return '';
  const quantified = '?*{+'.includes(special[0]);
  let end = special.index - (quantified ? 1 : 0);
  // Never cut a surrogate pair: the quantifier repeats the whole code point.
  if (end > 0 && /[\ud800-\udbff]/.test(source[end - 1])) end--;
  return source.slice(0, Math.max(0, end));
}

/** Line filters: texts, regular expressions, patterns and addresses. */
import { compileSearch } from '@tyto/base';
import { type LineFilter, parseLinePattern, type PatternPart } from '@tyto/syntax';
import { ipMatcher } from './ip.ts';
import type { Stage } from './stage.ts';

type LineTest = (line: string) => boolean;

export function lineFilterStage({ operator, alternatives }: LineFilter): Stage {
  const negated = operator.startsWith('!');
  const tests = alternatives.map(({ value, isIp }): LineTest => {
    if (isIp) return ipMatcher(value);
    if (operator.endsWith('~')) return regexpTest(value);
    if (operator.endsWith('>')) return patternTest(value);
    return (line) => line.includes(value);
  });
  if (tests.length === 1) {
    const [test] = tests;
    return negated ? ({ line }) => !test(line) : ({ line }) => test(line);
  }
  return ({ line }) => tests.some((test) => test(line)) !== negated;
}

const META = /[\\^$.|?*+()[\]{}]/;
const ESCAPED = /[\\^$.*+?()[\]{}|/]/g;

/** Whether a line has a match; what needs no automaton gets none. */
function regexpTest(source: string): LineTest {
  const insensitive = source.startsWith('(?i)');
  const inside = (insensitive ? source.slice(4) : source).replace(/^(?:\.\*)+|(?:\.\*)+$/g, '');
  const group = /^\((?:\?:)?([^()]*)\)$/.exec(inside);
  const literals = (group?.[1] ?? inside).split('|');
  // A dot does not match a line break, but nothing says that something must be around the literal.
  if (!literals.some((literal) => META.test(literal))) return literalsTest(literals, insensitive);
  const program = compileSearch(source);
  const required = requiredLiterals(source);
  if (required.length === 0) return (line) => program.test(line);
  return (line) => {
    for (const literal of required) if (!line.includes(literal)) return false;
    return program.test(line);
  };
}

function literalsTest(literals: readonly string[], insensitive: boolean): LineTest {
  if (insensitive) {
    // A native expression of literals alone needs no backtracking.
    const escaped = literals.map((literal) => literal.replace(ESCAPED, '\\$&'));
    const pattern = new RegExp(escaped.join('|'), 'iu');
    return (line) => pattern.test(line);
  }
  if (literals.length === 1) {
    const [literal] = literals;
    return (line) => line.includes(literal);
  }
  return (line) => {
    for (const literal of literals) if (line.includes(literal)) return true;
    return false;
  };
}

/** Texts that every match has; none where the pattern is more than literals, dots and stars. */
function requiredLiterals(source: string): string[] {
  if (/[\\^$|()[\]{}?]/.test(source)) return [];
  const literals = source.split(/.[*+]|\./su);
  return literals.filter((literal) => literal.length > 1);
}

/** `<_> level=debug <_>`: captures are never empty, and the whole line must fit. */
function patternTest(pattern: string): LineTest {
  const parts = parseLinePattern(pattern) as readonly PatternPart[];
  if (parts.length === 0) return (line) => line === '';
  const endsOpen = 'capture' in parts[parts.length - 1];
  return (line) => {
    let at = 0;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i];
      if (!('literal' in part)) continue;
      const found = line.indexOf(part.literal, at);
      if (found < 0) return false;
      if (i === 0 ? found !== 0 : found === at) return false;
      at = found + part.literal.length;
    }
    return endsOpen ? at !== line.length : at === line.length;
  };
}

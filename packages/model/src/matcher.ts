/** Label matchers: `=`, `!=`, `=~`, `!~`. Patterns are RE2's, anchored at both ends. */
import { type AnchoredRegExp, compileAnchored } from '@tyto/base';
import type { Labels } from './labels.ts';

export type MatchType = '=' | '!=' | '=~' | '!~';

export interface Matcher {
  readonly type: MatchType;
  readonly name: string;
  readonly value: string;
  /** The compiled pattern of `=~` and `!~`. */
  readonly regexp: AnchoredRegExp | undefined;
  /** Whether a label value ('' = absent) satisfies the matcher. */
  matches(value: string): boolean;
}

/** Throws TytoError `bad_data` for a pattern that does not parse. */
export function createMatcher(type: MatchType, name: string, value: string): Matcher {
  const regexp = type === '=~' || type === '!~' ? compileAnchored(value) : undefined;
  return { type, name, value, regexp, matches: matchFunction(type, value, regexp) };
}

/** Whether all matchers accept the labels. */
export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matches(labels.get(matcher.name)));
}

/** `name=~"value"`, as PromQL writes it. */
export function formatMatcher(matcher: Pick<Matcher, 'type' | 'name' | 'value'>): string {
  return `${matcher.name}${matcher.type}${JSON.stringify(matcher.value)}`;
}

function matchFunction(
  type: MatchType,
  value: string,
  regexp: AnchoredRegExp | undefined,
): (candidate: string) => boolean {
  if (regexp !== undefined) {
    return type === '=~' ? regexp.matches : (candidate) => !regexp.matches(candidate);
  }
  return type === '=' ? (candidate) => candidate === value : (candidate) => candidate !== value;
}

/**
 * Matchers as alertmanager.yml and its API write them: `severity="critical"`, `team=~web|db`,
 * `{a="b", c!="d"}`. There are two notations, which Alertmanager has both until the older is gone:
 * what only the classic one reads is read so, with a warning that says what to write instead.
 */
import { errorMessage, TytoError } from '@tyto/base';
import type { Matcher } from '@tyto/model';
import { quoteString } from '@tyto/syntax';
import { parseClassicMatcher, parseClassicMatchers } from './classicMatchers.ts';
import { parseUtf8Matchers } from './utf8Matchers.ts';

/** Alertmanager's modes: both notations, `classic-mode`, `utf8-strict-mode`. */
export type MatcherMode = 'fallback' | 'classic' | 'utf8';

export interface ReadMatchers {
  readonly matchers: Matcher[];
  /** What is to be changed before the classic notation is gone; undefined for nothing. */
  readonly warning: string | undefined;
}

/** One or more matchers, with or without braces. Throws TytoError `bad_data`. */
export function readMatchers(text: string, mode: MatcherMode = 'fallback'): ReadMatchers {
  return readBy(text, mode, parseClassicMatchers, parseUtf8Matchers);
}

/** The same without the warning. */
export function parseMatchers(text: string, mode: MatcherMode = 'fallback'): Matcher[] {
  return readMatchers(text, mode).matchers;
}

/** Exactly one matcher, as filters of the API have it. Throws TytoError `bad_data`. */
export function parseMatcher(text: string, mode: MatcherMode = 'fallback'): Matcher {
  if (mode !== 'classic' && (text.startsWith('{') || text.endsWith('}'))) {
    throw new TytoError('bad_data', `unexpected open or close brace: ${text}`);
  }
  const one = (given: string) => [parseClassicMatcher(given)];
  return readBy(text, mode, one, parseOneUtf8).matchers[0];
}

function parseOneUtf8(text: string): Matcher[] {
  const matchers = parseUtf8Matchers(text);
  if (matchers.length === 1) return matchers;
  const found =
    matchers.length === 0 ? 'no matchers' : `expected 1 matcher, found ${matchers.length}`;
  throw new TytoError('bad_data', found);
}

function readBy(
  text: string,
  mode: MatcherMode,
  classic: (text: string) => Matcher[],
  utf8: (text: string) => Matcher[],
): ReadMatchers {
  if (mode === 'classic') return { matchers: classic(text), warning: undefined };
  if (mode === 'utf8') return { matchers: utf8(text), warning: undefined };
  const old = attempt(classic, text);
  const current = attempt(utf8, text);
  if ('matchers' in current && !('matchers' in old)) {
    return { matchers: current.matchers, warning: undefined };
  }
  if (!('matchers' in old)) {
    // The classic one is Alertmanager's answer; the other says more of what is wrong.
    const says = 'error' in current ? current.error : undefined;
    const cause = says?.message === old.error.message ? undefined : says;
    throw new TytoError('bad_data', old.error.message, { cause });
  }
  const suggestion = old.matchers.map(matcherText).join(',');
  if (!('matchers' in current)) {
    const reason = errorMessage(current.error);
    const warning = `${text} is read in the classic notation (${reason}); write ${suggestion}`;
    return { matchers: old.matchers, warning };
  }
  const isSame = suggestion === current.matchers.map(matcherText).join(',');
  const warning = `${text} means two things in the classic and the UTF-8 notation; this is`;
  return { matchers: old.matchers, warning: isSame ? undefined : `${warning} ${suggestion}` };
}

function attempt(
  parse: (text: string) => Matcher[],
  text: string,
): { matchers: Matcher[] } | { error: TytoError } {
  try {
    return { matchers: parse(text) };
  } catch (error) {
    if (error instanceof TytoError) return { error };
    throw error;
  }
}

/** `name=~"value"`; a name that needs quotes has them. */
export function matcherText({ name, type, value }: Omit<Matcher, 'matches' | 'regexp'>): string {
  const shown = /[\s{}!=~,\\"'`]/u.test(name) ? quoteString(name) : name;
  return `${shown}${type}${quoteString(value)}`;
}

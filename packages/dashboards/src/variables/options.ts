/** The values that may be chosen of a variable: what its query gave, filtered and in order. */
import { compileSearch, errorMessage, TytoError } from '@tyto/base';
import type { Variable } from '../model.ts';

export interface Option {
  readonly text: string;
  readonly value: string;
}

/** Chosen for every value. */
export const ALL = '$__all';
/** More are not listed; who has more writes a value. */
const OPTIONS_MAX = 10_000;

/** The options of a query's answer. Throws TytoError `bad_data` for a regex that does not parse. */
export function optionsOf(
  { regex, sort }: Pick<Variable, 'regex' | 'sort'>,
  found: readonly string[],
): readonly Option[] {
  const kept =
    regex === '' ? found.map((value) => ({ text: value, value })) : matched(regex, found);
  const seen = new Set<string>();
  const unique = kept.filter(({ value }) => !seen.has(value) && seen.add(value).size > 0);
  return sorted(unique, sort).slice(0, OPTIONS_MAX);
}

/** `a, b : 1, c\, d`: the values of a custom variable, with texts of their own where they have. */
export function customOptions(query: string): readonly Option[] {
  return (query.match(/(?:\\,|[^,])+/g) ?? []).flatMap((part) => {
    const text = part.replaceAll('\\,', ',').trim();
    if (text === '') return [];
    const named = /^\s*(.+)\s:\s(.+)$/.exec(text);
    return named === null
      ? [{ text, value: text }]
      : [{ text: named[1].trim(), value: named[2].trim() }];
  });
}

/** `/pattern/flags` or a pattern; the groups `text` and `value`, or the first, or all of it. */
function matched(regex: string, found: readonly string[]): Option[] {
  const slashed = /^\/([\s\S]*)\/([a-z]*)$/.exec(regex);
  const pattern = slashed === null ? `^(?:${regex})$` : slashed[1];
  const flags = (slashed?.[2] ?? '').replace(/[^ims]/g, '');
  const search = searchOf(pattern, flags);
  return found.flatMap((candidate): Option[] => {
    const match = search(candidate);
    if (match === undefined) return [];
    const { text = match.value, value = match.text } = match;
    if (text !== undefined && value !== undefined) return [{ text, value }];
    const first = match.groups[1] ?? match.groups[0];
    return [{ text: first, value: first }];
  });
}

interface Match {
  /** The whole match and its groups. */
  readonly groups: readonly (string | undefined)[] & { readonly 0: string };
  readonly text?: string | undefined;
  readonly value?: string | undefined;
}

/** Longer ones are not held against a pattern that may take for ever. */
const CANDIDATE_LENGTH_MAX = 200;

/**
 * Linear where RE2 knows the pattern. It knows no looking ahead, with which people leave things
 * out: such a pattern is JavaScript's, and sees short texts only.
 */
function searchOf(pattern: string, flags: string): (candidate: string) => Match | undefined {
  if (!/\(\?(?:[=!]|<[=!])/.test(pattern)) {
    const program = compileSearch(flags === '' ? pattern : `(?${flags})${pattern}`);
    const names = Object.keys(program.namedGroups());
    return (candidate) => {
      const matcher = program.matcher(candidate);
      if (!matcher.find()) return undefined;
      const group = (which: number | string) => matcher.group(which as number) ?? undefined;
      const named = (name: string) => (names.includes(name) ? group(name) : undefined);
      const [whole, first] = [group(0) ?? '', matcher.groupCount() > 0 ? group(1) : undefined];
      return { groups: [whole, first], text: named('text'), value: named('value') };
    };
  }
  const program = nativeOf(pattern, flags);
  return (candidate) => {
    const match = candidate.length > CANDIDATE_LENGTH_MAX ? null : program.exec(candidate);
    return match === null ? undefined : { ...match.groups, groups: [match[0], match[1]] };
  };
}

function nativeOf(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch (error) {
    throw new TytoError('bad_data', `error parsing regexp: ${errorMessage(error)}`);
  }
}

/** Grafana's numbers: 1 and 2 text, 3 and 4 number, 5 and 6 without case, 7 and 8 natural. */
function sorted(options: readonly Option[], sort: number): readonly Option[] {
  if (sort < 1 || sort > 8) return options;
  const compare = ORDERS[Math.floor((sort - 1) / 2)];
  const sign = sort % 2 === 1 ? 1 : -1;
  return [...options].sort((a, b) => sign * compare(a.text, b.text));
}

const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

const ORDERS: readonly ((a: string, b: string) => number)[] = [
  (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  (a, b) => firstNumber(a) - firstNumber(b),
  (a, b) => a.toLowerCase().localeCompare(b.toLowerCase()),
  (a, b) => natural.compare(a, b),
];

/** -1 for a text without one. */
function firstNumber(text: string): number {
  const found = /\d+/.exec(text);
  return found === null ? -1 : Number(found[0]);
}

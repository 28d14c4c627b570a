/** From matchers to series ids, over any index: the head's and the blocks' look alike here. */
import type { Labels, Matcher } from '@tyto/model';
import { intersect, NO_POSTINGS, type Postings, subtract, union } from './postings.ts';

export interface SeriesIndex {
  allSeries(): Postings;
  /** Series with this pair. */
  postings(name: string, value: string): Postings;
  /** The values of a label, in no order. */
  labelValues(name: string): Iterable<string>;
  /** About how many values a label has. */
  valueCount(name: string): number;
  labels(id: number): Labels;
  /**
   * The labels of these series as they are now, by their index in `ids`, for as long as they are
   * asked for; from an index whose series never change `labels` is as good.
   */
  keepLabels?(ids: Uint32Array): LabelsOf;
  /** The postings of all values with a prefix that match, where an index has a quick way there. */
  matchingPostings?(name: string, prefix: string, matches: (value: string) => boolean): Postings[];
}

/** The labels of the series at an index of a list, made when they are asked for. */
export type LabelsOf = (index: number) => Labels;

/** Looking at a series' labels costs about as much as trying so many values of an index. */
const LABELS_COST = 8;

/** Series that satisfy all matchers; an empty list of matchers means every series. */
export function findSeries(index: SeriesIndex, matchers: readonly Matcher[]): Postings {
  let found: Postings | undefined;
  // A matcher that the absent label fails narrows by what it names; the others only take away.
  // Those that list their values come first: they are cheap, and leave less to the others.
  const narrowing = matchers.filter((matcher) => !matcher.matches(''));
  const listing = narrowing.filter((matcher) => knownValues(matcher, false) !== undefined);
  const trying = narrowing.filter((matcher) => knownValues(matcher, false) === undefined);
  for (const matcher of [...listing, ...trying]) {
    if (found !== undefined && isQuickerBySeries(index, matcher, false, found)) {
      found = bySeries(index, matcher, found);
    } else {
      const named = matchingPostings(index, matcher, false);
      found = found === undefined ? named : intersect(found, named);
    }
    if (found.length === 0) return NO_POSTINGS;
  }
  found ??= index.allSeries();
  for (const matcher of matchers) {
    if (!matcher.matches('')) continue;
    if (isQuickerBySeries(index, matcher, true, found)) found = bySeries(index, matcher, found);
    else {
      const unwanted = matchingPostings(index, matcher, true);
      if (unwanted.length > 0) found = subtract(found, unwanted);
    }
    if (found.length === 0) return NO_POSTINGS;
  }
  return found;
}

/** Whether few series are left and the label has many values that would have to be tried. */
function isQuickerBySeries(
  index: SeriesIndex,
  matcher: Matcher,
  inverted: boolean,
  found: Postings,
): boolean {
  if (knownValues(matcher, inverted) !== undefined) return false;
  return found.length * LABELS_COST < index.valueCount(matcher.name);
}

function bySeries(index: SeriesIndex, matcher: Matcher, found: Postings): Postings {
  return found.filter((id) => matcher.matches(index.labels(id).get(matcher.name)));
}

/** Series that have the label with a value that matches, or (`inverted`) one that does not. */
function matchingPostings(index: SeriesIndex, matcher: Matcher, inverted: boolean): Postings {
  const wanted = knownValues(matcher, inverted);
  if (wanted !== undefined) {
    return union(wanted.map((value) => index.postings(matcher.name, value)));
  }
  const usesPrefix = !inverted && matcher.type === '=~';
  const prefix = usesPrefix ? (matcher.regexp?.prefix ?? '') : '';
  const isWanted = (value: string) => matcher.matches(value) !== inverted;
  const quick = index.matchingPostings?.(matcher.name, prefix, isWanted);
  if (quick !== undefined) return union(quick);
  const lists: Postings[] = [];
  for (const value of index.labelValues(matcher.name)) {
    if (!value.startsWith(prefix)) continue;
    if (isWanted(value)) lists.push(index.postings(matcher.name, value));
  }
  return union(lists);
}

/** The values in question where the matcher itself lists them, without looking at the index. */
function knownValues(matcher: Matcher, inverted: boolean): readonly string[] | undefined {
  const listed = matcher.type === '=' || matcher.type === '!=' ? [matcher.value] : undefined;
  const values = listed ?? matcher.regexp?.literals;
  const positive = matcher.type === '=' || matcher.type === '=~';
  return positive !== inverted ? values : undefined;
}

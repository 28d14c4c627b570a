/**
 * How well a name fits what somebody typed: 0 to 1, with Prometheus' two ways to tell. Both take
 * time in the length of the name times that of the text, which `searchApi.ts` bounds.
 */

/** The score of a name; undefined where it does not fit. */
export type SearchFilter = (name: string) => number | undefined;

export interface SearchText {
  /** Any of these may fit; none at all lets everything through. */
  readonly searches: readonly string[];
  readonly algorithm: 'subsequence' | 'jarowinkler';
  /** The least score, from 0 to 1. */
  readonly threshold: number;
  readonly isCaseSensitive: boolean;
}

export function searchFilter(text: SearchText): SearchFilter {
  const { searches, isCaseSensitive, algorithm, threshold } = text;
  if (searches.length === 0) return () => 1;
  const cased = (name: string) => (isCaseSensitive ? name : name.toLowerCase());
  const score = algorithm === 'subsequence' ? subsequenceFit : closeFit;
  const patterns = searches.map(cased);
  return (name) => {
    const candidate = cased(name);
    let best: number | undefined;
    for (const pattern of patterns) {
      const fit = pattern === '' ? 1 : score(pattern, candidate, threshold);
      if (fit !== undefined && (best === undefined || fit > best)) best = fit;
    }
    return best;
  };
}

/** The letters of the pattern come in their order. What begins with it fits perfectly. */
function subsequenceFit(pattern: string, name: string, threshold: number): number | undefined {
  if (name.startsWith(pattern)) return 1;
  const score = subsequenceScore(pattern, name);
  return score > 0 && score >= threshold ? score : undefined;
}

/** Contains the pattern or, where a threshold says how much, is similar to it. */
function closeFit(pattern: string, name: string, threshold: number): number | undefined {
  if (name.startsWith(pattern)) return 1;
  if (name.includes(pattern)) return 0.9;
  if (threshold <= 0) return undefined;
  const score = jaroWinkler(pattern, name);
  return score >= threshold ? score : undefined;
}

/**
 * The best, over all places where the pattern may begin, of: the squares of the lengths of its
 * runs, less what lies between and before them and half of what lies behind, each in parts of the
 * name. Divided by the most that there is, the square of the pattern's length.
 */
export function subsequenceScore(pattern: string, name: string): number {
  if (pattern === name) return 1;
  const wanted = [...pattern];
  const letters = [...name];
  let best = -1;
  for (let start = 0; start <= letters.length - wanted.length; start++) {
    if (letters[start] !== wanted[0]) continue;
    const score = scoreFrom(start, wanted, letters);
    // What does not fit from here fits from no later place.
    if (score === undefined) break;
    if (score > best) best = score;
  }
  return best < 0 ? 0 : best / wanted.length ** 2;
}

function scoreFrom(
  start: number,
  wanted: readonly string[],
  letters: readonly string[],
): number | undefined {
  let score = 0;
  let found = 0;
  let end = 0;
  for (let i = start; found < wanted.length; ) {
    while (i < letters.length && letters[i] !== wanted[found]) i++;
    if (i === letters.length) return undefined;
    const from = i;
    while (found < wanted.length && i < letters.length && letters[i] === wanted[found]) {
      found++;
      i++;
    }
    score += (i - from) ** 2 - (from - end) / letters.length;
    end = i;
  }
  return score - (letters.length - end) / letters.length / 2;
}

/** The similarity of Jaro and Winkler; a common beginning of up to four letters counts for more. */
export function jaroWinkler(a: string, b: string): number {
  if (a === b) return 1;
  const [short, long] = [[...a], [...b]].sort((x, y) => x.length - y.length);
  if (short.length === 0) return 0;
  const { shortTaken, longTaken, count } = commonLetters(short, long);
  if (count === 0) return 0;
  const left = short.filter((_, i) => shortTaken[i]);
  const right = long.filter((_, i) => longTaken[i]);
  const moved = left.filter((letter, i) => letter !== right[i]).length / 2;
  const jaro = (count / short.length + count / long.length + (count - moved) / count) / 3;
  let prefix = 0;
  while (prefix < Math.min(4, short.length) && short[prefix] === long[prefix]) prefix++;
  return jaro + prefix * 0.1 * (1 - jaro);
}

/** Letters that both have, no further apart than half of the longer one. */
function commonLetters(short: readonly string[], long: readonly string[]) {
  const distance = Math.max(Math.floor(long.length / 2) - 1, 0);
  const shortTaken = short.map(() => false);
  const longTaken = long.map(() => false);
  let count = 0;
  short.forEach((letter, i) => {
    const end = Math.min(i + distance + 1, long.length);
    for (let k = Math.max(i - distance, 0); k < end; k++) {
      if (longTaken[k] || long[k] !== letter) continue;
      shortTaken[i] = true;
      longTaken[k] = true;
      count++;
      return;
    }
  });
  return { shortTaken, longTaken, count };
}

/** Series of a selection in groups of equal label values, by their sources' numbers for these. */
import type { SeriesGroups } from '@tyto/model';
import type { SeriesPlaces } from './seriesPlaces.ts';
import type { SeriesSource } from './seriesSource.ts';

const NO_PAIR = -1;

/** Groups by `names`, in the order in which groups come. */
export function groupPlaces(
  sources: readonly SeriesSource[],
  places: SeriesPlaces,
  names: readonly string[],
): SeriesGroups {
  const groupOf = new Uint32Array(places.size);
  let values: (readonly string[])[] = places.size === 0 ? [] : [[]];
  for (const name of names) {
    const label = valueNumbers(sources, places, name);
    const groups = new Map<number, number>();
    const next: (readonly string[])[] = [];
    for (let index = 0; index < places.size; index++) {
      const value = label.numbers[index];
      const key = groupOf[index] * label.texts.length + value;
      let group = groups.get(key);
      if (group === undefined) {
        group = next.push([...values[groupOf[index]], label.texts[value]]) - 1;
        groups.set(key, group);
      }
      groupOf[index] = group;
    }
    values = next;
  }
  return { groupOf, values };
}

/** By series: the number of its value of a label; sources have their own for what is one value. */
function valueNumbers(
  sources: readonly SeriesSource[],
  places: SeriesPlaces,
  name: string,
): { readonly numbers: Uint32Array; readonly texts: readonly string[] } {
  const finders = sources.map((source) => source.pairFinder(name));
  const numberOf = sources.map(() => new Map<number, number>());
  const numberOfText = new Map<string, number>();
  const texts: string[] = [];
  const numbers = new Uint32Array(places.size);
  for (let index = 0; index < places.size; index++) {
    // The last place is that of the head, if it is there: the quickest to ask.
    const place = places.firstPlace(index + 1) - 1;
    const source = places.sourceOf(place);
    const finder = finders[source];
    const pair = finder.pairOf(places.idOf(place));
    let number = numberOf[source].get(pair);
    if (number === undefined) {
      const text = pair === NO_PAIR ? '' : finder.valueOf(pair);
      number = numberOfText.get(text);
      if (number === undefined) {
        number = texts.push(text) - 1;
        numberOfText.set(text, number);
      }
      numberOf[source].set(pair, number);
    }
    numbers[index] = number;
  }
  return { numbers, texts };
}

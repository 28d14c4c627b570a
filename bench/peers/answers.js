/** Whether two servers gave the same answer, as far as their languages mean the same. */
import { quantile } from './figures.js';

/** Relative differences up to this are what other rules of extrapolation make. */
const TOLERANCE = 0.05;
/** As equal as sums in another order are. */
const EXACT = 1e-9;
/** The share of series that both have to have; top lists may differ at their ends. */
const SERIES_SHARE_MIN = 0.95;

/**
 * @typedef {object} Parsed an answer without what servers are free to choose
 * @property {Map<string, Map<number, number>>} series values by time, by labels
 * @property {Set<string>} items of a list of values or series
 */

/**
 * @param {string} text of an answer of Prometheus' API
 * @returns {Parsed}
 */
export function parseAnswer(text) {
  const { data } = JSON.parse(text);
  const labelsText = (labels, isNamed) =>
    JSON.stringify(
      Object.entries(labels)
        .filter(([name]) => isNamed || name !== '__name__')
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  if (Array.isArray(data)) {
    const texts = data.map((item) => (typeof item === 'string' ? item : labelsText(item, true)));
    return { series: new Map(), items: new Set(texts) };
  }
  const series = new Map();
  for (const { metric, value, values } of data.result) {
    const points = (values ?? [value]).map(([time, number]) => [time, Number(number)]);
    series.set(labelsText(metric, false), new Map(points));
  }
  return { series, items: new Set() };
}

function sharedOf(a, b) {
  const shared = [...a].filter((key) => b.has(key)).length;
  return { shared, all: Math.max(a.size, b.size) };
}

/**
 * "exact", "ok" or what is different.
 * @param {Parsed | undefined} answer
 * @param {Parsed | undefined} base
 */
export function compareAnswers(answer, base) {
  if (answer === undefined || base === undefined) return 'none';
  const items = sharedOf(answer.items, base.items);
  if (items.shared !== items.all) return `${items.shared} of ${items.all} items`;
  if (items.all > 0) return 'exact';
  const keys = sharedOf(new Set(answer.series.keys()), new Set(base.series.keys()));
  if (keys.all === 0) return 'empty';
  if (keys.shared < SERIES_SHARE_MIN * keys.all) return `${keys.shared} of ${keys.all} series`;
  const differences = [];
  let points = 0;
  for (const [key, values] of base.series) {
    const others = answer.series.get(key) ?? new Map();
    for (const [time, value] of values) {
      points++;
      const other = others.get(time);
      if (other === undefined) continue;
      const size = Math.max(Math.abs(value), Math.abs(other));
      const isSame = Object.is(value, other) || size === 0;
      differences.push(isSame ? 0 : Math.abs(value - other) / size);
    }
  }
  if (differences.length < SERIES_SHARE_MIN * points)
    return `${differences.length}/${points} points`;
  const middle = quantile(differences, 0.5);
  if (!(middle <= TOLERANCE)) return `differs by ${(middle * 100).toFixed(1)} %`;
  const isComplete = differences.length === points && keys.shared === keys.all;
  return isComplete && quantile(differences, 1) <= EXACT ? 'exact' : 'ok';
}

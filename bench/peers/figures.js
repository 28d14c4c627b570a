/** Figures of a run, and what is made of several runs. */

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} unit
 * @property {number} value NaN: there is none
 * @property {'more' | 'less' | 'none'} better which direction is better
 * @property {string} [row] of a table of its own
 * @property {string} [column]
 */

export const MEBIBYTE = 1024 * 1024;

/**
 * @param {string} name
 * @param {string} unit
 * @param {number} value
 * @param {'more' | 'less' | 'none'} [better]
 * @returns {Figure}
 */
export function figure(name, unit, value, better = 'less') {
  return { name, unit, value, better };
}

/**
 * The value that a share of all values does not exceed; NaN for none. NaNs are left out.
 * @param {Iterable<number>} values
 * @param {number} share
 */
export function quantile(values, share) {
  const sorted = Float64Array.from([...values].filter((value) => !Number.isNaN(value))).sort();
  if (sorted.length === 0) return NaN;
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {readonly number[]} values */
export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/**
 * The medians of several runs, in the order of the first one.
 * @param {readonly (readonly Figure[])[]} runs
 * @returns {Figure[]}
 */
export function medians(runs) {
  const byName = new Map();
  for (const one of runs.flat()) {
    byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
  }
  return [...byName.values()].map((all) => ({
    ...all[0],
    value: median(all.map(({ value }) => value)),
  }));
}

/**
 * A number with three or more digits that mean something.
 * @param {number | undefined} value
 */
export function formatNumber(value) {
  if (value === undefined || Number.isNaN(value)) return '-';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1 || size === 0) return value.toFixed(2);
  return value.toPrecision(3);
}

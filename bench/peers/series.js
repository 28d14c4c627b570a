/** What a series does over time: seven kinds of value, each a step of 15 seconds from the last. */

/** @typedef {readonly (readonly [name: string, value: string])[]} LabelPairs sorted by name */

export const CONSTANT = 0;
/** A whole number that rises at a varying pace. */
export const COUNTER = 1;
/** A gauge with two decimals that wanders. */
export const DECIMAL_GAUGE = 2;
/** A small whole number that wanders. */
export const SMALL_INTEGER = 3;
/** A counter of all 53 bits, such as seconds. */
export const FLOAT_COUNTER = 4;
/** The +Inf bucket and the count of a histogram, or a lower bucket: `pace` is its share. */
export const BUCKET = 5;

/**
 * Sorts label pairs by name, as remote write demands.
 * @param {Readonly<Record<string, string>>} labels
 * @returns {LabelPairs}
 */
export function labelPairs(labels) {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * The first value of a series.
 * @param {number} kind
 * @param {number} pace
 * @param {import('./random.js').Random} random
 */
export function firstValue(kind, pace, random) {
  switch (kind) {
    case CONSTANT:
      return random.next() < 0.5 ? 0 : random.below(50);
    case DECIMAL_GAUGE:
      return Math.round(random.next() * pace * 100) / 100;
    case SMALL_INTEGER:
      return random.below(40);
    default:
      return Math.floor(pace * random.below(10_000));
  }
}

/**
 * The value 15 seconds later.
 * @param {number} kind
 * @param {number} value
 * @param {number} pace
 * @param {import('./random.js').Random} random
 */
export function nextValue(kind, value, pace, random) {
  switch (kind) {
    case COUNTER:
    case BUCKET:
      return value + Math.floor(pace * 2 * random.next() + random.next() * 0.9);
    case DECIMAL_GAUGE: {
      const moved = value + (random.next() - 0.5) * pace * 0.1;
      return Math.round(Math.min(pace, Math.max(0, moved)) * 100) / 100;
    }
    case SMALL_INTEGER: {
      const draw = random.next();
      if (draw < 0.8) return value;
      return draw < 0.9 ? Math.max(0, value - 1) : value + 1;
    }
    case FLOAT_COUNTER:
      return value + random.next() * pace;
    default:
      return value;
  }
}

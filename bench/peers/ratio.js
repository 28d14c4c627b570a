/** A server's figure against that of the server that all are compared with. */

export const BASE = 'prometheus';
/** Ratios this close to 1 are called equal. */
const EQUAL_WITHIN = 0.05;

/**
 * A ratio with `+` where it is better, `-` where it is worse, `=` where it is neither.
 * @param {number | undefined} value
 * @param {number | undefined} base
 * @param {'more' | 'less' | 'none'} better
 */
export function ratioText(value, base, better) {
  if (value === undefined || base === undefined || Number.isNaN(value) || Number.isNaN(base)) {
    return '-';
  }
  const ratio = value === base ? 1 : value / base;
  const text = Number.isFinite(ratio) ? `${ratio.toFixed(2)}x` : 'inf';
  if (better === 'none') return text;
  if (Math.abs(ratio - 1) <= EQUAL_WITHIN) return `${text} =`;
  return `${text} ${ratio > 1 === (better === 'more') ? '+' : '-'}`;
}

/** The order of alerts within a notification: by job, by instance, then by all labels. */
import type { Alert, Labels } from '@tyto/model';

const FIRST_LABELS = ['job', 'instance'];

/** Alertmanager's order, which does not change from one notification to the next. */
export function compareAlerts(a: Alert, b: Alert): number {
  for (const name of FIRST_LABELS) {
    const [left, right] = [a.labels.get(name), b.labels.get(name)];
    if (left === right) continue;
    if (left === '' || right === '') return left === '' ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return compareSets(a.labels, b.labels);
}

/** Smaller sets first; then by the first name that one has and the other has not, or by value. */
export function compareSets(a: Labels, b: Labels): number {
  const [left, right] = [a.pairs, b.pairs];
  if (left.length !== right.length) return left.length - right.length;
  for (let i = 0; i < left.length; i += 2) {
    // The set that lacks the name which comes first is the smaller one.
    if (left[i] !== right[i]) return left[i] < right[i] ? 1 : -1;
    if (left[i + 1] !== right[i + 1]) return left[i + 1] < right[i + 1] ? -1 : 1;
  }
  return 0;
}

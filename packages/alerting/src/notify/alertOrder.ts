/** The order of alerts in a notification, which is Alertmanager's: by job, instance and labels. */
import type { Labels } from '@tyto/model';
import type { StoredAlert } from '../routing/alertStore.ts';

export function sortAlerts(alerts: readonly StoredAlert[]): StoredAlert[] {
  return [...alerts].sort((a, b) => compare(a.labels, b.labels));
}

function compare(a: Labels, b: Labels): number {
  for (const name of ['job', 'instance']) {
    const [left, right] = [a.get(name), b.get(name)];
    if (left === right) continue;
    // Those without it come last.
    if (left === '' || right === '') return left === '' ? 1 : -1;
    return left < right ? -1 : 1;
  }
  if (a.size !== b.size) return a.size - b.size;
  const names = [...a.entries(), ...b.entries()].map(([name]) => name);
  for (const name of names.sort((x, y) => (x < y ? -1 : x > y ? 1 : 0))) {
    const [left, right] = [a.get(name), b.get(name)];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Inhibition: a firing source alert keeps target alerts with the same labels quiet. */
import { matchesAll } from '@tyto/model';
import type { AlertStore, StoredAlert } from './alertStore.ts';
import type { InhibitRule } from './config.ts';

/** Fingerprints of the firing alerts because of which `alert` is kept quiet. */
export function inhibitors(
  alert: StoredAlert,
  rules: readonly InhibitRule[],
  alerts: AlertStore,
): string[] {
  const found: string[] = [];
  for (const rule of rules) {
    if (!matchesAll(rule.targetMatchers, alert.labels)) continue;
    // An alert that is source and target at once is not inhibited by another such.
    const isSourceToo = matchesAll(rule.sourceMatchers, alert.labels);
    for (const source of alerts.all()) {
      if (source.fingerprint === alert.fingerprint || alerts.isResolved(source)) continue;
      if (!matchesAll(rule.sourceMatchers, source.labels)) continue;
      if (isSourceToo && matchesAll(rule.targetMatchers, source.labels)) continue;
      if (rule.equal.every((name) => source.labels.get(name) === alert.labels.get(name))) {
        found.push(source.fingerprint);
      }
    }
  }
  return found;
}

/**
 * Inhibition: a firing source alert keeps target alerts with the same labels quiet. The sources of
 * each rule are found by those labels, so that none is looked at for an alert that has others.
 */
import { type Labels, matchesAll } from '@tyto/model';
import type { AlertStore, StoredAlert } from './alertStore.ts';
import type { InhibitRule } from './config.ts';

/** Fingerprints of sources with the same labels. */
interface Bucket {
  readonly sources: Set<string>;
  /** Those that match the target side as well: they keep no alert quiet that does, too. */
  readonly twoSided: Set<string>;
}

interface IndexedRule {
  readonly rule: InhibitRule;
  readonly buckets: Map<string, Bucket>;
}

/** Stands between values; no text has it. */
const SEPARATOR = '\ud800';

export class Inhibition {
  readonly #alerts: AlertStore;
  #rules: IndexedRule[] = [];

  constructor(alerts: AlertStore) {
    this.#alerts = alerts;
  }

  apply(rules: readonly InhibitRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, buckets: new Map() }));
    for (const alert of this.#alerts.all()) this.note(alert);
  }

  /** Called with every alert that was put. */
  note(alert: StoredAlert): void {
    if (this.#alerts.isResolved(alert)) return;
    for (const { rule, buckets } of this.#rules) {
      if (!matchesAll(rule.sourceMatchers, alert.labels)) continue;
      const key = equalKey(rule, alert.labels);
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        bucket = { sources: new Set(), twoSided: new Set() };
        buckets.set(key, bucket);
      }
      const isTwoSided = matchesAll(rule.targetMatchers, alert.labels);
      (isTwoSided ? bucket.twoSided : bucket.sources).add(alert.fingerprint);
    }
  }

  /** Fingerprints of firing alerts because of which one is kept quiet, one for each rule. */
  inhibitors(labels: Labels): string[] {
    const found = new Set<string>();
    for (const { rule, buckets } of this.#rules) {
      if (!matchesAll(rule.targetMatchers, labels)) continue;
      const key = equalKey(rule, labels);
      const bucket = buckets.get(key);
      if (bucket === undefined) continue;
      const source =
        this.#firing(bucket.sources) ??
        (matchesAll(rule.sourceMatchers, labels) ? undefined : this.#firing(bucket.twoSided));
      if (source !== undefined) found.add(source);
      if (bucket.sources.size === 0 && bucket.twoSided.size === 0) buckets.delete(key);
    }
    return [...found];
  }

  /** The first that fires; those before it are over, and come again when they fire again. */
  #firing(sources: Set<string>): string | undefined {
    for (const key of sources) {
      const alert = this.#alerts.get(key);
      if (alert !== undefined && !this.#alerts.isResolved(alert)) return key;
      sources.delete(key);
    }
    return undefined;
  }
}

function equalKey(rule: InhibitRule, labels: Labels): string {
  return rule.equal.map((name) => labels.get(name)).join(SEPARATOR);
}

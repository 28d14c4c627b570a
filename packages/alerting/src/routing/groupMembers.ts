/** The alerts of a group in the order of notifications, which their labels alone decide. */
import { compareAlerts } from './alertOrder.ts';
import type { AlertStore, StoredAlert } from './alertStore.ts';
import { mergeInSlices, sortInSlices } from './slices.ts';

export class GroupMembers {
  readonly #alerts: AlertStore;
  readonly #keys = new Set<string>();
  /** In order; some may have left. */
  #sorted: StoredAlert[] = [];
  /** Keys that came since, and are not in order yet. */
  #added: string[] = [];
  #sorting: Promise<void> | undefined;

  constructor(alerts: AlertStore) {
    this.#alerts = alerts;
  }

  get size(): number {
    return this.#keys.size;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.#added.push(key);
  }

  remove(keys: Iterable<string>): void {
    for (const key of keys) this.#keys.delete(key);
    this.#added = this.#added.filter((key) => this.#keys.has(key));
  }

  /** All alerts as they are now; where there are many, other work goes on meanwhile. */
  async list(): Promise<StoredAlert[]> {
    // What comes while it is sorted waits for the next time: it may come without an end.
    while (this.#sorting !== undefined) await this.#sorting;
    if (this.#added.length > 0) {
      this.#sorting = this.#sort(this.#added);
      this.#added = [];
      await this.#sorting;
      this.#sorting = undefined;
    }
    return this.#alertsOf(this.#sorted.map(({ fingerprint }) => fingerprint));
  }

  /** The same in no order. */
  unsorted(): StoredAlert[] {
    return this.#alertsOf([...this.#keys]);
  }

  async #sort(keys: readonly string[]): Promise<void> {
    const added = await sortInSlices(this.#alertsOf(keys), compareAlerts);
    const all = await mergeInSlices(this.#sorted, added, compareAlerts);
    // One that left and came again is there twice, side by side.
    this.#sorted = all.filter(({ fingerprint }, i) => {
      return this.#keys.has(fingerprint) && fingerprint !== all[i - 1]?.fingerprint;
    });
  }

  #alertsOf(keys: readonly string[]): StoredAlert[] {
    const found: StoredAlert[] = [];
    for (const key of keys) {
      const alert = this.#keys.has(key) ? this.#alerts.get(key) : undefined;
      if (alert !== undefined) found.push(alert);
    }
    return found;
  }
}

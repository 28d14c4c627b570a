/** The alerts of a group in the order of notifications, which their labels alone decide. */
import { compareAlerts } from './alertOrder.ts';
import type { AlertStore, StoredAlert } from './alertStore.ts';
import { sortInSlices } from './slices.ts';

export class GroupMembers {
  readonly #alerts: AlertStore;
  readonly #keys = new Set<string>();
  /** Those that were in the group when it was sorted, and some that are not any more. */
  #sorted: string[] = [];
  #added: string[] = [];

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
    // One that comes again would be there twice.
    this.#sorted = this.#sorted.filter((key) => this.#keys.has(key));
    this.#added = this.#added.filter((key) => this.#keys.has(key));
  }

  /** All alerts as they are now; where there are many, other work goes on meanwhile. */
  async list(): Promise<StoredAlert[]> {
    while (this.#added.length > 0) {
      const added = this.#added;
      this.#added = [];
      const alerts = this.#alertsOf([...this.#sorted, ...added]);
      const sorted = await sortInSlices(alerts, compareAlerts);
      this.#sorted = sorted.map(({ fingerprint }) => fingerprint);
    }
    return this.#alertsOf(this.#sorted.filter((key) => this.#keys.has(key)));
  }

  /** The same in no order. */
  unsorted(): StoredAlert[] {
    return this.#alertsOf([...this.#keys]);
  }

  #alertsOf(keys: readonly string[]): StoredAlert[] {
    return keys.flatMap((key) => this.#alerts.get(key) ?? []);
  }
}

/**
 * The port of the small state that must survive a restart: notification log, alerts, silences.
 * Values are JSON; `put` resolves when the value would survive the death of the process.
 */
export interface StateStore {
  entries(prefix: string): Iterable<readonly [key: string, value: unknown]>;
  /** Of two puts under one key, the later one counts. */
  put(key: string, value: unknown): Promise<void>;
  /** All of them or, where it rejects, perhaps some. */
  putAll(entries: readonly (readonly [key: string, value: unknown])[]): Promise<void>;
  remove(key: string): Promise<void>;
}

/** State that lasts as long as the process: for tests. */
export class MemoryStateStore implements StateStore {
  readonly #values = new Map<string, string>();

  *entries(prefix: string): IterableIterator<readonly [string, unknown]> {
    for (const [key, value] of [...this.#values]) {
      if (key.startsWith(prefix)) yield [key, JSON.parse(value)];
    }
  }

  async put(key: string, value: unknown): Promise<void> {
    this.#values.set(key, JSON.stringify(value));
  }

  async putAll(entries: readonly (readonly [string, unknown])[]): Promise<void> {
    for (const [key, value] of entries) await this.put(key, value);
  }

  async remove(key: string): Promise<void> {
    this.#values.delete(key);
  }
}

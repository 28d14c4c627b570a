/** The small state in LMDB: transactional, and durable when `put` resolves. */
import type { StateStore } from '@tyto/alerting';
import { open, type RootDatabase } from 'lmdb';

export class LmdbStateStore implements StateStore {
  readonly #database: RootDatabase<string, string>;

  constructor(directory: string) {
    this.#database = open<string, string>({ path: directory, encoding: 'string', maxReaders: 16 });
  }

  *entries(prefix: string): IterableIterator<readonly [string, unknown]> {
    // The highest code unit ends the range of keys with this prefix.
    const range = { start: prefix, end: `${prefix}\uffff` };
    for (const { key, value } of this.#database.getRange(range)) yield [key, JSON.parse(value)];
  }

  async put(key: string, value: unknown): Promise<void> {
    await this.#database.put(key, JSON.stringify(value));
  }

  async remove(key: string): Promise<void> {
    await this.#database.remove(key);
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

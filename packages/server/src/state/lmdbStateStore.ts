/** The small state in LMDB: transactional, and durable when `put` resolves. */
import { createHash } from 'node:crypto';
import type { StateStore } from '@tyto/alerting';
import { open, type RootDatabase } from 'lmdb';

/** LMDB's keys are short: the kind before the first slash, and a hash of the whole key. */
function shortKey(key: string): string {
  const kind = key.slice(0, key.indexOf('/') + 1);
  return kind + createHash('sha256').update(key).digest('hex');
}

export class LmdbStateStore implements StateStore {
  readonly #database: RootDatabase<string, string>;

  constructor(directory: string) {
    this.#database = open<string, string>({ path: directory, encoding: 'string', maxReaders: 16 });
  }

  *entries(prefix: string): IterableIterator<readonly [string, unknown]> {
    const kind = prefix.slice(0, prefix.indexOf('/') + 1);
    // The highest code unit ends the range of keys of this kind.
    for (const { value } of this.#database.getRange({ start: kind, end: `${kind}\uffff` })) {
      const [key, stored] = JSON.parse(value) as [string, unknown];
      if (key.startsWith(prefix)) yield [key, stored];
    }
  }

  async put(key: string, value: unknown): Promise<void> {
    await this.#database.put(shortKey(key), JSON.stringify([key, value]));
  }

  async remove(key: string): Promise<void> {
    await this.#database.remove(shortKey(key));
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

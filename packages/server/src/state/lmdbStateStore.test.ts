import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { LmdbStateStore } from './lmdbStateStore.ts';

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

describe('LmdbStateStore', () => {
  it('has everything again when opened anew, however long the keys', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tyto-state-'));
    directories.push(directory);
    const before = new LmdbStateStore(directory);
    const long = `notified/${'한'.repeat(5000)}`;
    await before.put(long, { atMs: 1 });
    await before.put('notified/b', { atMs: 2 });
    await before.put('alert/c', 'x');
    await before.put('alert/gone', 'y');
    await before.remove('alert/gone');
    await before.close();
    const after = new LmdbStateStore(directory);
    expect(new Map(after.entries('notified/'))).toEqual(
      new Map([
        [long, { atMs: 1 }],
        ['notified/b', { atMs: 2 }],
      ]),
    );
    expect([...after.entries('alert/')]).toEqual([['alert/c', 'x']]);
    await after.close();
  });
});

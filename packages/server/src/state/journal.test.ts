/** The journal of the small state: reopened, torn, damaged, and on disks that refuse. */
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@tyto/base';
import { type AppendFile, type Disk, nodeDisk } from '@tyto/tsdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalStateStore } from './journal.ts';
import { encodeRecords } from './journalRecord.ts';

let directory: string;
const open = (more: { disk?: Disk; garbageBytesMin?: number } = {}) =>
  JournalStateStore.open({ disk: nodeDisk, directory, logger: silentLogger, ...more });
const all = (store: JournalStateStore, prefix = '') => new Map(store.entries(prefix));
const file = () => join(directory, 'journal');
const recordOf = (key: string, value: string) => encodeRecords([{ key, value }]).bytes;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tyto-state-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** The real disk, whose files refuse what `refuses` names while it is set. */
function breakable() {
  const state = { refuses: '', syncs: 0, writes: 0 };
  const refuse = (what: string) => {
    if (state.refuses.includes(what))
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  };
  const disk: Disk = {
    ...nodeDisk,
    async openAppend(path) {
      refuse('open');
      const real = await nodeDisk.openAppend(path);
      const broken: AppendFile = {
        ...real,
        async write(bytes) {
          state.writes++;
          if (state.refuses.includes('write'))
            await real.write(bytes.subarray(0, bytes.length >> 1));
          refuse('write');
          await real.write(bytes);
        },
        async sync() {
          state.syncs++;
          refuse('sync');
          await real.sync();
        },
      };
      return broken;
    },
  };
  return { disk, state };
}

describe('the journal', () => {
  it('has everything again when it is opened anew, however long the keys', async () => {
    const before = await open();
    const long = `notified/${'한'.repeat(5000)}`;
    await Promise.all([
      before.put(long, { atMs: 1 }),
      before.put('notified/b', { atMs: 1 }),
      before.put('notified/b', { atMs: 2 }),
      before.put('alert/c', 'x'),
      before.put('alert/gone', 'y'),
      before.remove('alert/gone'),
      before.remove('alert/never'),
    ]);
    expect([...before.entries('alert/')]).toEqual([['alert/c', 'x']]);
    await before.close();
    const after = await open();
    expect(all(after, 'notified/')).toEqual(
      new Map([
        [long, { atMs: 1 }],
        ['notified/b', { atMs: 2 }],
      ]),
    );
    expect([...after.entries('alert/')]).toEqual([['alert/c', 'x']]);
    await after.close();
    await expect(after.put('a', 1)).rejects.toThrow('the state is closed already');
  });

  it('writes and syncs once for all that is put at once', async () => {
    const { disk, state } = breakable();
    const store = await open({ disk });
    const before = state.syncs;
    const puts = Array.from({ length: 10_000 }, (_, i) => store.put(`alert/${i}`, { i }));
    await Promise.all(puts);
    await store.putAll([
      ['alert/0', 'other'],
      ['alert/new', 'new'],
    ]);
    expect(state.syncs - before).toBeLessThanOrEqual(3);
    expect(all(store).size).toBe(10_001);
    expect(all(store).get('alert/0')).toBe('other');
    await store.close();
  });

  it('is written anew when most of it is garbage, and goes on', async () => {
    const store = await open({ garbageBytesMin: 10_000 });
    let largest = 0;
    for (let i = 0; i < 2000; i++) {
      await store.put(`a/${i % 10}`, { text: 'x'.repeat(100), i });
      largest = Math.max(largest, store.bytes);
    }
    expect(largest).toBeLessThan(12_000);
    expect(all(store).get('a/9')).toMatchObject({ i: 1999 });
    await store.close();
    const again = await open();
    expect(all(again).size).toBe(10);
    await again.close();
    expect(readdirSync(directory)).toEqual(['journal']);
  });

  it('forgets what was torn, wherever, and nothing else', async () => {
    const store = await open();
    await store.put('a/1', 'one');
    await store.close();
    const whole = readFileSync(file());
    const torn = recordOf('a/2', '"two"');
    for (let length = 0; length < torn.length; length++) {
      writeFileSync(file(), Buffer.concat([whole, torn.subarray(0, length)]));
      const again = await open();
      expect([...all(again)], `${length} bytes`).toEqual([['a/1', 'one']]);
      await again.put('a/3', length);
      await again.close();
      const last = await open();
      expect([...all(last).keys()]).toEqual(['a/1', 'a/3']);
      await last.close();
    }
    expect(readdirSync(directory)).toEqual(['journal']);
  });

  it('loses only what damage touches, and keeps the damaged file', async () => {
    const store = await open();
    const keys = Array.from({ length: 20 }, (_, i) => `a/${i}`);
    for (const key of keys) await store.put(key, { key });
    await store.close();
    const whole = readFileSync(file());
    for (let at = 0; at < whole.length; at += 7) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 0xff;
      writeFileSync(file(), damaged);
      const again = await open();
      const found = [...all(again).keys()];
      expect(found.length, `damage at ${at}`).toBeGreaterThanOrEqual(19);
      for (const [key, value] of all(again)) expect(value).toEqual({ key });
      await again.close();
    }
    expect(readdirSync(directory)).toContain('damaged-1');
  });

  it('is opened whatever bytes are in it', async () => {
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    };
    for (let round = 0; round < 60; round++) {
      const parts: Buffer[] = [Buffer.from('TYTOSTJ1')];
      for (let i = 0; i < 20; i++) {
        if (random() < 0.6) parts.push(Buffer.from(recordOf(`k/${i}`, String(i))));
        else parts.push(Buffer.from(Array.from({ length: random() * 40 }, () => random() * 256)));
      }
      rmSync(directory, { recursive: true, force: true });
      const store = await open();
      await store.close();
      writeFileSync(file(), Buffer.concat(parts));
      const again = await open();
      for (const [key, value] of again.entries('k/')) expect(key).toBe(`k/${String(value)}`);
      await again.put('k/last', 1);
      await again.close();
      const last = await open();
      expect(all(last).get('k/last')).toBe(1);
      await last.close();
    }
  });

  it.each(['write', 'sync', 'open write'])(
    'keeps what it has when the disk refuses to %s',
    async (what) => {
      const { disk, state } = breakable();
      const store = await open({ disk });
      await store.put('a/1', 1);
      state.refuses = what;
      const refused = [store.put('a/2', 2), store.put('a/1', 'changed'), store.remove('a/1')];
      for (const one of refused)
        await expect(one).rejects.toThrow('cannot write the state: no space');
      await expect(store.put('a/3', 3)).rejects.toThrow('no space');
      expect([...all(store)]).toEqual([['a/1', 1]]);
      state.refuses = '';
      await store.put('a/4', 4);
      expect([...all(store)]).toEqual([
        ['a/1', 1],
        ['a/4', 4],
      ]);
      await store.close();
      const again = await open();
      expect([...all(again)]).toEqual([
        ['a/1', 1],
        ['a/4', 4],
      ]);
      await again.close();
    },
  );

  it('passes over a new file that was not finished', async () => {
    const store = await open();
    await store.put('a/1', 1);
    await store.close();
    appendFileSync(join(directory, 'journal.new'), 'half');
    const again = await open();
    expect([...all(again)]).toEqual([['a/1', 1]]);
    await again.close();
    expect(readdirSync(directory)).toEqual(['journal']);
  });

  it('refuses what is far too large', async () => {
    const store = await open();
    const large = store.put('a/large', 'x'.repeat(40_000_000));
    await expect(large).rejects.toThrow('a/large is too large to be kept');
    await store.close();
  });
});

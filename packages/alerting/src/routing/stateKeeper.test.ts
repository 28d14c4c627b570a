import { ManualClock } from '@tyto/base';
import { MemoryStateStore } from '@tyto/alerting';
import { expect, it } from 'vitest';
import { StateKeeper } from './stateKeeper.ts';

it('a value that comes during a write is on disk when it is acknowledged', async () => {
  const state = new MemoryStateStore();
  const put = state.put.bind(state);
  const releases: (() => void)[] = [];
  state.put = (key, value) =>
    new Promise((resolve) => releases.push(() => void put(key, value).then(resolve)));
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  const keeper = new StateKeeper(new ManualClock(0), state);
  const acknowledged: number[] = [];
  for (const value of [1, 2, 3]) {
    void keeper.put('k', () => value).then(() => acknowledged.push(value));
    await settled();
  }
  expect(releases).toHaveLength(1);
  releases[0]();
  await settled();
  expect(acknowledged).toEqual([]);
  // Of those that came meanwhile only the newest is written.
  releases[1]();
  await settled();
  expect(acknowledged).toEqual([1, 2, 3]);
  expect([...state.entries('')]).toEqual([['k', 3]]);
  expect(keeper.owedCount).toBe(0);
  void keeper.put('k', () => 4).then(() => acknowledged.push(4));
  await settled();
  releases[2]();
  await settled();
  expect(acknowledged).toEqual([1, 2, 3, 4]);
});

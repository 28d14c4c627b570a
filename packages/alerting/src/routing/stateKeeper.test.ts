import { ManualClock } from '@tyto/base';
import { MemoryStateStore } from '@tyto/alerting';
import { expect, it } from 'vitest';
import { StateKeeper } from './stateKeeper.ts';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A store whose writes wait until they are let go, or refused. */
function held() {
  const state = new MemoryStateStore();
  const write = state.putAll.bind(state);
  const waiting: ((error?: Error) => void)[] = [];
  state.putAll = (entries) =>
    new Promise((resolve, reject) => {
      waiting.push((error) => (error ? reject(error) : void write(entries).then(resolve)));
    });
  return { state, waiting };
}

it('a value is acknowledged when it is on disk, and not with an older one', async () => {
  const { state, waiting } = held();
  const keeper = new StateKeeper(new ManualClock(0), state);
  const acknowledged: number[] = [];
  for (const value of [1, 2])
    void keeper.put('k', () => value).then(() => acknowledged.push(value));
  await settled();
  waiting[0]();
  await settled();
  expect(acknowledged).toEqual([1]);
  expect(keeper.owedCount).toBe(1);
  waiting[1]();
  await settled();
  expect(acknowledged).toEqual([1, 2]);
  expect([...state.entries('')]).toEqual([['k', 2]]);
  expect(keeper.owedCount).toBe(0);
});

it('what was refused is tried again, once the disk has answered all else', async () => {
  const { state, waiting } = held();
  const keeper = new StateKeeper(new ManualClock(0), state);
  const refused = keeper.put('a', () => 1).catch(({ message }) => message);
  const slow = keeper.put('b', () => 2);
  await settled();
  waiting[0](new Error('no space'));
  expect(await refused).toBe('cannot keep the state: no space');
  await keeper.retry();
  expect(waiting.length).toBe(2);
  waiting[1]();
  await slow;
  const retried = keeper.retry();
  await settled();
  waiting[2]();
  await retried;
  expect(new Map(state.entries(''))).toEqual(
    new Map([
      ['a', 1],
      ['b', 2],
    ]),
  );
  expect(keeper.owedCount).toBe(0);
});

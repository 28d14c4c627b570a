import { ManualClock } from '@tyto/base';
import { createMatcher, type Matcher } from '@tyto/model';
import { expect, it } from 'vitest';
import { pacedSearch } from './pacedSearch.ts';

const VALUES = Array.from({ length: 3000 }, (_, i) => `host-${i}`);
const matchers = [[createMatcher('=~', 'host', '.*-(1|2)5+')]];

/** Every look at the clock takes so long. */
function slowClock(ms: number) {
  let nowMs = 0;
  return Object.assign(new ManualClock(), { monotonicMs: () => (nowMs += ms) });
}

function search([[matcher]]: readonly (readonly Matcher[])[]): string[] {
  return VALUES.filter((value) => matcher.matches(value));
}

it('a search by patterns lets others have their turn, and finds the same', async () => {
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const found = await pacedSearch(matchers, slowClock(40), undefined, search);
  isDone = true;
  expect(found).toEqual(['host-15', 'host-25', 'host-155', 'host-255', 'host-1555', 'host-2555']);
  expect(turns).toBeGreaterThan(5);
});

it('one that does not come to an end says so, and one that nobody waits for ends', async () => {
  const late = pacedSearch(matchers, slowClock(20_000), undefined, search);
  await expect(late).rejects.toMatchObject({
    kind: 'timeout',
    message: expect.stringContaining('use a simpler regular expression'),
  });
  const left = pacedSearch(matchers, slowClock(1000), AbortSignal.abort(), search);
  await expect(left).rejects.toMatchObject({ kind: 'canceled' });
});

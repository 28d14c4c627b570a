import { expect, it } from 'vitest';
import type { Integration } from '../notify/notification.ts';
import { NOTIFY_ALERTS_MAX, NOTIFY_REQUESTS_MAX } from './limits.ts';
import { NotifyTurns } from './notifyTurns.ts';

const integration = (): Integration => ({
  kind: 'chat',
  index: 0,
  sendResolved: true,
  notify: async () => undefined,
});

/** What has begun so far, and how to end it, in order. */
function begun(
  turns: NotifyTurns,
  of: Integration,
  count: number,
  signal: AbortSignal,
  alerts = 1,
) {
  const ends: (() => void)[] = [];
  for (let n = 0; n < count; n++)
    void turns.begin(of, alerts, signal).then((end) => ends.push(end));
  return ends;
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

it('one integration gets so many requests at once, the others theirs', async () => {
  const turns = new NotifyTurns();
  const first = begun(turns, integration(), NOTIFY_REQUESTS_MAX + 2, never);
  const second = begun(turns, integration(), 1, never);
  await settled();
  expect([first.length, second.length]).toEqual([NOTIFY_REQUESTS_MAX, 1]);
  first[0]();
  await settled();
  expect(first).toHaveLength(NOTIFY_REQUESTS_MAX + 1);
});

it('who gives up waiting takes no turn from the next', async () => {
  const turns = new NotifyTurns();
  const one = integration();
  const ends = begun(turns, one, NOTIFY_REQUESTS_MAX, never);
  const impatient = new AbortController();
  const gone = begun(turns, one, 1, impatient.signal);
  const patient = begun(turns, one, 1, never);
  await settled();
  impatient.abort();
  await settled();
  expect([gone.length, patient.length]).toEqual([1, 0]);
  gone[0]();
  ends[0]();
  await settled();
  expect(patient).toHaveLength(1);
});

it('requests of many alerts are fewer at once, and one of too many goes alone', async () => {
  const turns = new NotifyTurns();
  const one = integration();
  const half = begun(turns, one, 3, never, NOTIFY_ALERTS_MAX / 2);
  const huge = begun(turns, one, 1, never, NOTIFY_ALERTS_MAX * 2);
  const all = async () => {
    for (let n = 0; n < 10; n++) await settled();
  };
  await all();
  expect([half.length, huge.length]).toEqual([2, 0]);
  half[0]();
  await all();
  expect([half.length, huge.length]).toEqual([3, 0]);
  half[1]();
  await all();
  expect(huge).toHaveLength(0);
  half[2]();
  await all();
  expect(huge).toHaveLength(1);
});

import { ManualClock, silentLogger } from '@tyto/base';
import { Labels } from '@tyto/model';
import { MemoryStateStore, type NotifyAdvisor, type NotifyAttempt } from '@tyto/alerting';
import { describe, expect, it } from 'vitest';
import { type Integration, type Notification, NotifyError } from '../notify/notification.ts';
import { AlertGroup } from './alertGroup.ts';
import { AlertStore } from './alertStore.ts';
import { NotificationLog } from './notificationLog.ts';
import { NotifyTurns } from './notifyTurns.ts';
import { buildRoute } from './route.ts';
import { LoopTurns } from './slices.ts';
import { StateKeeper } from './stateKeeper.ts';
import { DeliveriesUnderWay } from './underWay.ts';

const START_MS = Date.UTC(2026, 0, 31, 12);
const MINUTE_MS = 60_000;

/** A group with one integration, whose answers are `answer`'s. */
function group(
  answer: (n: number) => Promise<Record<string, string> | undefined>,
  { advisor, muting = () => [] }: { advisor?: NotifyAdvisor; muting?: () => string[] } = {},
) {
  const clock = new ManualClock(START_MS);
  const keeper = new StateKeeper(clock, new MemoryStateStore());
  const alerts = new AlertStore(clock, keeper);
  const told: Notification[] = [];
  const attempts: NotifyAttempt[] = [];
  const integration: Integration = {
    kind: 'chat',
    index: 0,
    sendResolved: true,
    notify: (notification) => {
      told.push(notification);
      return answer(told.length);
    },
  };
  const route = buildRoute({
    receiver: 'r',
    matchers: [],
    continue: false,
    groupBy: undefined,
    groupWaitMs: 1000,
    groupIntervalMs: MINUTE_MS,
    repeatIntervalMs: 10 * MINUTE_MS,
    muteTimeIntervals: [],
    activeTimeIntervals: [],
    labels: {},
    routes: [],
  });
  let isEmpty = false;
  const made = new AlertGroup(route, Labels.empty, Promise.resolve(), {
    clock,
    logger: silentLogger,
    observer: { attempt() {}, told() {} },
    events: { fired() {}, resolved() {}, attempted: (attempt) => attempts.push(attempt) },
    turns: new NotifyTurns(),
    flushes: new LoopTurns(),
    underWay: new DeliveriesUnderWay(clock, keeper),
    advisor,
    alerts,
    log: new NotificationLog(clock, keeper, 120 * 60 * MINUTE_MS),
    integrations: [integration],
    externalUrl: 'http://tyto',
    nowMs: () => clock.nowMs(),
    isMuted: (alert) => (advisor?.mutedBy(alert, 'r').length ?? 0) > 0,
    mutingIntervals: muting,
    onEmpty: () => {
      isEmpty = true;
    },
  });
  const post = (name: string, endsInMs = 60 * MINUTE_MS) =>
    made.add(
      alerts.put({
        labels: Labels.of({ alertname: name }),
        annotations: Labels.empty,
        startsAtMs: clock.nowMs(),
        endsAtMs: clock.nowMs() + endsInMs,
        generatorUrl: '',
      }),
    );
  return { clock, made, told, attempts, post, isEmpty: () => isEmpty };
}

describe('a group', () => {
  it('gives an integration what it gave back the last time', async () => {
    const { clock, told, post } = group(async (n) => ({ message: String(n) }));
    post('A');
    await clock.advance(1000);
    post('B');
    await clock.advance(MINUTE_MS);
    expect(told.map(({ data, reason }) => [data, reason])).toEqual([
      [{}, 'first notification'],
      [{ message: '1' }, 'new alerts in group'],
    ]);
  });

  it('flushes at once what fell due while a slow receiver was told', async () => {
    let release = () => {};
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    const { clock, told, post } = group((n) => (n === 1 ? held : Promise.resolve(undefined)));
    post('A');
    await clock.advance(1000);
    post('B');
    await clock.advance(MINUTE_MS);
    expect(told).toHaveLength(1);
    release();
    for (let ms = 0; ms < 3; ms++) await clock.advance(1);
    expect(told[1].firing.map(({ labels }) => labels.get('alertname'))).toEqual(['A', 'B']);
  });

  it('tries again with growing pauses until the next interval, and then anew', async () => {
    const { clock, attempts, post } = group(() =>
      Promise.reject(new NotifyError('unexpected status code 503', true)),
    );
    post('A');
    await clock.advance(1000);
    expect(attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'will be retried'],
    ]);
    await clock.advance(500 + 750);
    expect(attempts).toHaveLength(3);
    await clock.advance(MINUTE_MS);
    expect(attempts.filter(({ outcome }) => outcome === 'failed')).toHaveLength(1);
    expect(attempts.at(-1)).toMatchObject({ reason: 'first notification', receiver: 'r' });
    expect(attempts.filter(({ attempt }) => attempt === 1).length).toBeGreaterThan(1);
  });

  it('tells nobody within a time interval, and what is still true after it', async () => {
    let isMuted = true;
    const { clock, made, told, post } = group(async () => undefined, {
      muting: () => (isMuted ? ['nights'] : []),
    });
    post('A');
    post('Short', MINUTE_MS / 2);
    await clock.advance(2 * MINUTE_MS);
    expect(told).toEqual([]);
    expect(made.mutedBy).toEqual(['nights']);
    isMuted = false;
    await clock.advance(MINUTE_MS);
    expect(told[0].firing).toHaveLength(1);
    expect(told[0].resolved).toEqual([]);
    expect(made.mutedBy).toEqual([]);
  });

  it('leaves out what the advisor keeps back, and carries its links', async () => {
    const links = { incident: 'http://tyto/i/1', acknowledge: 'http://tyto/i/1/ack' };
    const { clock, told, post } = group(async () => undefined, {
      advisor: {
        mutedBy: (alert) => (alert.labels.get('alertname') === 'B' ? ['acknowledged'] : []),
        links: () => links,
      },
    });
    post('A');
    post('B');
    await clock.advance(1000);
    expect(told).toHaveLength(1);
    expect(told[0].firing.map(({ labels }) => labels.get('alertname'))).toEqual(['A']);
    expect(told[0].links).toEqual(links);
  });

  it('tells nobody that nothing is left when all its alerts become muted', async () => {
    let isMuted = false;
    const { clock, told, post } = group(async () => undefined, {
      advisor: { mutedBy: () => (isMuted ? ['x'] : []), links: () => undefined },
    });
    post('A');
    await clock.advance(1000);
    isMuted = true;
    await clock.advance(MINUTE_MS);
    expect(told).toHaveLength(1);
  });

  it('repeats by the time that passed, not by the clock on the wall', async () => {
    const { clock, told, post } = group(async () => undefined);
    post('A', 100 * MINUTE_MS);
    await clock.advance(1000);
    clock.jump(-30 * MINUTE_MS);
    await clock.advance(5 * MINUTE_MS);
    expect(told).toHaveLength(1);
  });

  it('is empty once the end of its last alert is told', async () => {
    const { clock, told, post, isEmpty } = group(async () => undefined);
    post('A', 30_000);
    await clock.advance(1000);
    await clock.advance(MINUTE_MS);
    expect(told.map(({ reason }) => reason)).toEqual([
      'first notification',
      'all alerts resolved in group',
    ]);
    expect(isEmpty()).toBe(true);
  });
});

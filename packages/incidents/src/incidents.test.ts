import { describe, expect, it } from 'vitest';
import type { IncidentsConfig } from './config.ts';
import type { Incident } from './incident.ts';
import { matchers, MINUTE_MS, startWorld, type World } from './testing/world.ts';

const KIM = { by: 'kim', from: 'test' };
const PAGE = { receivers: ['pager'], schedules: [] };

const CHAIN: Partial<IncidentsConfig> = {
  escalations: [
    {
      name: 'shop',
      matchers: matchers('team=shop'),
      steps: [
        { waitMs: 0, notify: { receivers: ['chat'], schedules: [] } },
        { waitMs: 5 * MINUTE_MS, notify: PAGE },
        { waitMs: 10 * MINUTE_MS, notify: { receivers: [], schedules: ['primary'] } },
      ],
      repeat: { times: 1, afterMs: 15 * MINUTE_MS },
    },
  ],
  people: [{ name: 'minji', receiver: 'minji-phone' }],
  schedules: [
    {
      name: 'primary',
      timeZone: 'Asia/Seoul',
      people: ['minji'],
      turnDays: 7,
      startDay: 4,
      handoverMinute: 540,
      overrides: [],
    },
  ],
};

const SHOP = { alertname: 'OrdersFail', team: 'shop', severity: 'critical' };

function only(world: World): Incident {
  const all = [...world.incidents.store.all()];
  expect(all).toHaveLength(1);
  return all[0];
}

const kinds = ({ timeline }: Incident) => timeline.map(({ kind }) => kind);

describe('an incident', () => {
  it('begins with an alert, has its value, and ends with it', async () => {
    const world = await startWorld();
    const alert = world.fire(SHOP, 0.08);
    await world.clock.advance(3 * MINUTE_MS);
    world.resolve(alert, 0.01);
    const incident = only(world);
    expect(incident).toMatchObject({
      title: 'OrdersFail',
      severity: 'critical',
      priority: 'P0',
      status: 'resolved',
      wasActedOn: false,
    });
    expect(incident.alerts[0]).toMatchObject({ firstValue: 0.08, value: 0.01 });
    expect(incident.timeline).toMatchObject([
      { kind: 'triggered', value: 0.08 },
      { kind: 'resolved', value: 0.01, text: 'after 3m' },
    ]);
  });

  it('is reopened by an alert that fires again soon, and is a new one later', async () => {
    const world = await startWorld({ reopenWithinMs: 10 * MINUTE_MS });
    world.resolve(world.fire(SHOP));
    await world.clock.advance(5 * MINUTE_MS);
    const again = world.fire(SHOP);
    expect(only(world)).toMatchObject({ status: 'triggered', firings: 2 });
    expect(kinds(only(world))).toEqual(['triggered', 'resolved', 'reopened']);
    world.resolve(again);
    await world.clock.advance(11 * MINUTE_MS);
    world.fire(SHOP);
    expect([...world.incidents.store.all()]).toHaveLength(2);
  });

  it('holds several alerts where labels are to make it, and is as bad as the worst', async () => {
    const world = await startWorld({ groupBy: ['team'] });
    const one = world.fire({ alertname: 'A', team: 'shop', severity: 'warning' });
    const two = world.fire({ alertname: 'B', team: 'shop', severity: 'page' });
    expect(only(world)).toMatchObject({ labels: { team: 'shop' }, severity: 'critical' });
    world.resolve(one);
    expect(only(world).status).toBe('triggered');
    world.resolve(two);
    expect(only(world).status).toBe('resolved');
  });

  it('goes on after a restart, with everything that was done', async () => {
    const world = await startWorld();
    const alert = world.fire(SHOP);
    await world.incidents.actions.acknowledge(only(world).id, KIM);
    const next = await world.restart();
    expect(only(next)).toMatchObject({ status: 'acknowledged', acknowledgedBy: 'kim' });
    next.resolve(alert);
    expect(only(next).status).toBe('resolved');
  });

  it('ends when its alert ended while nothing ran', async () => {
    const world = await startWorld();
    const alert = world.fire(SHOP);
    await world.clock.advance(1);
    world.incidents.stop();
    const gone = await startWorld({}, world.clock, world.state);
    expect(only(gone).alerts[0].fingerprint).toBe(alert.fingerprint);
    await gone.clock.advance(6 * MINUTE_MS);
    expect(only(gone).status).toBe('resolved');
  });

  it('is resolved by hand: it is quiet until it fires anew', async () => {
    const world = await startWorld();
    const alert = world.fire(SHOP);
    const { id } = only(world);
    await world.incidents.actions.resolve(id, KIM, 'rolled back');
    expect(only(world)).toMatchObject({ status: 'resolved', resolvedBy: 'kim' });
    expect(world.incidents.mutedBy(alert, 'chat')).toEqual(['resolved by kim']);
    await expect(world.incidents.actions.acknowledge(id, KIM)).rejects.toThrow(/is over/);
    world.resolve(alert);
    world.fire(SHOP);
    expect(only(world).status).toBe('triggered');
  });

  it('refuses who has no name, and notes that are empty or too long', async () => {
    const world = await startWorld();
    world.fire(SHOP);
    const { actions } = world.incidents;
    const { id } = only(world);
    await expect(actions.acknowledge(id, { by: ' ', from: '' })).rejects.toThrow(/"by"/);
    await expect(actions.addNote(id, KIM, '')).rejects.toThrow(/empty/);
    await expect(actions.addNote(id, KIM, 'x'.repeat(5000))).rejects.toThrow(/at most 4000/);
    await expect(actions.acknowledge('nope', KIM)).rejects.toThrow(/there is no incident/);
    expect(only(world).status).toBe('triggered');
  });

  it('keeps a timeline of bounded length, with its beginning', async () => {
    const world = await startWorld();
    world.fire(SHOP);
    const { id } = only(world);
    for (let i = 0; i < 300; i++) await world.incidents.actions.addNote(id, KIM, `note ${i}`);
    const { timeline, entriesLeftOut } = only(world);
    expect(timeline).toHaveLength(200);
    expect(entriesLeftOut).toBe(101);
    expect(timeline[0].kind).toBe('triggered');
    expect(timeline.at(-1)?.text).toBe('note 299');
  });
});

describe('an escalation', () => {
  it('tells one step after the other, and again, until it is over', async () => {
    const world = await startWorld(CHAIN);
    const alert = world.fire(SHOP);
    await world.clock.advance(MINUTE_MS);
    expect(world.told).toEqual(['chat: firing OrdersFail']);
    await world.clock.advance(5 * MINUTE_MS);
    expect(world.told.slice(1)).toEqual(['pager: firing OrdersFail']);
    await world.clock.advance(10 * MINUTE_MS);
    expect(world.told.slice(2)).toEqual(['minji-phone: firing OrdersFail']);
    await world.clock.advance(15 * MINUTE_MS);
    expect(world.told.slice(3)).toEqual(['chat: firing OrdersFail']);
    world.told.length = 0;
    world.resolve(alert);
    await world.clock.advance(60 * MINUTE_MS);
    const end = ['chat', 'pager', 'minji-phone'].map((name) => `${name}: resolved OrdersFail`);
    expect(world.told).toEqual(end);
    expect(only(world).timeline.filter(({ kind }) => kind === 'escalated')).toMatchObject([
      { text: 'step 1 of 3 of shop: chat' },
      { text: 'step 2 of 3 of shop: pager' },
      { text: 'step 3 of 3 of shop: minji (on call: primary)' },
      { text: 'step 1 of 3 of shop, round 2: chat' },
    ]);
  });

  it('stops when somebody acknowledges, and begins anew when nobody has it any more', async () => {
    const world = await startWorld(CHAIN);
    const alert = world.fire(SHOP);
    await world.clock.advance(MINUTE_MS);
    const { id } = only(world);
    await world.incidents.actions.acknowledge(id, KIM);
    await world.clock.advance(60 * MINUTE_MS);
    expect(world.told).toEqual(['chat: firing OrdersFail']);
    expect(world.incidents.mutedBy(alert, 'chat')).toEqual(['acknowledged by kim']);
    expect(world.incidents.mutedBy({ ...alert, endsAtMs: 0 }, 'chat')).toEqual([]);
    await world.incidents.actions.unacknowledge(id, KIM);
    await world.clock.advance(MINUTE_MS);
    expect(world.told).toEqual(['chat: firing OrdersFail', 'chat: firing OrdersFail']);
    world.resolve(alert);
    await world.clock.advance(MINUTE_MS);
    expect(world.told.at(-1)).toBe('chat: resolved OrdersFail');
  });

  it('begins anew when the acknowledgement has run out, also over a restart', async () => {
    const world = await startWorld({ ...CHAIN, ackTimeoutMs: 30 * MINUTE_MS });
    world.fire(SHOP);
    await world.clock.advance(MINUTE_MS);
    await world.incidents.actions.acknowledge(only(world).id, KIM);
    const next = await world.restart();
    await next.clock.advance(31 * MINUTE_MS);
    expect(next.told).toEqual(['chat: firing OrdersFail']);
    expect(kinds(only(next))).toContain('acknowledgement expired');
    expect(only(next).acknowledgedBy).toBeUndefined();
  });

  it('goes on after a restart where it was', async () => {
    const world = await startWorld(CHAIN);
    world.fire(SHOP);
    await world.clock.advance(MINUTE_MS);
    const next = await world.restart();
    await next.clock.advance(3 * MINUTE_MS);
    expect(next.told).toEqual([]);
    await next.clock.advance(2 * MINUTE_MS);
    expect(next.told).toEqual(['pager: firing OrdersFail']);
  });

  it('repeats a page that a crash cut off, and goes on while a receiver hangs', async () => {
    const world = await startWorld(CHAIN);
    world.hanging.add('chat');
    world.fire(SHOP);
    await world.clock.advance(6 * MINUTE_MS);
    expect(world.told).toEqual(['pager: firing OrdersFail']);
    const next = await world.restart();
    await next.clock.advance(MINUTE_MS);
    expect(next.told).toEqual(['chat: firing OrdersFail']);
    const third = await next.restart();
    await third.clock.advance(MINUTE_MS);
    expect(third.told).toEqual([]);
  });

  it('tells an end that a crash cut off, and each end once', async () => {
    const world = await startWorld(CHAIN);
    const alert = world.fire(SHOP);
    await world.clock.advance(MINUTE_MS);
    world.hanging.add('chat');
    world.resolve(alert);
    await world.clock.advance(MINUTE_MS);
    const next = await world.restart();
    await next.clock.advance(MINUTE_MS);
    expect(next.told).toEqual(['chat: resolved OrdersFail']);
    const again = next.fire(SHOP);
    await next.clock.advance(MINUTE_MS);
    next.resolve(again);
    await next.clock.advance(MINUTE_MS);
    expect(next.told.slice(1)).toEqual(['chat: firing OrdersFail', 'chat: resolved OrdersFail']);
    const third = await next.restart();
    await third.clock.advance(MINUTE_MS);
    expect(third.told).toEqual([]);
  });

  it('goes to the next step at once where nobody of one can be told', async () => {
    const world = await startWorld(CHAIN);
    world.broken.add('chat');
    world.fire(SHOP);
    await world.clock.advance(1000);
    expect(world.told).toContain('pager: firing OrdersFail');
    expect(kinds(only(world))).toContain('notification failed');
  });

  it('tells nobody of what a silence mutes, and says so', async () => {
    const world = await startWorld(CHAIN);
    world.silenced.add('OrdersFail');
    world.fire(SHOP);
    await world.clock.advance(MINUTE_MS);
    expect(world.told).toEqual([]);
    expect(only(world).timeline.at(-1)).toMatchObject({
      kind: 'not notified',
      text: 'silenced by a silence',
    });
    expect(world.incidents.silencedBy(only(world))).toEqual(['a silence']);
  });
});

describe('suppression', () => {
  it('keeps an incident quiet for a time, and tells again if it still fires', async () => {
    const world = await startWorld(CHAIN);
    const alert = world.fire(SHOP);
    await world.clock.advance(MINUTE_MS);
    await world.incidents.actions.suppress(only(world).id, KIM, 30 * MINUTE_MS);
    expect(only(world)).toMatchObject({ status: 'suppressed', suppressedBy: 'kim' });
    expect(world.incidents.mutedBy(alert, 'mail')).toEqual(['suppressed by kim']);
    const next = await world.restart();
    await next.clock.advance(29 * MINUTE_MS);
    expect(next.told).toEqual([]);
    await next.clock.advance(2 * MINUTE_MS);
    expect(next.told).toEqual(['chat: firing OrdersFail']);
    expect(only(next).status).toBe('triggered');
  });

  it('tells those again whom routes had told', async () => {
    const world = await startWorld();
    const alert = world.fire(SHOP);
    world.incidents.attempted({
      atMs: world.clock.nowMs(),
      durationMs: 3,
      receiver: 'mail',
      integration: 'email',
      index: 0,
      groupKey: '{}:{}',
      reason: 'first notification',
      firing: [alert],
      resolved: [],
      attempt: 1,
      outcome: 'delivered',
      error: '',
    });
    await world.incidents.actions.suppress(only(world).id, KIM, MINUTE_MS);
    await world.clock.advance(2 * MINUTE_MS);
    expect(world.told).toEqual(['mail: firing OrdersFail']);
  });

  it('until it is resolved lasts until then', async () => {
    const world = await startWorld(CHAIN);
    const alert = world.fire(SHOP);
    await world.incidents.actions.suppress(only(world).id, KIM);
    await world.clock.advance(1000 * MINUTE_MS);
    expect(only(world).status).toBe('suppressed');
    world.resolve(alert);
    expect(only(world).status).toBe('resolved');
  });

  it('by matchers takes what is open and what comes, and ends early by hand', async () => {
    const world = await startWorld(CHAIN);
    world.fire(SHOP);
    await world.clock.advance(MINUTE_MS);
    const team = [{ name: 'team', value: 'shop', isRegex: false, isEqual: true }];
    const { suppressMatching, endSuppressing } = {
      suppressMatching: world.incidents.actions.suppressMatching.bind(world.incidents.actions),
      endSuppressing: world.incidents.actions.endSuppressing.bind(world.incidents.actions),
    };
    const { id } = await suppressMatching(team, KIM, 60 * MINUTE_MS, 'deploy');
    world.fire({ ...SHOP, alertname: 'Slow' });
    await world.clock.advance(10 * MINUTE_MS);
    const statuses = () => [...world.incidents.store.all()].map(({ status }) => status);
    expect(statuses()).toEqual(['suppressed', 'suppressed']);
    expect(world.told).toEqual(['chat: firing OrdersFail']);
    await endSuppressing(id, KIM);
    await world.clock.advance(MINUTE_MS);
    expect(statuses()).toEqual(['triggered', 'triggered']);
    expect(world.told.slice(1).sort()).toEqual(['chat: firing OrdersFail', 'chat: firing Slow']);
    const all = [{ name: 'x', value: '.*', isRegex: true, isEqual: true }];
    await expect(suppressMatching(all, KIM, MINUTE_MS, '')).rejects.toThrow(/not everything/);
  });

  it('by rule: the first of a service is told, those that follow in its time are not', async () => {
    const suppress = [
      { name: 'payment', matchers: matchers('service=payment'), same: [], forMs: 30 * MINUTE_MS },
    ];
    const P0 = { notify: PAGE, digest: undefined };
    const world = await startWorld({ suppress, priorities: { P0, P1: P0, P2: P0 } });
    world.fire({ alertname: 'Errors', service: 'payment' });
    await world.clock.advance(MINUTE_MS);
    const second = world.fire({ alertname: 'Connections', service: 'payment' });
    world.fire({ alertname: 'Other', service: 'web' });
    await world.clock.advance(MINUTE_MS);
    expect(world.told).toEqual(['pager: firing Errors', 'pager: firing Other']);
    const next = await world.restart();
    expect(next.incidents.mutedBy(second, 'mail')).toEqual(['suppressed by rule payment']);
    await next.clock.advance(29 * MINUTE_MS);
    expect(next.told).toEqual(['pager: firing Connections']);
  });

  it('comes back every week at its times, in its time zone', async () => {
    const spec = {
      times: [{ begin: 22 * 60, end: 24 * 60 }],
      weekdays: [{ begin: 1, end: 1 }],
      daysOfMonth: undefined,
      months: undefined,
      years: undefined,
      timeZone: 'Asia/Seoul',
    };
    const world = await startWorld({
      recurringSilences: [{ name: 'night', matchers: matchers('env=test'), specs: [spec] }],
    });
    const alert = world.fire({ alertname: 'A', env: 'test' });
    const muted = () => world.incidents.mutedBy(alert, 'chat');
    // 08:00 UTC is 17:00 in Seoul.
    expect(muted()).toEqual([]);
    await world.clock.advance(5.5 * 60 * MINUTE_MS);
    expect(muted()).toEqual(['night']);
    await world.clock.advance(2 * 60 * MINUTE_MS);
    expect(muted()).toEqual([]);
  });
});

describe('many incidents', () => {
  it('are bounded: what is over goes first, and what comes beyond is counted', async () => {
    const world = await startWorld();
    const over = world.fire({ alertname: 'Over' });
    world.resolve(over);
    for (let i = 0; i < 10_005; i++) world.fire({ alertname: 'Storm', pod: String(i) });
    const titles = new Set([...world.incidents.store.all()].map(({ title }) => title));
    expect([...titles]).toEqual(['Storm']);
    expect(world.incidents.store.size).toBe(10_000);
    expect(world.incidents.rejected).toBe(5);
  });
});

it('an alert that was noted before a crash and its incident was not becomes one', async () => {
  const world = await startWorld();
  const alert = world.fire(SHOP);
  await world.clock.advance(1);
  world.incidents.stop();
  await world.clock.advance(1);
  for (const [key] of world.state.entries('incident/')) await world.state.remove(key);
  const P0 = { notify: PAGE, digest: undefined };
  const next = await world.restart({ priorities: { P0, P1: P0, P2: P0 } });
  await next.clock.advance(MINUTE_MS);
  expect(only(next).alerts[0].fingerprint).toBe(alert.fingerprint);
  expect(next.told).toEqual(['pager: firing OrdersFail']);
});

it('an alert of any size is kept in bounds, and ends like any other', async () => {
  const world = await startWorld(CHAIN);
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`z${i}`, 'x']));
  const alert = world.fire({ ...many, ...SHOP, huge: 'y'.repeat(1_000_000) });
  expect(JSON.stringify(only(world)).length).toBeLessThan(20_000);
  await world.clock.advance(MINUTE_MS);
  world.resolve(alert);
  await world.clock.advance(MINUTE_MS);
  expect(world.told).toEqual(['chat: firing OrdersFail', 'chat: resolved OrdersFail']);
});

/** Statistics, the review, and what words, time zones and links mean. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStateStore } from '@tyto/alerting';
import { Labels } from '@tyto/model';
import { DEFAULT_CONFIG, type ScheduleConfig } from './config.ts';
import { onCall } from './onCall.ts';
import { reviewOf } from './review.ts';
import { judge, severityWords } from './severity.ts';
import { SignedLinks } from './signedLinks.ts';
import { statisticsOf } from './statistics.ts';
import { MINUTE_MS, startWorld } from './testing/world.ts';
import { instantOf, isTimeZone, localTime } from './zonedTime.ts';

const KIM = { by: 'kim', from: 'test' };

describe('statistics', () => {
  it('count alerts, notifications and times, and name what nobody acted on', async () => {
    const P0 = { notify: { receivers: ['pager', 'chat'], schedules: [] }, digest: undefined };
    const none = { notify: { receivers: [], schedules: [] }, digest: undefined };
    const world = await startWorld({ priorities: { P0, P1: none, P2: none } });
    world.broken.add('chat');
    const down = world.fire({ alertname: 'Down', severity: 'critical' });
    world.fire({ alertname: 'Slow', severity: 'high' });
    await world.clock.advance(2 * MINUTE_MS);
    const [first] = world.incidents.store.all();
    await world.incidents.actions.acknowledge(first.id, KIM);
    await world.clock.advance(4 * MINUTE_MS);
    world.resolve(down);
    await world.clock.advance(1);
    const incidents = [...world.incidents.store.all()];
    const figures = statisticsOf(incidents, world.incidents.history.all());
    expect(figures).toMatchObject({
      total: 2,
      active: 1,
      bySeverity: { critical: 1, high: 1, medium: 0, low: 0 },
      byStatus: { triggered: 1, resolved: 1, acknowledged: 0, suppressed: 0 },
      timeToAcknowledge: { count: 1, meanSeconds: 120, medianSeconds: 120 },
      timeToResolve: { count: 1, meanSeconds: 360 },
      // The pager is also told that chat fails.
      notifications: { delivered: 3, failed: 1, successRate: 0.75 },
      receivers: [
        { receiver: 'chat', successRate: 0 },
        { receiver: 'pager', successRate: 1 },
      ],
      neverActedOn: [{ alertname: 'Slow', firings: 1 }],
    });
  });
});

describe('the review', () => {
  it('proposes what to change, with the reason', async () => {
    const world = await startWorld({ reopenWithinMs: 0 });
    for (let i = 0; i < 12; i++) {
      await world.clock.advance(MINUTE_MS);
      const alert = world.fire({ alertname: 'Blip' });
      await world.clock.advance(5000);
      world.resolve(alert);
    }
    const incidents = [...world.incidents.store.all()];
    const { proposals } = reviewOf(incidents, [], DEFAULT_CONFIG, () => undefined);
    expect(
      proposals.map(({ alertname, kind, reason }) => `${alertname} ${kind}: ${reason}`),
    ).toEqual([
      'Blip never acted on: fired 12 times, and nobody ever acknowledged, noted or resolved it',
      'Blip resolves by itself: was over by itself in under a minute each of 12 times',
    ]);
  });

  it('finds what flaps', async () => {
    const world = await startWorld();
    for (let i = 0; i < 5; i++) {
      world.resolve(world.fire({ alertname: 'Flaps' }));
      await world.clock.advance(MINUTE_MS);
    }
    const incidents = [...world.incidents.store.all()];
    const { proposals } = reviewOf(incidents, [], DEFAULT_CONFIG, () => undefined);
    expect(proposals).toMatchObject([{ kind: 'flapping', reason: 'fired 5 times in 1 incidents' }]);
  });

  it('warns of more rules that page than people can answer for', () => {
    const rules = Array.from({ length: 21 }, (_, i) => ({
      name: `R${i}`,
      group: 'g',
      file: 'f',
      labels: Labels.of({ severity: 'critical' }),
      annotations: Labels.of({ runbook_url: 'http://wiki.test/' }),
    }));
    const { warnings } = reviewOf([], rules, DEFAULT_CONFIG, () => undefined);
    expect(warnings).toEqual([
      '21 rules page somebody; more than 20 are more than people can answer for: merge some, or ' +
        'give them a lower priority',
    ]);
    expect(reviewOf([], rules.slice(1), DEFAULT_CONFIG, () => undefined).warnings).toEqual([]);
  });
});

describe('severity and priority', () => {
  const of = (labels: Record<string, string>) => judge(Labels.of(labels), DEFAULT_CONFIG.severity);

  it.each([
    [{ severity: 'critical' }, 'critical', 'P0'],
    [{ severity: 'PAGE' }, 'critical', 'P0'],
    [{ severity: '심각' }, 'critical', 'P0'],
    [{ severity: 'error' }, 'high', 'P1'],
    [{ severity: 'warning' }, 'medium', 'P2'],
    [{ severity: '경고' }, 'medium', 'P2'],
    [{ severity: 'info' }, 'low', 'P2'],
    [{ severity: 'P1' }, 'high', 'P1'],
    [{ priority: 'p0' }, 'critical', 'P0'],
    [{ severity: 'warning', priority: 'P0' }, 'medium', 'P0'],
    [{ severity: 'nonsense' }, 'medium', 'P2'],
    [{ severity: 'constructor', priority: '__proto__' }, 'medium', 'P2'],
    [{}, 'medium', 'P2'],
  ])('%o is %s and %s', (labels, severity, priority) => {
    expect(of(labels as Record<string, string>)).toEqual({ severity, priority });
  });

  it('can be told in other words, which are shown', () => {
    const config = { ...DEFAULT_CONFIG.severity, words: { warning: 'high' as const } };
    expect(judge(Labels.of({ severity: 'Warning' }), config).severity).toBe('high');
    expect(severityWords(config)).toMatchObject({ warning: 'high', page: 'critical' });
  });
});

describe('time zones', () => {
  it('give an instant back from its local time', () => {
    const zones = ['UTC', 'Asia/Seoul', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia'];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60_000_000 }),
        fc.constantFrom(...zones),
        (minutes, zone) => {
          const ms = minutes * MINUTE_MS;
          const { day, minute } = localTime(ms, zone);
          const back = instantOf(day, minute, zone);
          // The hour that comes twice in autumn is the first of the two.
          expect([ms, ms - 3600_000]).toContain(back);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('know the hour that is skipped in spring', () => {
    const day = Date.UTC(2026, 2, 8) / 86_400_000;
    const ms = instantOf(day, 150, 'America/New_York');
    // 02:30 is not there: it is 03:30.
    expect(new Date(ms).toISOString()).toBe('2026-03-08T07:30:00.000Z');
    expect(isTimeZone('Asia/Seoul')).toBe(true);
    expect(isTimeZone('Asia/Soul')).toBe(false);
  });
});

describe('on-call duty', () => {
  const schedule: ScheduleConfig = {
    name: 'primary',
    timeZone: 'Asia/Seoul',
    people: ['kim', 'lee', 'park'],
    turnDays: 7,
    startDay: Date.UTC(2026, 10, 2) / 86_400_000,
    handoverMinute: 9 * 60,
    overrides: [
      {
        person: 'park',
        fromMs: Date.parse('2026-11-05T00:00:00+09:00'),
        toMs: Date.parse('2026-11-06T00:00:00+09:00'),
      },
    ],
  };
  const at = (text: string) => onCall(schedule, Date.parse(`${text}+09:00`));

  it('is handed over at its local time, in turns', () => {
    expect(at('2026-11-02T09:00:00').person).toBe('kim');
    expect(at('2026-11-09T08:59:00').person).toBe('kim');
    expect(at('2026-11-09T09:00:00').person).toBe('lee');
    expect(at('2026-11-16T09:00:00').person).toBe('park');
    expect(at('2026-11-23T09:00:00').person).toBe('kim');
    expect(at('2026-11-02T08:59:00').person).toBe('park');
    expect(at('2026-11-09T09:00:00').untilMs).toBe(Date.parse('2026-11-16T09:00:00+09:00'));
  });

  it('is taken over for a while', () => {
    expect(at('2026-11-05T12:00:00')).toMatchObject({ person: 'park', isOverride: true });
    expect(at('2026-11-06T00:00:00').person).toBe('kim');
    expect(at('2026-11-04T12:00:00').untilMs).toBe(Date.parse('2026-11-05T00:00:00+09:00'));
  });
});

describe('a signed link', () => {
  const link = {
    incident: 'abc',
    action: 'acknowledge',
    expiresAtMs: 1_800_000_000_000,
    person: 'kim',
  } as const;

  it('says what it allows, also after a restart, and to nobody else’s Tyto', async () => {
    const state = new MemoryStateStore();
    const token = (await SignedLinks.open(state)).sign(link);
    expect((await SignedLinks.open(state)).read(token)).toEqual(link);
    expect((await SignedLinks.open(new MemoryStateStore())).read(token)).toBeUndefined();
  });

  it('cannot be changed, whatever somebody sends', async () => {
    const links = await SignedLinks.open(new MemoryStateStore());
    const token = links.sign(link);
    const [payload, mac] = token.split('.');
    const fields = Buffer.from(JSON.stringify(['other', 'acknowledge', 1_900_000_000, '']));
    expect(links.read(`${fields.toString('base64url')}.${mac}`)).toBeUndefined();
    for (const bad of ['', '.', payload, `${token}.x`, 'x'.repeat(3000), `${payload}.`]) {
      expect(links.read(bad)).toBeUndefined();
    }
    fc.assert(fc.property(fc.string(), (text) => links.read(text) === undefined));
  });
});

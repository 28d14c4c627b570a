/** What happens by itself: digests, responses, watching ourselves, runbooks. */
import { describe, expect, it } from 'vitest';
import type { NotifyAttempt } from '@tyto/alerting';
import { DEFAULT_CONFIG, type IncidentsConfig, type ResponseConfig } from './config.ts';
import { reviewOf } from './review.ts';
import { matchers, MINUTE_MS, startWorld, type World } from './testing/world.ts';
import { Labels } from '@tyto/model';

const HOUR_MS = 60 * MINUTE_MS;
const NONE = { notify: { receivers: [], schedules: [] }, digest: undefined };
const DAILY: Partial<IncidentsConfig> = {
  priorities: {
    P0: { notify: { receivers: ['pager'], schedules: [] }, digest: undefined },
    P1: NONE,
    P2: {
      ...NONE,
      digest: { receivers: ['mail'], minute: 9 * 60, timeZone: 'Asia/Seoul' },
    },
  },
};
const DISK = { alertname: 'DiskFills', severity: 'warning' };

describe('a digest', () => {
  it('tells once a day what can wait, and nothing before', async () => {
    const world = await startWorld(DAILY);
    const alert = world.fire(DISK);
    world.fire({ alertname: 'Down', severity: 'critical' });
    await world.clock.advance(MINUTE_MS);
    expect(world.told).toEqual(['pager: firing Down']);
    expect(world.incidents.mutedBy(alert, 'chat')).toEqual(['daily digest of P2']);
    world.resolve(alert);
    // It is 17:01 in Seoul.
    await world.clock.advance(15 * HOUR_MS);
    expect(world.told).toHaveLength(1);
    await world.clock.advance(HOUR_MS);
    expect(world.told[1]).toBe('mail: resolved DiskFills');
  });

  it('tells the next day what is over since then', async () => {
    const world = await startWorld(DAILY);
    const alert = world.fire(DISK);
    await world.clock.advance(17 * HOUR_MS);
    world.resolve(alert);
    await world.clock.advance(72 * HOUR_MS);
    expect(world.told).toEqual(['mail: firing DiskFills', 'mail: resolved DiskFills']);
  });

  it('is not sent on a day on which nothing happened', async () => {
    const world = await startWorld(DAILY);
    world.resolve(world.fire(DISK));
    await world.clock.advance(72 * HOUR_MS);
    expect(world.told).toEqual(['mail: resolved DiskFills']);
  });

  it('comes late where nothing ran at its time, and once', async () => {
    const world = await startWorld(DAILY);
    world.fire(DISK);
    world.incidents.stop();
    await world.clock.advance(17 * HOUR_MS);
    const next = await world.restart();
    await next.clock.advance(MINUTE_MS);
    expect(next.told).toEqual(['mail: firing DiskFills']);
    const third = await next.restart();
    await third.clock.advance(HOUR_MS);
    expect(third.told).toEqual([]);
  });

  it('is tried again while the receiver does not answer', async () => {
    const world = await startWorld(DAILY);
    world.fire(DISK);
    world.broken.add('mail');
    await world.clock.advance(17 * HOUR_MS);
    expect(world.told).toEqual([]);
    world.broken.clear();
    await world.clock.advance(6 * MINUTE_MS);
    expect(world.told).toEqual(['mail: firing DiskFills']);
  });
});

const RESPONSE: ResponseConfig = {
  name: 'clean',
  matchers: matchers('alertname=DiskFills'),
  command: ['/bin/clean', '--all'],
  environment: { MODE: 'safe' },
  directory: '/',
  webhook: '',
  timeoutMs: 1000,
  outputBytesMax: 100,
  rateMax: 2,
  rateMs: HOUR_MS,
};

function responses(world: World): string[] {
  return [...world.incidents.store.all()].flatMap(({ timeline }) =>
    timeline.filter(({ kind }) => kind === 'response').map(({ text }) => text ?? ''),
  );
}

describe('an automatic response', () => {
  it('runs once for a firing, with the incident in its environment', async () => {
    const world = await startWorld({ responses: [RESPONSE] });
    world.fire(DISK);
    world.fire({ alertname: 'Other' });
    await world.clock.advance(1);
    expect(world.commands).toHaveLength(1);
    expect(world.commands[0]).toMatchObject({ command: ['/bin/clean', '--all'], directory: '/' });
    expect(world.commands[0].environment).toMatchObject({
      MODE: 'safe',
      TYTO_TITLE: 'DiskFills',
      TYTO_LABELS: JSON.stringify(DISK),
    });
    expect(responses(world)).toEqual([
      'clean: runs ["/bin/clean","--all"]',
      'clean: ended with 0: done (0.0 s)',
    ]);
  });

  it('does not run again for the same firing after a crash, and says so', async () => {
    const world = await startWorld({ responses: [RESPONSE] });
    world.commandResult = () => new Promise(() => undefined);
    const alert = world.fire(DISK);
    await world.clock.advance(1);
    const next = await world.restart();
    next.incidents.fired(alert);
    await next.clock.advance(MINUTE_MS);
    expect(next.commands).toEqual([]);
    expect(responses(next).at(-1)).toMatch(/not known: Tyto ended meanwhile; not run again/);
  });

  it('runs no more often than its rate', async () => {
    const world = await startWorld({ responses: [RESPONSE] });
    for (const disk of ['a', 'b', 'c']) world.fire({ ...DISK, disk });
    await world.clock.advance(1);
    expect(world.commands).toHaveLength(2);
    expect(responses(world)).toContain('clean: not run: more than 2 in 3600 s');
  });

  it('posts to a webhook, whose path is not shown', async () => {
    const webhook = { ...RESPONSE, command: [], webhook: 'http://hooks.test/secret' };
    const world = await startWorld({ responses: [webhook] });
    world.fire(DISK);
    await world.clock.advance(1);
    expect(world.posted).toMatchObject([
      { url: 'http://hooks.test/secret', body: { title: 'DiskFills', labels: DISK } },
    ]);
    expect(responses(world)[0]).toBe('clean: runs a webhook at hooks.test');
  });
});

function attempt(world: World, receiver: string, outcome: NotifyAttempt['outcome']): NotifyAttempt {
  return {
    atMs: world.clock.nowMs(),
    durationMs: 3,
    receiver,
    integration: 'webhook',
    index: 0,
    groupKey: '{}:{}',
    reason: 'first notification',
    firing: [],
    resolved: [],
    attempt: 1,
    outcome,
    error: outcome === 'delivered' ? '' : 'connection refused',
  };
}

describe('watching ourselves', () => {
  it('beats, so that somebody outside notices our death', async () => {
    const selfWatch = {
      ...DEFAULT_CONFIG.selfWatch,
      heartbeatUrl: 'http://dead.test/',
      heartbeatMs: MINUTE_MS,
    };
    const world = await startWorld({ selfWatch });
    world.incidents.apply(world.incidents.config);
    await world.clock.advance(2.5 * MINUTE_MS);
    // At the start, at the new configuration, and at each interval from then on.
    expect(world.posted).toHaveLength(4);
    expect(world.posted[0].body).toMatchObject({ status: 'firing', alertname: 'TytoHeartbeat' });
  });

  it('raises an alert when a receiver cannot be told, and tells another one', async () => {
    const world = await startWorld();
    world.incidents.attempted(attempt(world, 'mail', 'delivered'));
    world.incidents.attempted(attempt(world, 'chat', 'will be retried'));
    expect(world.raised).toEqual([]);
    world.incidents.attempted(attempt(world, 'chat', 'failed'));
    await world.clock.advance(1);
    expect(world.raised[0].labels.toRecord()).toMatchObject({
      alertname: 'TytoNotificationsFailing',
      receiver: 'chat',
    });
    expect(world.told).toEqual(['mail: firing TytoNotificationsFailing']);
    const raised = world.fire(world.raised[0].labels.toRecord());
    expect(world.incidents.mutedBy(raised, 'chat')).toEqual(['it tells that this receiver fails']);
    await world.clock.advance(5 * MINUTE_MS);
    expect(world.raised).toHaveLength(6);
    world.incidents.attempted(attempt(world, 'chat', 'delivered'));
    await world.clock.advance(1);
    expect(world.raised.at(-1)?.endsAtMs).toBeLessThanOrEqual(world.clock.nowMs());
    expect(world.told.at(-1)).toBe('mail: resolved TytoNotificationsFailing');
  });

  it('tells the receiver that is configured for it', async () => {
    const watched = { ...DEFAULT_CONFIG.selfWatch, isFailureWatched: true };
    const selfWatch = { ...watched, fallback: 'pager' };
    const world = await startWorld({ selfWatch });
    world.incidents.attempted(attempt(world, 'chat', 'failed'));
    await world.clock.advance(1);
    expect(world.told).toEqual(['pager: firing TytoNotificationsFailing']);
  });
});

describe('runbooks', () => {
  it('are asked for only where it is configured, and a dead one is in the review', async () => {
    const review = { ...DEFAULT_CONFIG.review, checksRunbooks: true };
    const world = await startWorld({ review });
    const rule = (name: string, url: string) => ({
      name,
      group: 'g',
      file: 'rules.yml',
      labels: Labels.of({ severity: 'critical' }),
      annotations: Labels.of({ runbook_url: url }),
    });
    world.rules.push(
      rule('Good', 'http://wiki.test/good'),
      rule('Dead', 'http://wiki.test/dead'),
      rule('None', ''),
      rule('NoHead', 'http://wiki.test/nohead'),
    );
    world.probes.set('HEAD http://wiki.test/good', 200);
    world.probes.set('HEAD http://wiki.test/dead', 404);
    world.probes.set('GET http://wiki.test/dead', 404);
    world.probes.set('HEAD http://wiki.test/nohead', 405);
    world.probes.set('GET http://wiki.test/nohead', 200);
    await world.clock.advance(MINUTE_MS);
    const { runbooks, config } = world.incidents;
    const { proposals } = reviewOf([], world.rules, config, (url) => runbooks.stateOf(url));
    expect(proposals.map(({ alertname, kind, reason }) => [alertname, kind, reason])).toEqual([
      ['Dead', 'dead runbook', 'its runbook http://wiki.test/dead answers 404'],
      ['None', 'no runbook', 'has no annotation "runbook_url"'],
    ]);
  });
});

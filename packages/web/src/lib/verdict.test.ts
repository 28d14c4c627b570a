import type { ActiveTarget, NotifiedAlert, RuleGroup, TargetHealth } from '@tyto/api';
import { describe, expect, it } from 'vitest';
import { firingRules } from './alerts.ts';
import { judge, loudCountOf, type Verdict } from './verdict.ts';

function target(health: TargetHealth): ActiveTarget {
  return {
    discoveredLabels: {},
    labels: { job: 'node', instance: 'a:9100' },
    scrapePool: 'node',
    scrapeUrl: '',
    globalUrl: '',
    lastError: '',
    lastScrape: '',
    lastScrapeDuration: 0,
    health,
    scrapeInterval: '15s',
    scrapeTimeout: '10s',
  };
}

function group(severity: string, state: 'firing' | 'pending', health: 'ok' | 'err' = 'ok') {
  const labels = { alertname: 'A', instance: 'a', ...(severity === '' ? {} : { severity }) };
  const result: RuleGroup = {
    name: 'g',
    file: 'f',
    interval: 15,
    evaluationTime: 0,
    lastEvaluation: '',
    rules: [
      {
        type: 'alerting',
        name: 'A',
        query: 'up == 0',
        state,
        duration: 0,
        health,
        evaluationTime: 0,
        lastEvaluation: '',
        alerts: [{ labels, annotations: {}, state, activeAt: '2026-11-21T18:20:03Z', value: '1' }],
      },
    ],
  };
  return result;
}

function verdictOf(
  groups: RuleGroup[],
  targets: ActiveTarget[],
  notified: NotifiedAlert[] = [],
  isConnected = true,
): Verdict {
  const firing = firingRules(groups, notified);
  return judge({ firing, groups, targets, strains: [], isConnected });
}

const SILENCED: NotifiedAlert = {
  labels: { alertname: 'A', instance: 'a', severity: 'critical', cluster: 'external' },
  annotations: {},
  fingerprint: '1',
  startsAt: '',
  endsAt: '',
  updatedAt: '',
  receivers: [],
  status: { state: 'suppressed', silencedBy: ['s'], inhibitedBy: [] },
};

describe('the verdict', () => {
  it('is good when every target is up and nothing fires', () => {
    const verdict = verdictOf([], [target('up')]);
    expect([verdict.kind, verdict.level]).toEqual(['good', 'good']);
  });

  it('names a critical alert before a target that is down', () => {
    const verdict = verdictOf([group('critical', 'firing')], [target('down'), target('up')]);
    expect([verdict.kind, verdict.level, verdict.criticalCount, verdict.downCount]).toEqual([
      'firing',
      'critical',
      1,
      1,
    ]);
    expect(verdict.sinceMs).toBe(Date.UTC(2026, 10, 21, 18, 20, 3));
  });

  it('takes an alert without severity for a warning', () => {
    const verdict = verdictOf([group('', 'firing')], [target('up')]);
    expect([verdict.kind, verdict.level, verdict.warningCount]).toEqual(['firing', 'warning', 1]);
  });

  it('stays calm about information, but puts a target that is down before it', () => {
    expect(verdictOf([group('info', 'firing')], [target('up')]).level).toBe('good');
    expect(verdictOf([group('info', 'firing')], [target('down'), target('up')]).kind).toBe('down');
  });

  it('does not count a watchdog or a pending alert as a problem', () => {
    expect(verdictOf([group('none', 'firing')], [target('up')]).kind).toBe('good');
    const pending = verdictOf([group('critical', 'pending')], [target('up')]);
    expect([pending.kind, pending.pendingCount, loudCountOf(pending)]).toEqual(['good', 1, 0]);
  });

  it('leaves silenced alerts out and counts them', () => {
    const verdict = verdictOf([group('critical', 'firing')], [target('up')], [SILENCED]);
    expect([verdict.kind, verdict.silencedCount]).toEqual(['good', 1]);
  });

  it('warns of a rule that cannot be evaluated', () => {
    const verdict = verdictOf([group('critical', 'pending', 'err')], [target('up')]);
    expect([verdict.kind, verdict.level]).toEqual(['broken', 'warning']);
  });

  it('is critical when no target at all is up', () => {
    expect(verdictOf([], [target('down')]).level).toBe('critical');
  });

  it('says that nothing is watched when nothing is', () => {
    expect(verdictOf([], []).kind).toBe('empty');
  });

  it('warns of a host at its limit even where no rule does', () => {
    const strains = [{ id: 'space', job: 'node', instance: 'a', value: 0.97 }] as const;
    const input = { firing: [], groups: [], targets: [target('up')], strains, isConnected: true };
    expect([judge(input).kind, judge(input).level]).toEqual(['strained', 'warning']);
  });

  it('waits for the first scrape before it calls anything good', () => {
    expect(verdictOf([], [target('unknown')]).kind).toBe('starting');
  });

  it('claims nothing while the server is out of reach', () => {
    const verdict = verdictOf([group('critical', 'firing')], [], [], false);
    expect([verdict.kind, verdict.level]).toEqual(['disconnected', 'unknown']);
  });
});

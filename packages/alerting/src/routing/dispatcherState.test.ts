import {
  type AlertEvents,
  type AlertmanagerConfig,
  Dispatcher,
  MemoryStateStore,
  NotifyTemplates,
  parseAlertmanagerConfig,
  type StateStore,
} from '@tyto/alerting';
import { ManualClock, silentLogger } from '@tyto/base';
import { Labels } from '@tyto/model';
import { describe, expect, it } from 'vitest';

const START_MS = Date.UTC(2026, 0, 31, 12);
const MINUTE_MS = 60_000;
const QUIET = 'route: {receiver: nobody, group_wait: 1s}\nreceivers: [{name: nobody}]\n';

interface Given {
  readonly state?: StateStore;
  readonly text?: string;
  readonly events?: AlertEvents;
  readonly change?: (config: AlertmanagerConfig) => AlertmanagerConfig;
  readonly clock?: ManualClock;
}

async function dispatcher({ state, text = QUIET, events, change, clock }: Given = {}) {
  const time = clock ?? new ManualClock(START_MS);
  const { config, problems } = parseAlertmanagerConfig(text, 'a.yml');
  if (config === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  const made = new Dispatcher({
    clock: time,
    logger: silentLogger,
    state: state ?? new MemoryStateStore(),
    externalUrl: 'http://tyto',
    observer: { attempt() {}, told() {} },
    events,
  });
  await made.apply(change?.(config) ?? config, new NotifyTemplates([], time));
  return { made, clock: time };
}

function alert(clock: ManualClock, labels: Record<string, string>, endsInMs = 5 * MINUTE_MS) {
  return {
    labels: Labels.of(labels),
    annotations: Labels.empty,
    startsAtMs: clock.nowMs(),
    endsAtMs: clock.nowMs() + endsInMs,
    generatorUrl: '',
  };
}

const silence = (clock: ManualClock, value: string) => ({
  id: '',
  matchers: [{ name: 'pod', value, isRegex: false, isEqual: true }],
  startsAtMs: clock.nowMs(),
  endsAtMs: clock.nowMs() + 60 * MINUTE_MS,
  createdBy: '',
  comment: '',
});

function noted() {
  const lines: string[] = [];
  const note = (what: string) => (of: { labels: Labels }) =>
    void lines.push(`${what} ${of.labels.get('alertname')}`);
  const events: AlertEvents = {
    fired: note('fired'),
    resolved: note('resolved'),
    attempted() {},
  };
  return { lines, events };
}

describe('the history of alerts', () => {
  it('has each beginning and each end once, told or not', async () => {
    const { lines, events } = noted();
    const { made, clock } = await dispatcher({ events });
    await made.accept([alert(clock, { alertname: 'Told' }), alert(clock, { alertname: 'Left' })]);
    await clock.advance(MINUTE_MS);
    await made.accept([alert(clock, { alertname: 'Left' })]);
    await made.accept([alert(clock, { alertname: 'Told' }, 0)]);
    await made.accept([alert(clock, { alertname: 'Told' }, 0)]);
    expect(lines).toEqual(['fired Told', 'fired Left', 'resolved Told']);
    await clock.advance(7 * MINUTE_MS);
    expect(lines.slice(3)).toEqual(['resolved Left']);
    await made.accept([alert(clock, { alertname: 'Left' })]);
    expect(lines.slice(4)).toEqual(['fired Left']);
  });

  it('goes on after a restart, with the end that came meanwhile', async () => {
    const state = new MemoryStateStore();
    const first = await dispatcher({ state });
    await first.made.accept([
      alert(first.clock, { alertname: 'Ended' }, MINUTE_MS),
      alert(first.clock, { alertname: 'Lasting' }, 60 * MINUTE_MS),
    ]);
    await first.made.stop();
    const { lines, events } = noted();
    const { made, clock } = await dispatcher({
      state,
      events,
      clock: new ManualClock(START_MS + 2 * MINUTE_MS),
    });
    await clock.advance(2000);
    await made.accept([alert(clock, { alertname: 'Lasting' })]);
    expect(lines).toEqual(['resolved Ended']);
  });
});

describe('an alert that is sent again', () => {
  it('keeps its beginning, and an end that was told, as long as its outage lasts', async () => {
    const { made, clock } = await dispatcher();
    const post = (startsAtMs: number, endsAtMs: number, isTimeout = false) =>
      made.accept([{ ...alert(clock, { alertname: 'A' }), startsAtMs, endsAtMs, isTimeout }]);
    const shown = () => {
      const [{ startsAtMs, endsAtMs }] = [...made.alerts.all()];
      return [startsAtMs - START_MS, endsAtMs - START_MS];
    };
    await post(START_MS, START_MS + 10_000);
    await post(START_MS + 5000, START_MS + 8000);
    expect(shown()).toEqual([0, 10_000]);
    await clock.advance(20_000);
    await post(START_MS + 15_000, START_MS + 30_000, true);
    expect(shown()).toEqual([15_000, 30_000]);
    await post(START_MS + 16_000, START_MS + 25_000, true);
    expect(shown()).toEqual([15_000, 25_000]);
  });
});

describe('a clock that is set', () => {
  for (const hours of [5, -5]) {
    it(`by ${hours} hours ends no alert and starts none`, async () => {
      const { lines, events } = noted();
      const { made, clock } = await dispatcher({ events });
      await made.accept([alert(clock, { alertname: 'A' })]);
      await clock.advance(MINUTE_MS);
      clock.jump(hours * 60 * MINUTE_MS);
      await clock.advance(3 * MINUTE_MS);
      expect(lines).toEqual(['fired A']);
      await clock.advance(2 * MINUTE_MS);
      expect(lines).toEqual(['fired A', 'resolved A']);
    });
  }
});

describe('a state store that fails', () => {
  const failing = () => {
    const state = new MemoryStateStore();
    const put = state.put.bind(state);
    const fault = { put: async (): Promise<void> => Promise.reject(new Error('ENOSPC')) };
    let isBroken = true;
    state.put = (key, value) => (isBroken ? fault.put() : put(key, value));
    return { state, fault, mend: () => (isBroken = false) };
  };

  it('is told to who posts alerts; they are told all the same, and written later', async () => {
    const { state, mend } = failing();
    const { made, clock } = await dispatcher({ state });
    await expect(made.accept([alert(clock, { alertname: 'A' })])).rejects.toMatchObject({
      kind: 'io',
      message: 'cannot keep the state: ENOSPC',
    });
    expect(made.groups()).toHaveLength(1);
    expect(made.stateStats).toEqual({ failures: 1, owed: 1 });
    // Posted again, it is not acknowledged either.
    await expect(made.accept([alert(clock, { alertname: 'A' })])).rejects.toThrow('ENOSPC');
    mend();
    await clock.advance(10_000);
    expect(made.stateStats.owed).toBe(0);
    expect([...state.entries('alert/')]).toHaveLength(1);
  });

  it('leaves a silence that is not on disk out of force', async () => {
    const { state } = failing();
    const { made, clock } = await dispatcher({ state });
    await made.accept([alert(clock, { alertname: 'A', pod: '1' })]).catch(() => {});
    await expect(made.silences.set(silence(clock, '1'))).rejects.toMatchObject({ kind: 'io' });
    expect(made.silences.all()).toEqual([]);
    expect([...made.alerts.all()].map((one) => made.status(one).state)).toEqual(['active']);
  });

  it('that never answers is given up on in time', async () => {
    const { state, fault } = failing();
    fault.put = () => new Promise(() => {});
    const { made, clock } = await dispatcher({ state });
    const answer = made.accept([alert(clock, { alertname: 'A' })]).catch(({ message }) => message);
    await clock.advance(10_000);
    expect(await answer).toBe('cannot keep the state: the state was not written within 10 s');
  });
});

describe('labels of a route', () => {
  it('are inherited, and say what their templates make of the group', async () => {
    const { made, clock } = await dispatcher({
      text: `
route:
  receiver: nobody
  group_by: [alertname]
  labels: {reason: 'general', text: '{{ .GroupLabels.alertname }}: {{ len .Alerts }}'}
  routes: [{matchers: [team="db"], labels: {reason: 'databases'}}]
receivers: [{name: nobody}]
`,
    });
    await made.accept(['1', '2'].map((pod) => alert(clock, { alertname: 'A', team: 'db', pod })));
    expect(await made.routeLabelsOf(made.groups()[0])).toEqual({
      reason: 'databases',
      text: 'A: 2',
    });
  });
});

describe('what is too large or too many', () => {
  it('is refused by name, and the rest of the batch is taken', async () => {
    const { made, clock } = await dispatcher();
    const refused = await made.accept([
      {
        ...alert(clock, { alertname: 'Long' }),
        annotations: Labels.of({ a: 'x'.repeat(300_000) }),
      },
      alert(clock, { alertname: 'A' }),
    ]);
    expect(refused.map(({ message }) => message)).toEqual([
      'the alert "Long" is too large: its annotations have 300001 characters of 262144',
    ]);
    expect(made.alerts.size).toBe(1);
    expect(made.counts).toEqual({ received: 2, resolved: 0, invalid: 1 });
  });

  it('goes for silences, in count and size', async () => {
    const clock = new ManualClock(START_MS);
    const made = new Dispatcher({
      clock,
      logger: silentLogger,
      state: new MemoryStateStore(),
      externalUrl: '',
      observer: { attempt() {}, told() {} },
      silenceLimits: { countMax: 1, bytesMax: 1000, retentionMs: MINUTE_MS },
    });
    const long = { ...silence(clock, '1'), comment: 'x'.repeat(2000) };
    await expect(made.silences.set(long)).rejects.toThrow('silence exceeded maximum size');
    await made.silences.set(silence(clock, '1'));
    await expect(made.silences.set(silence(clock, '2'))).rejects.toThrow(
      'exceeded maximum number of silences: 1 (limit: 1)',
    );
  });
});

describe('twenty thousand alerts', () => {
  const COUNT = 20_000;
  const text = `${QUIET}inhibit_rules: [{source_matchers: [severity=critical],
    target_matchers: [severity=warning], equal: [pod]}]`;

  it('cost work that grows with their number alone', async () => {
    let matched = 0;
    const counting = (config: AlertmanagerConfig): AlertmanagerConfig => ({
      ...config,
      inhibitRules: config.inhibitRules.map((rule) => ({
        ...rule,
        sourceMatchers: rule.sourceMatchers.map(counted),
        targetMatchers: rule.targetMatchers.map(counted),
      })),
    });
    const counted = (matcher: AlertmanagerConfig['inhibitRules'][0]['sourceMatchers'][0]) => ({
      ...matcher,
      matches: (value: string) => {
        matched++;
        return matcher.matches(value);
      },
    });
    const state = new MemoryStateStore();
    let puts = 0;
    const put = state.put.bind(state);
    state.put = (key, value) => {
      puts++;
      return put(key, value);
    };
    const { made, clock } = await dispatcher({ state, text, change: counting });
    for (let n = 0; n < 50; n++) await made.silences.set(silence(clock, `p${n}`));
    puts = 0;
    const batch = Array.from({ length: COUNT }, (_, n) =>
      alert(clock, {
        alertname: 'A',
        pod: `p${Math.floor(n / 2)}`,
        severity: n % 2 === 0 ? 'critical' : 'warning',
      }),
    );
    let turns = 0;
    const count = () => {
      turns++;
      ticking = setImmediate(count);
    };
    let ticking = setImmediate(count);
    await made.accept(batch);
    clearImmediate(ticking);
    expect(puts).toBe(COUNT);
    // Other work had its turn all the while.
    expect(turns).toBeGreaterThan(COUNT / 1000);
    const states = await made.countByState();
    // Every warning is inhibited; of the criticals those that are silenced are quiet.
    expect(Object.fromEntries(states.map(([{ state: name }, n]) => [name, n]))).toEqual({
      active: COUNT / 2 - 50,
      suppressed: COUNT / 2 + 50,
      unprocessed: 0,
    });
    expect(matched).toBeLessThan(8 * COUNT);
    await made.accept(batch);
    expect(puts).toBe(COUNT);
    expect(made.groups()[0].members()).toHaveLength(COUNT);
    await made.stop();
  });
});

/** What becomes of rules' state over restarts and reloads, and of results that are not floats. */
import { describe, expect, it } from 'vitest';
import { ManualClock, silentLogger } from '@tyto/base';
import {
  type Alert,
  appendSamples,
  createMatcher,
  type FloatHistogram,
  Labels,
  MemoryMetricStore,
  METRIC_NAME,
  SampleColumns,
} from '@tyto/model';
import { QueryEngine } from '@tyto/promql';
import { AlertingRule, type GroupDependencies, parseRuleFile, RuleManager } from '@tyto/alerting';

const MINUTE = 60_000;
/** A multiple of all intervals of these tests. */
const T0 = 1_700_000_100_000 - (1_700_000_100_000 % (60 * MINUTE));

/** A process: rules over a store that outlives it. */
class Process {
  readonly store: MemoryMetricStore;
  readonly sent: Alert[] = [];
  readonly clock: ManualClock;
  readonly #manager = new RuleManager();
  readonly #deps: GroupDependencies;

  constructor(store: MemoryMetricStore, minute: number, more: Partial<GroupDependencies> = {}) {
    this.store = store;
    this.clock = new ManualClock(T0 + minute * MINUTE);
    const engine = new QueryEngine(store);
    this.#deps = {
      clock: this.clock,
      logger: silentLogger,
      store,
      query: (expression, timeMs) => engine.instant(expression, timeMs),
      sink: { send: (alerts) => this.sent.push(...alerts) },
      externalLabels: Labels.empty,
      externalUrl: 'http://tyto',
      evaluationIntervalMs: MINUTE,
      queryOffsetMs: 0,
      resendDelayMs: MINUTE,
      restore: { outageToleranceMs: 60 * MINUTE, gracePeriodMs: 10 * MINUTE },
      ...more,
    };
  }

  get groups() {
    return this.#manager.groups;
  }

  async apply(...groups: string[]): Promise<void> {
    const text = `groups:\n${groups.join('')}`;
    const read = parseRuleFile(text, 'r.yml');
    expect(read.problems).toEqual([]);
    await this.#manager.apply(read.groups, this.#deps);
  }

  /** Evaluates all groups at a minute, as their timers would. */
  async at(minute: number): Promise<void> {
    for (const group of this.groups) await group.evaluate(T0 + minute * MINUTE);
  }

  alerts() {
    return this.groups
      .flatMap((group) => group.rules)
      .flatMap(({ rule }) => (rule instanceof AlertingRule ? rule.alerts() : []))
      .map(({ state, activeAtMs }) => [state, (activeAtMs - T0) / MINUTE]);
  }
}

async function up(store: MemoryMetricStore, minute: number, value: number): Promise<void> {
  const labels = Labels.of({ __name__: 'up', job: 'node' });
  await appendSamples(store, labels, [[T0 + minute * MINUTE, value]]);
}

async function stored(
  store: MemoryMetricStore,
  name: string,
): Promise<Record<string, unknown[][]>> {
  const matchers = [createMatcher('=', METRIC_NAME, name)];
  const selection = await store.select({ matchers, minTimeMs: 0, maxTimeMs: 8e15 });
  const out: Record<string, unknown[][]> = {};
  for (let i = 0; i < selection.size; i++) {
    const columns = new SampleColumns();
    selection.readInto(i, columns);
    out[selection.labels(i).toString()] = Array.from({ length: columns.length }, (_, s) => [
      (columns.timestamps[s] - T0) / MINUTE,
      columns.isStale(s) ? 'stale' : columns.values[s],
    ]);
  }
  return out;
}

const group = (name: string, rules: string) => `- name: ${name}\n  rules:\n  - ${rules}\n`;

/** Down from minute 0 on, watched until `until`, then again from `from` on. */
async function restart(rule: string, until: number, from: number, more = {}): Promise<Process> {
  const store = new MemoryMetricStore();
  const before = new Process(store, 0);
  await before.apply(group('g', rule));
  for (let minute = 0; minute <= until; minute++) {
    await up(store, minute, 0);
    await before.at(minute);
  }
  const after = new Process(store, from, more);
  await after.apply(group('g', rule));
  await up(store, from, 0);
  await after.at(from);
  return after;
}

describe('after a restart', () => {
  it('an alert waits on as before when no more than a round was missed', async () => {
    const after = await restart('{alert: A, expr: up == 0, for: 5m}', 3, 5);
    expect(after.alerts()).toEqual([['pending', 0]]);
    await after.at(6);
    expect(after.alerts()).toEqual([['firing', 0]]);
  });

  it('the time of an outage does not count towards `for`', async () => {
    const after = await restart('{alert: A, expr: up == 0, for: 40m}', 10, 30);
    expect(after.alerts()).toEqual([['pending', 20]]);
  });

  it('what was about to fire waits for the grace period', async () => {
    const after = await restart('{alert: A, expr: up == 0, for: 15m}', 12, 30);
    expect(after.alerts()).toEqual([['pending', 25]]);
    const restore = { outageToleranceMs: 60 * MINUTE, gracePeriodMs: MINUTE };
    const sooner = await restart('{alert: A, expr: up == 0, for: 15m}', 12, 30, { restore });
    expect(sooner.alerts()).toEqual([['pending', 18]]);
  });

  it('an alert that waits for less than the grace period begins again', async () => {
    const after = await restart('{alert: A, expr: up == 0, for: 5m}', 3, 30);
    expect(after.alerts()).toEqual([['pending', 30]]);
  });

  it('what was firing fires with the next round', async () => {
    const after = await restart('{alert: A, expr: up == 0, for: 10m}', 12, 30);
    expect(after.alerts()).toEqual([['pending', 0]]);
    await after.at(31);
    expect(after.alerts()).toEqual([['firing', 0]]);
  });

  it('states older than the tolerance are forgotten', async () => {
    const after = await restart('{alert: A, expr: up == 0, for: 10m}', 12, 75);
    expect(after.alerts()).toEqual([['pending', 75]]);
  });

  it('an alert that only the second round finds is restored too', async () => {
    const store = new MemoryMetricStore();
    const before = new Process(store, 0);
    await before.apply(group('g', '{alert: A, expr: up == 0, for: 40m}'));
    for (const minute of [0, 1, 2]) {
      await up(store, minute, 0);
      await before.at(minute);
    }
    const after = new Process(store, 20);
    await after.apply(group('g', '{alert: A, expr: up == 0, for: 40m}'));
    await after.at(20);
    expect(after.alerts()).toEqual([]);
    await up(store, 21, 0);
    await after.at(21);
    expect(after.alerts()).toEqual([['pending', 19]]);
  });

  it('an alert that is kept firing goes on firing for the rest of its time', async () => {
    const rule =
      '{alert: A, expr: up == 0, keep_firing_for: 10m, annotations: {s: "{{ $labels.job }}"}}';
    const store = new MemoryMetricStore();
    const before = new Process(store, 0);
    await before.apply(group('g', rule));
    await up(store, 0, 0);
    await before.at(0);
    await up(store, 1, 1);
    await before.at(1);
    const after = new Process(store, 4);
    await after.apply(group('g', rule));
    await after.at(4);
    expect(after.alerts()).toEqual([['firing', 0]]);
    expect(after.sent[0].annotations.get('s')).toBe('node');
    await after.at(10);
    expect(after.alerts()).toEqual([['firing', 0]]);
    await after.at(11);
    expect(after.alerts()).toEqual([]);
    expect(after.sent.at(-1)?.endsAtMs).toBe(T0 + 11 * MINUTE);
  });
});

it('of two rules with one name, only its own alert is kept firing after a restart', async () => {
  const store = new MemoryMetricStore();
  const rules = group(
    'g',
    '{alert: A, expr: up == 0, keep_firing_for: 10m, labels: {severity: page}}\n' +
      '  - {alert: A, expr: up == 5, keep_firing_for: 10m, labels: {severity: info}}',
  );
  const before = new Process(store, 0);
  await before.apply(rules);
  await up(store, 0, 0);
  await before.at(0);
  const after = new Process(store, 4);
  await after.apply(rules);
  await up(store, 4, 1);
  await after.at(4);
  expect(after.sent.map(({ labels }) => labels.get('severity'))).toEqual(['page']);
});

describe('after a reload', () => {
  it('groups go on counting, and new rules do not look for an earlier state', async () => {
    const store = new MemoryMetricStore();
    const tyto = new Process(store, 0);
    await tyto.apply(group('g', '{alert: A, expr: up == 0, for: 5m}'));
    await up(store, 0, 0);
    await tyto.at(0);
    await tyto.apply(group('g', '{alert: A, expr: up < 1, for: 5m}'));
    expect(tyto.groups[0]).toMatchObject({ iterations: 1, evaluations: 1 });
    await up(store, 1, 0);
    await tyto.at(1);
    expect(tyto.alerts()).toEqual([['pending', 0]]);
  });

  it('series of a rule that is gone end with the next round', async () => {
    const store = new MemoryMetricStore();
    const tyto = new Process(store, 0);
    await tyto.apply(group('g', '{record: a, expr: 1}\n  - {record: b, expr: 2}'));
    await tyto.at(0);
    await tyto.apply(group('g', '{record: b, expr: 2}'));
    await tyto.at(1);
    expect(await stored(store, 'a')).toEqual({
      a: [
        [0, 1],
        [1, 'stale'],
      ],
    });
  });

  it('series of a group that is gone end at once', async () => {
    const store = new MemoryMetricStore();
    const tyto = new Process(store, 0);
    await tyto.apply(group('g', '{record: a, expr: 1}'));
    await tyto.at(0);
    await tyto.clock.advance(MINUTE / 2);
    await tyto.apply(group('other', '{record: b, expr: 1}'));
    expect((await stored(store, 'a')).a.at(-1)).toEqual([0.5, 'stale']);
  });

  it('series of a rule that moved to another group do not break off', async () => {
    const store = new MemoryMetricStore();
    const tyto = new Process(store, 0);
    await tyto.apply(group('g', '{record: a, expr: 1}\n  - {record: a, expr: 2, labels: {x: y}}'));
    await tyto.at(0);
    await tyto.clock.advance(MINUTE / 2);
    await tyto.apply(group('renamed', '{record: a, expr: 1}'));
    await tyto.clock.advance(3 * MINUTE);
    const series = await stored(store, 'a');
    expect(series.a.map(([, value]) => value)).toEqual([1, 1, 1, 1, 1]);
    expect(series['a{x="y"}'].at(-1)).toEqual([0.5, 'stale']);
  });
});

describe('a rule group', () => {
  it('asks behind the clock with `query_offset`, and waits by the clock', async () => {
    const store = new MemoryMetricStore();
    const tyto = new Process(store, 0);
    await tyto.apply('- name: g\n  query_offset: 2m\n  rules:\n  - {alert: A, expr: up == 0}\n');
    await up(store, 8, 0);
    await tyto.at(10);
    await tyto.at(11);
    expect(tyto.alerts()).toEqual([['firing', 10]]);
    expect(await stored(store, 'ALERTS_FOR_STATE')).toEqual({
      'ALERTS_FOR_STATE{alertname="A", job="node"}': [
        [8, (T0 + 10 * MINUTE) / 1000],
        [9, (T0 + 10 * MINUTE) / 1000],
      ],
    });
  });

  it('refuses what is past its limit, alerts that are kept firing included', async () => {
    const store = new MemoryMetricStore();
    const tyto = new Process(store, 0);
    await tyto.apply(
      '- name: g\n  limit: 1\n  rules:\n  - {alert: A, expr: n, keep_firing_for: 5m}\n',
    );
    const n = (minute: number, job: string) =>
      appendSamples(store, Labels.of({ __name__: 'n', job }), [[T0 + minute * MINUTE, 1]]);
    await n(0, 'a');
    await tyto.at(0);
    expect(tyto.groups[0].rules[0].health).toBe('ok');
    await n(6, 'b');
    await tyto.at(6);
    expect(tyto.groups[0].rules[0].lastError).toBe('exceeded limit of 1 with 2 alerts');
    expect(tyto.alerts()).toEqual([]);
  });

  it('tells a firing alert again after the resend delay', async () => {
    const store = new MemoryMetricStore();
    const tyto = new Process(store, 0, { resendDelayMs: 3 * MINUTE });
    await tyto.apply(group('g', '{alert: A, expr: vector(1)}'));
    for (let minute = 0; minute <= 6; minute++) await tyto.at(minute);
    expect(tyto.sent.map(({ endsAtMs }) => (endsAtMs - T0) / MINUTE)).toEqual([12, 15, 18]);
  });

  it('takes `interval: 0s` for the global interval', async () => {
    const tyto = new Process(new MemoryMetricStore(), 0);
    await tyto.apply('- name: g\n  interval: 0s\n  rules: []\n');
    expect(tyto.groups[0].intervalMs).toBe(MINUTE);
  });

  it('records native histograms, and shows them in templates', async () => {
    const store = new MemoryMetricStore();
    const histogram: FloatHistogram = {
      counterResetHint: 'gauge',
      schema: 0,
      zeroThreshold: 0,
      zeroCount: 0,
      count: 3,
      sum: 4.5,
      positiveSpans: [{ offset: 0, length: 2 }],
      negativeSpans: [],
      positiveBuckets: [1, 2],
      negativeBuckets: [],
      customValues: [],
    };
    const appender = store.appender();
    const ref = appender.series(Labels.of({ __name__: 'h', job: 'node' }));
    appender.appendHistogram(ref, T0, histogram);
    await appender.commit();
    const tyto = new Process(store, 0);
    await tyto.apply(
      group(
        'g',
        '{record: "h:copy", expr: h}\n  - {alert: A, expr: h, labels: {v: "{{ $value }}"}}',
      ),
    );
    await tyto.at(0);
    const engine = new QueryEngine(store);
    const { value } = await engine.instant('histogram_count(h:copy)', T0);
    expect(value).toMatchObject({ type: 'vector', samples: [{ value: 3 }] });
    expect(tyto.sent[0].labels.get('v')).toBe('{count:3, sum:4.5, (0.5,1]:1, (1,2]:2}');
  });
});

describe('hysteresis', () => {
  const rule =
    '{alert: A, expr: up > 90, annotations: {s: "at {{ $value }}", ' +
    'tyto_keep_firing_expr: up > 70}}';

  it('keeps a firing alert firing while the other expression holds, with its value', async () => {
    const store = new MemoryMetricStore();
    const tyto = new Process(store, 0);
    await tyto.apply(group('g', rule));
    const states: unknown[] = [];
    for (const [minute, value] of [80, 95, 85, 75, 65, 80].entries()) {
      await up(store, minute, value);
      await tyto.at(minute);
      states.push(tyto.alerts().map(([state]) => state));
    }
    expect(states).toEqual([[], ['firing'], ['firing'], ['firing'], [], []]);
    const firing = tyto.sent
      .slice(0, 3)
      .map(({ value, annotations }) => [value, annotations.get('s')]);
    expect(firing).toEqual([
      [95, 'at 95'],
      [85, 'at 85'],
      [75, 'at 75'],
    ]);
    expect(tyto.sent[3]).toMatchObject({ value: 75, endsAtMs: T0 + 4 * MINUTE });
    expect(tyto.sent[0].annotations.has('tyto_keep_firing_expr')).toBe(false);
  });

  it('is over with the series', async () => {
    const store = new MemoryMetricStore();
    const tyto = new Process(store, 0);
    await tyto.apply(group('g', rule));
    await up(store, 0, 95);
    await tyto.at(0);
    await tyto.at(10);
    expect(tyto.alerts()).toEqual([]);
  });

  it('goes on after a restart', async () => {
    const store = new MemoryMetricStore();
    const before = new Process(store, 0);
    await before.apply(group('g', rule));
    await up(store, 0, 95);
    await before.at(0);
    const after = new Process(store, 3);
    await after.apply(group('g', rule));
    await up(store, 3, 80);
    await after.at(3);
    expect(after.alerts()).toEqual([['firing', 0]]);
    await up(store, 4, 60);
    await after.at(4);
    expect(after.alerts()).toEqual([]);
  });

  it('has an expression that is checked with the file', () => {
    const text = group('g', '{alert: A, expr: up, annotations: {tyto_keep_firing_expr: "up >"}}');
    const { problems } = parseRuleFile(`groups:\n${text}`, 'r.yml');
    expect(problems).toMatchObject([{ severity: 'error', place: { file: 'r.yml', line: 4 } }]);
    expect(problems[0].message).toMatch(/^annotation "tyto_keep_firing_expr": could not parse/);
  });
});

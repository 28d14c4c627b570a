import { describe, expect, it } from 'vitest';
import { ManualClock, silentLogger } from '@tyto/base';
import {
  type Alert,
  appendSamples,
  createMatcher,
  Labels,
  MemoryMetricStore,
  METRIC_NAME,
  SampleColumns,
} from '@tyto/model';
import { QueryEngine } from '@tyto/promql';
import { type AlertingRule, parseRuleFile, RuleGroup } from '@tyto/alerting';

const T0 = 1_700_000_000_000;

/** A group over a store with one series `up`, evaluated by hand. */
function bench(rules: string, store = new MemoryMetricStore()) {
  const clock = new ManualClock(T0);
  const engine = new QueryEngine(store);
  const sent: Alert[] = [];
  const { groups, problems } = parseRuleFile(`groups:\n- name: g\n  rules:\n${rules}`, 'r.yml');
  expect(problems).toEqual([]);
  const group = new RuleGroup(groups[0], {
    clock,
    logger: silentLogger,
    store,
    query: (expression, timeMs) => engine.instant(expression, timeMs),
    sink: { send: (alerts) => sent.push(...alerts) },
    externalLabels: Labels.of({ region: 'seoul' }),
    externalUrl: 'http://tyto:9090',
    evaluationIntervalMs: 15_000,
    queryOffsetMs: 0,
    resendDelayMs: 60_000,
    restore: { outageToleranceMs: 3600_000, gracePeriodMs: 600_000 },
  });
  const up = async (seconds: number, value: number) =>
    appendSamples(store, Labels.of({ __name__: 'up', job: 'node' }), [
      [T0 + seconds * 1000, value],
    ]);
  const alerts = () => (group.rules[0].rule as AlertingRule).alerts();
  return {
    group,
    store,
    sent,
    up,
    alerts,
    at: (seconds: number) => group.evaluate(T0 + seconds * 1000),
  };
}

async function stored(store: MemoryMetricStore, name: string): Promise<Record<string, unknown[]>> {
  const matchers = [createMatcher('=', METRIC_NAME, name)];
  const selection = await store.select({ matchers, minTimeMs: 0, maxTimeMs: 8e15 });
  const out: Record<string, unknown[]> = {};
  for (let i = 0; i < selection.size; i++) {
    const columns = new SampleColumns();
    selection.readInto(i, columns);
    out[selection.labels(i).toString()] = Array.from({ length: columns.length }, (_, s) => [
      (columns.timestamps[s] - T0) / 1000,
      columns.isStale(s) ? 'stale' : columns.values[s],
    ]);
  }
  return out;
}

const SERVICE_DOWN = `
  - alert: ServiceDown
    expr: up == 0
    for: 1m
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.job }} is down ({{ $value }}) in {{ $externalLabels.region }}"}
`;

describe('an alerting rule', () => {
  it('is pending at once, fires after `for`, and tells its end', async () => {
    const { sent, up, alerts, at, store } = bench(SERVICE_DOWN);
    await up(0, 0);
    await at(0);
    expect(alerts().map((alert) => alert.state)).toEqual(['pending']);
    expect(sent).toEqual([]);
    await up(45, 0);
    await at(45);
    expect(alerts()[0].state).toBe('pending');
    await up(60, 0);
    await at(60);
    expect(alerts()[0].state).toBe('firing');
    expect(sent).toHaveLength(1);
    expect(sent[0].labels.toRecord()).toEqual({
      alertname: 'ServiceDown',
      job: 'node',
      severity: 'critical',
    });
    expect(sent[0].annotations.get('summary')).toBe('node is down (0) in seoul');
    expect(sent[0].generatorUrl).toBe('http://tyto:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1');
    await up(75, 1);
    await at(75);
    expect(alerts()).toEqual([]);
    expect(sent).toHaveLength(2);
    expect(sent[1].endsAtMs).toBe(T0 + 75_000);
    const series = await stored(store, 'ALERTS');
    const labels = 'alertname="ServiceDown", alertstate="firing", job="node", severity="critical"';
    expect(series[`ALERTS{${labels}}`]).toEqual([
      [60, 1],
      [75, 'stale'],
    ]);
  });

  it('tells a firing alert again every minute, not every round', async () => {
    const { sent, up, at } = bench(SERVICE_DOWN);
    for (let second = 0; second <= 180; second += 15) {
      await up(second, 0);
      await at(second);
    }
    expect(sent).toHaveLength(3);
  });

  it('keeps firing for `keep_firing_for` after its condition is over', async () => {
    const { up, alerts, at } = bench('  - {alert: A, expr: up == 0, keep_firing_for: 1m}\n');
    await up(0, 0);
    await at(0);
    expect(alerts()[0].state).toBe('firing');
    await up(15, 1);
    await at(15);
    await at(60);
    expect(alerts()[0].state).toBe('firing');
    await at(75);
    expect(alerts()).toEqual([]);
  });

  it('goes on pending where it stood before a restart', async () => {
    const before = bench(SERVICE_DOWN);
    for (const second of [0, 15, 30]) {
      await before.up(second, 0);
      await before.at(second);
    }
    const after = bench(SERVICE_DOWN, before.store);
    for (const second of [45, 60]) {
      await after.up(second, 0);
      await after.at(second);
    }
    expect(after.alerts()[0].state).toBe('firing');
    expect(after.alerts()[0].activeAtMs).toBe(T0);
  });

  it('says so when a template fails, and fires all the same', async () => {
    const rule = '  - {alert: A, expr: up == 0, annotations: {s: \'{{ query "x" | first }}\'}}\n';
    const { up, alerts, at } = bench(rule);
    await up(0, 0);
    await at(0);
    expect(alerts()[0].state).toBe('firing');
    expect(alerts()[0].annotations.get('s')).toContain('first() called on vector with no elements');
  });
});

describe('a recording rule', () => {
  it('writes its series with its labels and ends those that vanish', async () => {
    const { store, up, at } = bench(
      '  - {record: job:up:sum, expr: sum by (job) (up) > 0, labels: {a: b}}\n',
    );
    await up(0, 1);
    await at(0);
    await up(15, 0);
    await at(15);
    expect(await stored(store, 'job:up:sum')).toEqual({
      'job:up:sum{a="b", job="node"}': [
        [0, 1],
        [15, 'stale'],
      ],
    });
  });

  it('reports a failing expression and leaves the other rules alone', async () => {
    const { group, up, at } = bench(
      '  - {record: bad, expr: up * on (job) up * on () group_left () up}\n  - {record: good, expr: up}\n',
    );
    await up(0, 1);
    await at(0);
    expect(group.rules.map((rule) => rule.health)).toContain('ok');
  });
});

describe('parseRuleFile', () => {
  const problemsOf = (text: string) =>
    parseRuleFile(text, 'r.yml').problems.map(
      (problem) => `${problem.place.line}:${problem.place.column} ${problem.message}`,
    );
  const rule = (text: string) => `groups:\n- name: g\n  rules:\n  - ${text}\n`;

  it('refuses each mistake at its place', () => {
    const cases: [string, string][] = [
      [rule('{alert: A, expr: "sum(up"}'), '4:22 could not parse expression'],
      [rule('{alert: A, exprr: up}'), 'unknown field "exprr"; did you mean "expr"?'],
      [rule('{alert: A}'), 'the field "expr" must be set'],
      [rule('{alert: A, record: b, expr: up}'), 'only one of "record" and "alert"'],
      [rule('{expr: up}'), 'one of "record" or "alert" must be set'],
      [rule('{record: a, expr: up, for: 5m}'), 'invalid field "for" in a recording rule'],
      [rule('{alert: A, expr: up, for: 5x}'), 'not a valid duration: "5x"'],
      [
        rule('{alert: A, expr: up, annotations: {s: "{{ $lables.x }}"}}'),
        'undefined variable "$lables"',
      ],
      [rule('{alert: A, expr: \'up{a=~"("}\'}'), 'regexp'],
      ['groups:\n- name: a\n- name: a\n', '3:9 groupname: "a" is repeated'],
    ];
    for (const [text, message] of cases) {
      const problems = problemsOf(text);
      expect(problems.join('\n'), text).toContain(message);
    }
  });

  it('refuses experimental PromQL where it is not enabled, at its place', () => {
    const text = rule('{record: a, expr: "limitk(1, up)"}');
    expect(problemsOf(text)).toEqual([]);
    const { groups, problems } = parseRuleFile(text, 'r.yml', { experimental: false });
    expect(groups).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0].place).toMatchObject({ line: 4, column: 23 });
    expect(problems[0].message).toContain('limitk() is experimental and must be enabled');
  });

  it('takes nothing of a file with one mistake', () => {
    const text = `${rule('{record: a, expr: up}')}  - {record: b, expr: "up{"}\n`;
    expect(parseRuleFile(text, 'r.yml').groups).toEqual([]);
  });
});

/** Unit tests of rules: what passes, and what a failure shows. */
import { parseRuleFile } from '@tyto/alerting';
import { yaml } from '@tyto/base';
import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../../features.ts';
import { RuleCoverage } from './coverage.ts';
import { failureDiff, failureText, junitXml } from './report.ts';
import { runTest } from './ruleTest.ts';
import { parseTestFile } from './testFile.ts';

const RULES = `
groups:
- name: second
  rules:
  - {record: "sum:copy", expr: "sum:requests"}
- name: first
  labels: {team: shop}
  rules:
  - {record: "sum:requests", expr: "sum(requests)"}
  - alert: Many
    expr: requests > 5
    for: 1m
    labels: {severity: page}
    annotations: {summary: "{{ $labels.job }} has {{ $value }} ({{ $externalLabels.region }})"}
`;

function groupsOf(rules: string) {
  const { groups, problems } = parseRuleFile(rules, 'rules.yml');
  expect(yaml.formatProblems(problems)).toBe('');
  return groups;
}

/** The failures of the first test of a file, as text. */
async function failures(test: string, rules = RULES): Promise<string> {
  const file = parseTestFile(test, 'test.yml', false);
  const settings = { ...file, rules: groupsOf(rules), features: DEFAULT_FEATURES };
  const { failures: found } = await runTest(file.tests[0], settings);
  return found.map(failureText).join('\n');
}

describe('a test of rules', () => {
  it('sees alerts with labels, annotations and what is external', async () => {
    const test = `
tests:
- external_labels: {region: seoul}
  input_series: [{series: 'requests{job="a"}', values: '3 8x3'}]
  alert_rule_test:
  - {eval_time: 1m, alertname: Many, exp_alerts: []}
  - eval_time: 2m30s
    alertname: Many
    exp_alerts:
    - exp_labels: {job: a, severity: page, team: shop}
      exp_annotations: {summary: a has 8 (seoul)}
`;
    expect(await failures(test)).toBe('');
  });

  it('evaluates groups in the order that it names', async () => {
    const test = (order: string) => `
group_eval_order: ${order}
tests:
- input_series: [{series: requests, values: 7}]
  promql_expr_test:
  - {expr: 'sum:copy', eval_time: 0, exp_samples: [{labels: 'sum:copy{team="shop"}', value: 7}]}
`;
    expect(await failures(test('[first, second]'))).toBe('');
    expect(await failures(test('[second, first]'))).toContain('got: []');
    expect(() => parseTestFile(test('[first, first]'), 'test.yml', false)).toThrow(
      'test.yml:2:27: group name repeated in evaluation order: first',
    );
  });

  it('shows what was expected and what was found', async () => {
    const test = `
tests:
- name: counting
  input_series: [{series: 'requests{job="a"}', values: '8 8 8'}]
  alert_rule_test: [{eval_time: 1m, alertname: Many, exp_alerts: [{exp_labels: {job: b}}]}]
  promql_expr_test: [{expr: requests, eval_time: 1m, exp_samples: [{labels: requests, value: 9}]}]
`;
    expect(await failures(test)).toBe(`    name: counting,
    alertname: Many, time: 1m,
        exp: [
            0: Labels:{alertname="Many", job="b"}
               Annotations:{}
        ]
        got: [
            0: Labels:{alertname="Many", job="a", severity="page", team="shop"}
               Annotations:{summary="a has 8 ()"}
        ]
    name: counting,
    expr: "requests", time: 1m,
        exp: [
            0: requests 9
        ]
        got: [
            0: requests{job="a"} 8
        ]`);
  });

  it('compares native histograms, NaN, infinities and stale series', async () => {
    const test = `
tests:
- input_series:
  - series: h
    values: '{{schema:1 sum:4 count:3 buckets:[1 2]}}+{{schema:1 count:1 buckets:[1]}}x3'
  - {series: odd, values: '1 NaN Inf -Inf stale'}
  promql_expr_test:
  - expr: h
    eval_time: 1m
    exp_samples:
    - labels: h
      histogram: '{{schema:1 sum:4 count:4 counter_reset_hint:not_reset buckets:[2 2]}}'
  - {expr: odd, eval_time: 1m, exp_samples: [{labels: odd, value: NaN}]}
  - {expr: odd, eval_time: 2m, exp_samples: [{labels: odd, value: .inf}]}
  - {expr: odd, eval_time: 3m, exp_samples: [{labels: odd, value: -Inf}]}
  - {expr: odd, eval_time: 4m, exp_samples: []}
`;
    expect(await failures(test, 'groups: []')).toBe('');
  });

  it('shows rules nothing of what is yet to come', async () => {
    const test = `
tests:
- interval: 10s
  input_series: [{series: n, values: '1 2 3 4 5 6 7 8 9'}]
  promql_expr_test:
  - {expr: 'peek', eval_time: 1m, exp_samples: [{labels: peek, value: 7}]}
`;
    const peek = 'groups: [{name: g, rules: [{record: peek, expr: "n offset -20s"}]}]';
    expect(await failures(test, peek)).toBe('');
  });

  it('tells mistakes of its own', async () => {
    const bad = '\ntests:\n- alert_rule_test: [{eval_time: 5m, exp_alerts: []}]\n';
    expect(await failures(bad)).toContain('misses required attribute alertname at eval_time 5m');
    const far =
      'evaluation_interval: 1ms\ntests: [{promql_expr_test: [{expr: "1", eval_time: 1y}]}]';
    expect(await failures(far)).toContain('more than 5000000 evaluations');
    const failing = 'groups: [{name: g, rules: [{record: r, expr: "a * on () b"}]}]';
    const test = `
tests:
- input_series:
  - {series: 'a{x="1"}', values: 1}
  - {series: 'a{x="2"}', values: 1}
  - {series: b, values: 1}
`;
    expect(await failures(test, failing)).toMatch(/^ {4}rule: r, time: 0s, err: multiple matches/);
    expect(() => parseTestFile('tests: [{inputs: []}]', 't.yml', false)).toThrow('unknown field');
    expect(parseTestFile('tests: [{inputs: []}]', 't.yml', true).tests).toHaveLength(1);
    const when = 'tests: [{start_timestamp: yesterday}]';
    expect(() => parseTestFile(when, 't.yml', false)).toThrow('not a time: "yesterday"');
  });
});

describe('reports', () => {
  const failure = { head: 'expr: "a"', expected: ['a 1', 'b 1'], found: ['a 1', 'c 1'] };

  it('show differences line by line', () => {
    expect(failureDiff(failure, false)).toBe(
      ['    expr: "a"', '          a 1', '        - b 1', '        + c 1'].join('\n'),
    );
    expect(failureDiff(failure, true)).toContain('\u001b[31m        - b 1\u001b[0m');
  });

  it('are XML as JUnit has it, whatever a test is called', () => {
    const cases = [
      { name: 'a<b>"c"\u0001', failures: ['x & y'] },
      { name: 'good', failures: [] },
    ];
    const suites = [
      { file: 't.yml', startedMs: 0, error: '', cases },
      { file: 'u.yml', startedMs: 0, error: 'no such file', cases: [] },
    ];
    expect(junitXml(suites)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="t.yml" tests="2" failures="1" errors="0" timestamp="1970-01-01T00:00:00">
    <testcase name="a&lt;b&gt;&#34;c&#34;\ufffd">
      <failure>x &amp; y</failure>
    </testcase>
    <testcase name="good">
    </testcase>
  </testsuite>
  <testsuite name="u.yml" tests="1" failures="0" errors="1" timestamp="1970-01-01T00:00:00">
    <testcase name="aborted">
      <error>no such file</error>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  it('tell which rules no test looks at', () => {
    const coverage = new RuleCoverage();
    const { tests } = parseTestFile(
      `tests: [{promql_expr_test: [{expr: 'sum:copy > 1'}, {expr: 'ALERTS{alertname="B"}'}]}]`,
      't.yml',
      false,
    );
    coverage.add(groupsOf(RULES), tests);
    const { lines, percent } = coverage.report();
    expect(percent).toBeCloseTo(33.33, 1);
    expect(lines).toEqual([
      'Tested are 33.3 % of the rules: 0 of 1 alerting rules, 1 of 2 recording rules.',
      '  not tested: rules.yml: first: sum:requests',
      '  not tested: rules.yml: first: Many',
    ]);
  });
});

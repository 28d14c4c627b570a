/** The tools of `tyto` beside a running one: checks, tests, queries, pushes, rules of the past. */
import { beforeAll, describe, expect, it } from 'vitest';
import { runTyto, startTyto, temporaryDirectory, type Tyto, waitFor } from './harness.ts';

const NOW_S = Math.floor(Date.now() / 1000);

let tyto: Tyto;
let directory: string;

beforeAll(async () => {
  tyto = await startTyto({ config: 'global: {scrape_interval: 1s}\n' });
  const metrics = Array.from(
    { length: 20 },
    (_, i) => `orders_total{shop="한",path="/a"} ${i * 3} ${(NOW_S - 20 + i) * 1000}`,
  );
  directory = temporaryDirectory({
    'metrics.txt': `# TYPE orders_total counter\n${metrics.join('\n')}\n`,
    'rules.yml': `groups:
- name: g
  interval: 5s
  rules:
  - {record: 'orders:max', expr: 'max by (shop) (orders_total)', labels: {from: rules}}
  - {alert: A, expr: vector(1)}
`,
    'test.yml': `rule_files: [rules.yml]
tests:
- input_series: [{series: 'orders_total{shop="a"}', values: 1 2}]
  alert_rule_test: [{eval_time: 1m, alertname: A, exp_alerts: [{}]}]
  promql_expr_test:
  - expr: orders:max
    eval_time: 1m
    exp_samples: [{labels: 'orders:max{from="rules", shop="a"}', value: 2}]
`,
  });
});

const run = (...args: string[]) => runTyto(args, directory);

describe('the tools', () => {
  it('push metrics to Tyto, one at a time', async () => {
    const pushed = await run('push', 'metrics', '--label=job=t', tyto.baseUrl, 'metrics.txt');
    expect(pushed).toMatchObject({ code: 0, stderr: '', stdout: 'metrics.txt: 20 series sent\n' });
    await waitFor('the newest sample', async () => (await tyto.value('orders_total')) === 57);
    const refused = await run('push', 'metrics', `${tyto.baseUrl}nowhere`, 'metrics.txt');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('404');
  });

  it('ask Tyto', async () => {
    const time = `--time=${NOW_S - 1}`;
    const instant = await run('query', 'instant', time, tyto.baseUrl, 'orders_total');
    expect(instant.stdout).toBe(
      `orders_total{job="t", path="/a", shop="한"} => 57 @[${NOW_S - 1}]\n`,
    );
    const labels = await run('query', 'labels', '-o', 'json', tyto.baseUrl, 'shop');
    expect(JSON.parse(labels.stdout)).toEqual(['한']);
    const wrong = await run('query', 'instant', tyto.baseUrl, 'sum(');
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('parse error');
    const nobody = await run('query', 'instant', 'http://127.0.0.1:1', 'up');
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain('127.0.0.1:1');
  });

  it('check files and the server', async () => {
    const good = await run('check', 'rules', 'rules.yml');
    expect(good).toMatchObject({ code: 0, stdout: 'rules.yml: good, 2 rules found\n' });
    expect((await run('check', 'ready', `--url=${tyto.baseUrl}`)).code).toBe(0);
    const down = await run('check', 'healthy', '--url=http://127.0.0.1:1');
    expect(down.code).toBe(1);
    const lint = await run('check', 'rules', '--lint=dupes', 'rules.yml');
    expect(lint.stderr).toContain('unknown lint "dupes"');
    expect((await run('check', 'rules', '--help')).stdout).toContain('--lint-fatal');
  });

  it('test rules', async () => {
    const passed = await run('test', 'rules', '--junit=out.xml', '--coverage', 'test.yml');
    expect(passed.code).toBe(0);
    expect(passed.stdout).toBe('Unit Testing:  test.yml\n  SUCCESS\n\n');
    expect(passed.stderr).toContain('Tested are 100.0 % of the rules');
    const none = await run('test', 'rules', 'nothing.yml');
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('cannot read nothing.yml: there is no such file');
  });

  it('record rules for the past, which Tyto imports beside what it has', async () => {
    const made = await run(
      ...['tsdb', 'create-blocks-from', 'rules', `--url=${tyto.baseUrl}`, '--output-dir=past'],
      ...[`--start=${NOW_S - 20}`, `--end=${NOW_S - 1}`, 'rules.yml'],
    );
    expect(made.stderr).toContain('1 alerting rules are not evaluated');
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(/: [34] samples of 1 series\n$/);
    const data = tyto.dataDirectory;
    await tyto.kill('SIGTERM');
    const imported = await run('tsdb', 'import', '--overlap', 'prometheus', 'past', data);
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    const again = await startTyto({ dataDirectory: data });
    const found = await again.query('orders:max');
    expect(found.map(({ metric }) => metric)).toEqual([
      { __name__: 'orders:max', from: 'rules', shop: '한' },
    ]);
    expect(await again.value(`max_over_time(orders_total[10m] @ ${NOW_S})`)).toBe(57);
  });
});

/** A new configuration without a restart: by signal and by request, good and bad. */
import { beforeAll, describe, expect, it } from 'vitest';
import { startTyto, type Tyto, waitFor } from './harness.ts';
import { type CountingTarget, startCountingTarget } from './targets.ts';

function configFor(targets: readonly CountingTarget[]): string {
  const jobs = targets.map(
    ({ address }, i) => `  - {job_name: job${i}, static_configs: [{targets: ['${address}']}]}\n`,
  );
  return `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
${jobs.join('')}`;
}

const RULES = `groups:
  - name: a
    rules:
      - {alert: Waiting, expr: 'up{job="job0"} == 1', for: 1h}
`;

const SUCCESSFUL = 'prometheus_config_last_reload_successful';

let tyto: Tyto;
let targets: readonly CountingTarget[];

async function jobs(): Promise<readonly string[]> {
  const { activeTargets } = await tyto.api('targets');
  return activeTargets.map(({ labels }: { labels: { job: string } }) => labels.job).sort();
}

async function metricIs(value: number): Promise<boolean> {
  return (await tyto.get('metrics')).text.includes(`\n${SUCCESSFUL} ${value}\n`);
}

beforeAll(async () => {
  targets = await Promise.all([0, 1, 2].map(() => startCountingTarget()));
  tyto = await startTyto({ config: configFor(targets.slice(0, 1)), files: { 'rules.yml': RULES } });
  await waitFor('the alert is pending', async () => (await tyto.api('alerts')).alerts.length === 1);
});

describe('a reload', () => {
  it('by POST /-/reload adds a target', async () => {
    tyto.writeConfig(configFor(targets.slice(0, 2)));
    const answer = await tyto.post('-/reload');
    expect(answer.status).toBe(200);
    expect(await jobs()).toEqual(['job0', 'job1']);
    await waitFor('it is scraped', async () => (await tyto.value('up{job="job1"}')) === 1);
    expect(await metricIs(1)).toBe(true);
  });

  it('by SIGHUP adds a target', async () => {
    tyto.writeConfig(configFor(targets));
    process.kill(tyto.pid, 'SIGHUP');
    await waitFor('it is there', async () => (await jobs()).length === 3);
    await waitFor('it is scraped', async () => (await tyto.value('up{job="job2"}')) === 1);
  });

  it('leaves alone what did not change: targets, and since when alerts are active', async () => {
    const before = (await tyto.api('alerts')).alerts;
    const served = targets[0].served.length;
    for (let i = 0; i < 3; i++) expect((await tyto.post('-/reload')).status).toBe(200);
    expect((await tyto.api('alerts')).alerts).toEqual(before);
    expect(await tyto.value('up{job="job0"}')).toBe(1);
    // Three reloads are no reason for three scrapes more.
    expect(targets[0].served.length).toBeLessThanOrEqual(served + 1);
  });

  it('with a mistake is refused with its place, and everything goes on as before', async () => {
    tyto.writeConfig(configFor(targets.slice(0, 1)).replace('job_name', 'job_nam'));
    const answer = await tyto.post('-/reload');
    expect(answer.status).toBe(500);
    expect(answer.text).toContain('prometheus.yml:4:6: ');
    expect(answer.text).toContain('unknown field "job_nam"; did you mean "job_name"?');
    expect(await metricIs(0)).toBe(true);
    expect((await tyto.api('status/runtimeinfo')).reloadConfigSuccess).toBe(false);
    expect((await tyto.api('status/config')).yaml).toBe(configFor(targets));
    expect(await jobs()).toEqual(['job0', 'job1', 'job2']);
    const served = targets.map((target) => target.served.length);
    await waitFor('all are scraped again', () =>
      targets.every((target, i) => target.served.length > served[i]),
    );
  });

  it('with a mistake by SIGHUP is refused in the log', async () => {
    const before = tyto.output().split('job_nam').length;
    process.kill(tyto.pid, 'SIGHUP');
    await waitFor('the log says so', () => tyto.output().split('job_nam').length > before);
    expect(tyto.isRunning()).toBe(true);
    expect(await metricIs(0)).toBe(true);
  });

  it('with a mistake in a rule file is refused as a whole', async () => {
    tyto.writeConfig(configFor(targets.slice(0, 1)).replace('rules.yml', 'bad.yml'));
    const answer = await tyto.post('-/reload');
    expect(answer.status).toBe(500);
    expect(answer.text).toContain('bad.yml');
    expect(await jobs()).toHaveLength(3);
    expect((await tyto.api('rules')).groups).toHaveLength(1);
  });

  it('takes a mended file, and drops what is gone', async () => {
    tyto.writeConfig(configFor(targets.slice(0, 1)));
    expect((await tyto.post('-/reload')).status).toBe(200);
    expect(await metricIs(1)).toBe(true);
    expect((await tyto.api('status/runtimeinfo')).reloadConfigSuccess).toBe(true);
    expect(await jobs()).toEqual(['job0']);
    // A target that is gone has no value any more, at once.
    expect((await tyto.query('up')).map(({ metric }) => metric.job)).toEqual(['job0']);
  });

  it('is not to be had when it was switched off', async () => {
    const other = await startTyto({ args: ['--no-web.enable-lifecycle'] });
    const answer = await other.post('-/reload');
    expect(answer.status).toBe(403);
    expect((await other.post('-/quit')).status).toBe(403);
    expect(other.isRunning()).toBe(true);
  });

  it('is followed by a clean end on POST /-/quit', async () => {
    expect((await tyto.post('-/quit')).status).toBe(200);
    expect(await tyto.exited).toEqual({ code: 0, signal: null });
  });
});

/** A start without any file: what somebody sees in the first ten seconds. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { programPath, run, startTyto, type Tyto, waitFor } from './harness.ts';

const HOST_METRICS = [
  'node_cpu_seconds_total',
  'node_memory_MemAvailable_bytes',
  'node_filesystem_avail_bytes',
  'node_network_receive_bytes_total',
  'node_load1',
];

const promtool = programPath('promtool');

describe('Tyto without configuration', () => {
  let tyto: Tyto;
  beforeAll(async () => {
    tyto = await startTyto({ args: ['--log.level=debug'] });
  });

  it('has rehearsed queries, of which nothing is left and nothing is counted', async () => {
    const done = /"questions":(\d+),"msg":"queries were rehearsed"/;
    const [, count] = await waitFor(
      'queries were rehearsed',
      () => done.exec(tyto.output()) ?? false,
    );
    expect(Number(count)).toBeGreaterThan(100);
    await waitFor(
      'its database is gone',
      () => !existsSync(join(tyto.dataDirectory, '.rehearsal')),
    );
    const counted = /prometheus_http_requests_total\{handler="\/api\/v1\/query_range".*\} (\d+)/;
    expect(counted.exec((await tyto.get('metrics')).text)).toBeNull();
    expect(await tyto.query('requests_total{job="shop"}')).toEqual([]);
  });

  it('has the machine and itself up within ten seconds', async () => {
    const up = await waitFor(
      'two targets are up',
      async () => {
        const found = await tyto.query('up == 1');
        return found.length === 2 && found;
      },
      10_000,
    );
    expect(up.map(({ metric }) => metric.job).sort()).toEqual(['node', 'tyto']);
  });

  it.each(HOST_METRICS)('has data of %s within ten seconds', async (metric) => {
    const samples = await waitFor(
      `${metric} has samples`,
      async () => {
        const found = await tyto.query(metric);
        return found.length > 0 && found;
      },
      10_000,
    );
    for (const { metric: labels, value } of samples) {
      expect(labels.job).toBe('node');
      expect(Number(value[1])).toBeGreaterThanOrEqual(0);
    }
  });

  it('measures the processors like the kernel counts them', async () => {
    const modes = await tyto.query('count by (mode) (node_cpu_seconds_total)');
    expect(modes.map(({ metric }) => metric.mode)).toEqual(
      expect.arrayContaining(['idle', 'iowait', 'system', 'user']),
    );
    const free = await tyto.value('node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes');
    expect(free).toBeGreaterThan(0);
    expect(free).toBeLessThan(1);
  });

  it('has starter rules that all evaluate', async () => {
    const groups = await waitFor('all rules were evaluated', async () => {
      const found = (await tyto.api('rules')).groups;
      const rules = found.flatMap((group: { rules: { health: string }[] }) => group.rules);
      return rules.every(({ health }: { health: string }) => health !== 'unknown') && found;
    });
    const rules = groups.flatMap((group: { rules: Record<string, string>[] }) => group.rules);
    expect(rules.length).toBeGreaterThan(5);
    expect(
      rules.map(({ name, health, lastError }: Record<string, string>) => ({
        name,
        health,
        lastError,
      })),
    ).toEqual(
      rules.map(({ name }: Record<string, string>) => ({
        name,
        health: 'ok',
        lastError: undefined,
      })),
    );
  });

  it.skipIf(promtool === undefined)(
    'has metrics that promtool finds nothing wrong with',
    async () => {
      const metrics = await tyto.get('metrics');
      expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
      const { code, stdout, stderr } = await run(String(promtool), ['check', 'metrics'], {
        input: metrics.text,
      });
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    },
  );

  it.skipIf(promtool === undefined)('answers promtool query instant', async () => {
    const { code, stdout } = await run(String(promtool), ['query', 'instant', tyto.baseUrl, 'up']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^up\{instance="[^"]+", job="node"\} => 1 @\[/m);
    expect(stdout).toMatch(/^up\{instance="[^"]+", job="tyto"\} => 1 @\[/m);
  });

  it('serves the web page at every address that is not an API', async () => {
    for (const path of ['', 'targets', 'graph?g0.expr=up']) {
      const page = await tyto.get(path);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toMatch(/^text\/html/);
      expect(page.text).toContain('<base href="/">');
    }
  });

  it('keeps its series over a reload that changes nothing', async () => {
    // A gap would reset every pending alert, and the page would flicker.
    expect((await tyto.post('-/reload')).status).toBe(200);
    const up = await tyto.query('up');
    expect(up.map(({ metric }) => metric.job).sort()).toEqual(['node', 'tyto']);
    const health = (await tyto.api('targets')).activeTargets.map(
      (target: { health: string }) => target.health,
    );
    expect(health).toEqual(['up', 'up']);
  });
});

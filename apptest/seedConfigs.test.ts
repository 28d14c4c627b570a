/** The configurations that people bring are used as they are. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runTyto, seedPath, startTyto } from './harness.ts';

interface Target {
  readonly scrapePool: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapeUrl: string;
}

const PROMETHEUS_FILES = ['guide/prometheus/prometheus.yml', 'stack/prometheus/prometheus.yml'];
const OTHER_FILES = [
  'guide/prometheus/rules/alerts.yml',
  'stack/prometheus/rules/alerts.yml',
  'guide/alertmanager/config.yml',
  'stack/alertmanager/alertmanager.yml',
];

for (const name of [...PROMETHEUS_FILES, ...OTHER_FILES]) {
  const path = seedPath(name);
  it.skipIf(path === undefined)(`tyto check config finds ${name} good`, async () => {
    const { code, stdout, stderr } = await runTyto(['check', 'config', String(path)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`${name}: good`);
  });
}

const POOLS: Readonly<Record<string, readonly string[]>> = {
  'guide/prometheus/prometheus.yml': ['backend-api', 'blackbox', 'cadvisor', 'node', 'prometheus'],
  'stack/prometheus/prometheus.yml': ['backend', 'cadvisor', 'node-exporter', 'prometheus'],
};

for (const name of PROMETHEUS_FILES) {
  const path = seedPath(name);
  describe.skipIf(path === undefined)(`Tyto started with ${name}`, () => {
    it('has its targets, shows the file as it is, and watches nothing else', async () => {
      const tyto = await startTyto({ args: [`--config.file=${path}`] });
      const targets: readonly Target[] = (await tyto.api('targets')).activeTargets;
      expect([...new Set(targets.map(({ scrapePool }) => scrapePool))].sort()).toEqual(POOLS[name]);
      const { yaml } = await tyto.api('status/config');
      expect(yaml).toBe(readFileSync(String(path), 'utf8'));
      const probes = targets.filter(({ scrapePool }) => scrapePool === 'blackbox');
      for (const { scrapeUrl, labels } of probes) {
        const url = new URL(scrapeUrl);
        expect(url.host).toBe('blackbox-exporter:9115');
        expect(url.searchParams.get('target')).toBe(labels.instance);
        expect(url.searchParams.get('module')).toBe('http_2xx');
      }
      expect(await tyto.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    });
  });
}

/** `tyto tsdb …` beside a running Tyto, and what was imported in a Tyto that starts on it. */
import { describe, expect, it } from 'vitest';
import { runTyto, startTyto, temporaryDirectory, waitFor } from './harness.ts';

const HOUR_MS = 3600_000;
const CONFIG = `global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: dead, static_configs: [{targets: ['127.0.0.1:1']}]}
`;

/** A gauge that counts, once a minute, up to a time. */
function openMetrics(fromMs: number, toMs: number): string {
  const lines = ['# TYPE past gauge'];
  for (let time = fromMs; time <= toMs; time += 60_000) {
    lines.push(`past{a="b"} ${(time - fromMs) / 60_000} ${time / 1000}`);
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

describe('the tools of a data directory', () => {
  it('import samples of any age; a Tyto started on them answers and goes on', async () => {
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    const fromMs = nowMs - 50 * HOUR_MS;
    const directory = temporaryDirectory({ 'in.txt': openMetrics(fromMs, nowMs - 60_000) });
    const dataDirectory = `${directory}/data`;
    const imported = await runTyto(['tsdb', 'import', 'openmetrics', 'in.txt', 'data'], directory);
    expect(imported.stderr).toBe('');
    expect(imported.code).toBe(0);
    const tyto = await startTyto({ config: CONFIG, dataDirectory });
    const at = (fromMs + 10 * HOUR_MS) / 1000;
    const { result } = await tyto.api(`query?query=past&time=${at}`);
    expect(result).toEqual([{ metric: { __name__: 'past', a: 'b' }, value: [at, '600'] }]);
    expect(await tyto.value('count_over_time(past[52h])')).toBe(50 * 60);
    // The last block ends with its last sample, so that scrapes are stored at once.
    await waitFor('a scrape is stored', async () => (await tyto.value('up{job="dead"}')) === 0);
    await tyto.kill();
  });

  it('let a running Tyto be: some work beside it, others say what to do', async () => {
    const tyto = await startTyto({ config: CONFIG });
    await waitFor('a scrape is stored', async () => (await tyto.value('up{job="dead"}')) === 0);
    const { dataDirectory } = tyto;
    const list = await runTyto(['tsdb', 'list', dataDirectory]);
    expect(list.code).toBe(0);
    expect(list.stdout).toMatch(/^BLOCK +MIN TIME/);
    const verify = await runTyto(['tsdb', 'verify', dataDirectory]);
    expect(verify.stderr).toBe('');
    expect(verify.code).toBe(0);
    const dump = await runTyto(['tsdb', 'dump', dataDirectory]);
    expect(dump.code).toBe(1);
    expect(dump.stderr).toContain(`in use by process ${tyto.pid}; stop that Tyto first`);
    const given = temporaryDirectory({ 'in.txt': openMetrics(0, HOUR_MS) });
    const imported = await runTyto([
      'tsdb',
      'import',
      'openmetrics',
      `${given}/in.txt`,
      dataDirectory,
    ]);
    expect(imported.code).toBe(1);
    expect(imported.stderr).toContain('stop that Tyto first');
    await tyto.kill();
    const after = await runTyto(['tsdb', 'dump', '--match=up', dataDirectory]);
    expect(after.stdout).toMatch(
      /^\{__name__="up", instance="127\.0\.0\.1:1", job="dead"\} 0 \d+$/m,
    );
  });

  it('explain themselves, and refuse what they do not know with the nearest name', async () => {
    const overview = await runTyto(['tsdb', '--help']);
    for (const name of ['list', 'analyze', 'dump', 'dump-openmetrics', 'verify', 'export']) {
      expect(overview.stdout).toContain(`tyto tsdb ${name} `);
      expect((await runTyto(['tsdb', name, '--help'])).stdout).toContain('Usage:');
    }
    expect((await runTyto(['tsdb', 'dmp'])).stderr).toContain('did you mean dump?');
    expect((await runTyto(['tsdb', 'import', 'promtheus', 'x'])).stderr).toContain('prometheus');
    expect((await runTyto(['tsdb', 'dump', '--mtch=x'])).code).toBe(1);
    expect((await runTyto(['tsdb', 'list', '/nowhere'])).stderr).toContain('is not there');
    expect((await runTyto(['tsdb', 'dump', '--match={', '.'])).code).toBe(1);
  });
});

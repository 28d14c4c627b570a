/** Targets that misbehave on purpose: they harm neither Tyto's memory nor the other targets. */
import { beforeAll, describe, expect, it } from 'vitest';
import { sleep, startTyto, tell, type Tyto, waitFor } from './harness.ts';
import { type CountingTarget, HOSTILE_TARGETS, startCountingTarget, startHttp } from './targets.ts';

/** Every hostile target is scraped several times in this while. */
const WATCH_MS = 20_000;
/** Two bodies of 256 MB may be under way here, of which the larger part is let go in time. */
const MEMORY_MB_MAX = 350;
/** What a body's limit for all targets together would allow. */
const TOGETHER_MB_MAX = 350;
const TOGETHER_COUNT = 6;

const ERRORS: Readonly<Record<string, RegExp>> = {
  garbage: /line \d+: expected/,
  endless: /body size limit exceeded|deadline exceeded/,
  drip: /deadline exceeded/,
  silent: /deadline exceeded/,
  cut: /EOF|reset/,
  bomb: /line 1: expected a line of less than/,
  line_bomb: /body size limit exceeded|deadline exceeded/,
  long_line: /line 1: expected a line of less than/,
  redirecting: /redirect/,
  failing: /server returned HTTP status 500/,
};

describe('hostile targets', () => {
  let tyto: Tyto;
  let good: CountingTarget;
  const config = async () => {
    const jobs: string[] = [];
    for (const { name, listener } of HOSTILE_TARGETS) {
      const { address } = await startHttp(listener);
      jobs.push(`  - {job_name: ${name}, static_configs: [{targets: ['${address}']}]}\n`);
    }
    jobs.push(`  - {job_name: good, static_configs: [{targets: ['${good.address}']}]}\n`);
    return `global: {scrape_interval: 2s, scrape_timeout: 2s}\nscrape_configs:\n${jobs.join('')}`;
  };

  beforeAll(async () => {
    good = await startCountingTarget();
    tyto = await startTyto({ config: await config() });
    await sleep(WATCH_MS);
  });

  it('leave the memory bounded', () => {
    const megabytes = Math.round(tyto.peakMemoryKb() / 1024);
    tell(`peak memory among hostile targets: ${megabytes} MB`);
    expect(megabytes).toBeLessThan(MEMORY_MB_MAX);
  });

  it('do not keep a good target from being scraped on time', async () => {
    const count = await tyto.value(`count_over_time(up{job="good"}[${WATCH_MS / 1000}s])`);
    const scrapes = WATCH_MS / 2000;
    expect(count).toBeGreaterThanOrEqual(scrapes - 1);
    expect(await tyto.value('min_over_time(up{job="good"}[1m])')).toBe(1);
    const gaps = good.served.slice(1).map(({ timeMs }, i) => timeMs - good.served[i].timeMs);
    tell(`longest gap between scrapes of a good target: ${Math.max(...gaps)} ms of 2000`);
    expect(Math.max(...gaps)).toBeLessThan(4000);
  });

  it.each(HOSTILE_TARGETS)('are down with the reason: $name', async ({ name }) => {
    const target = await waitFor('it was scraped', async () => {
      const { activeTargets } = await tyto.api(`targets?scrapePool=${name}`);
      return activeTargets[0].health !== 'unknown' && activeTargets[0];
    });
    tell(`${name}: ${JSON.stringify(target.lastError)}`);
    expect(target.health).toBe('down');
    expect(target.lastError).toMatch(ERRORS[name]);
    expect(target.lastError.length).toBeLessThan(1000);
    expect(await tyto.value(`up{job="${name}"}`)).toBe(0);
  });

  it('leave the API quick', async () => {
    const startMs = performance.now();
    for (let i = 0; i < 20; i++) await tyto.query('up');
    const meanMs = (performance.now() - startMs) / 20;
    tell(`mean time of a query among hostile targets: ${meanMs.toFixed(1)} ms`);
    expect(meanMs).toBeLessThan(1000);
  });

  it('do not keep SIGTERM waiting, and the next start has the data', async () => {
    const before = await tyto.query('scrapes_total{job="good"}');
    const startMs = Date.now();
    expect(await tyto.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    const stopMs = Date.now() - startMs;
    tell(`stopped by SIGTERM in ${stopMs} ms`);
    expect(stopMs).toBeLessThan(5000);
    const again = await startTyto({ config: 'global: {}\n', dataDirectory: tyto.dataDirectory });
    const value = await again.value(`max_over_time(scrapes_total{job="good"}[5m])`);
    expect(value).toBeGreaterThanOrEqual(Number(before[0].value[1]));
    expect(value).toBe(good.served.length);
  });
});

it('many hostile targets at once leave the memory bounded as well', async () => {
  const bomb = HOSTILE_TARGETS.find(({ name }) => name === 'line_bomb');
  const { address } = await startHttp((request, response) => bomb?.listener(request, response));
  const jobs = Array.from(
    { length: TOGETHER_COUNT },
    (_, i) => `  - {job_name: job${i}, static_configs: [{targets: ['${address}']}]}\n`,
  );
  const tyto = await startTyto({
    config: `global: {scrape_interval: 8s, scrape_timeout: 8s}\nscrape_configs:\n${jobs.join('')}`,
  });
  await waitFor(
    'all were scraped',
    async () => (await tyto.query('up == 0')).length === TOGETHER_COUNT,
    30_000,
  );
  const megabytes = Math.round(tyto.peakMemoryKb() / 1024);
  tell(`peak memory among ${TOGETHER_COUNT} bombs at once: ${megabytes} MB`);
  expect(megabytes).toBeLessThan(TOGETHER_MB_MAX);
});

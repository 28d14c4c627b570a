/**
 * A disk that is full: logs are refused with a reason, nothing that was acknowledged is lost, and
 * writing goes on by itself when there is room. The disk is a small tmpfs, which only root may
 * mount; without that these tests are left out, and say so.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  atEnd,
  freePort,
  sleep,
  startTyto,
  tell,
  temporaryDirectory,
  type Tyto,
  waitFor,
} from '../harness.ts';
import { allLines, enginePid, nowNs, push, type PushAnswer } from './stack.ts';

const SMALL = '48m';
const LARGE = '256m';
const LINES_PER_PUSH = 20;
const LINE_BYTES = 50_000;
/** Enough to fill the disk several times. */
const PUSHES_MAX = 200;
const REFUSALS_WANTED = 6;
/** Twice the interval of scrapes would be a sample that is missing. */
const GAP_MS_MAX = 3900;

const mountable = canMount();

function canMount(): boolean {
  const directory = temporaryDirectory();
  try {
    mount(directory, SMALL);
    execFileSync('umount', [directory]);
    return true;
  } catch (error) {
    process.stdout.write(`SKIPPED: no tmpfs can be mounted here (${String(error)})\n`);
    return false;
  }
}

function mount(directory: string, size: string, ...more: string[]): void {
  const options = [`size=${size}`, ...more].join(',');
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'pipe' });
}

function smallDisk(directory: string): void {
  mkdirSync(directory, { recursive: true });
  mount(directory, SMALL);
  atEnd(() => execFileSync('umount', ['-l', directory]));
}

async function start(dataDirectory: string): Promise<Tyto> {
  const port = await freePort();
  return await startTyto({
    port,
    dataDirectory,
    files: { 'rules.yml': 'groups: [{name: g, rules: [{alert: Alive, expr: vector(1)}]}]' },
    config: `
global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 2s}
rule_files: [rules.yml]
scrape_configs: [{job_name: self, static_configs: [{targets: ['127.0.0.1:${port}']}]}]
`,
  });
}

/** Sends lines that do not compress, and keeps those that were acknowledged. */
class Filling {
  readonly acknowledged: string[] = [];
  readonly #startNs = nowNs();
  #next = 0;

  async push(tyto: Tyto): Promise<PushAnswer> {
    const values = Array.from({ length: LINES_PER_PUSH }, (): [string, string] => {
      const n = this.#next++;
      return [`${this.#startNs + BigInt(n)}`, `${n} ${this.#noise()}`];
    });
    const answer = await push(tyto, [{ stream: { app: 'full' }, values }]);
    if (answer.status === 204) this.acknowledged.push(...values.map(([, line]) => line));
    return answer;
  }

  /** Until it was refused some times in a row, which is no moment of a merge. */
  async fill(tyto: Tyto): Promise<PushAnswer[]> {
    const refused: PushAnswer[] = [];
    for (let i = 0; i < PUSHES_MAX && refused.length < REFUSALS_WANTED; i++) {
      const answer = await this.push(tyto);
      if (answer.status !== 204) refused.push(answer);
    }
    return refused;
  }

  async expectAllThere(tyto: Tyto): Promise<void> {
    const found = new Set(await allLines(tyto, '{app="full"}', this.#startNs));
    const missing = this.acknowledged.filter((line) => !found.has(line));
    expect(missing.map((line) => line.slice(0, 20))).toEqual([]);
  }

  #noise(): string {
    return randomBytes((LINE_BYTES * 3) / 4).toString('base64');
  }
}

it.skipIf(!mountable)('a full disk of logs refuses them, and metrics go on', async () => {
  const dataDirectory = join(temporaryDirectory(), 'data');
  const logs = join(dataDirectory, 'logs');
  smallDisk(logs);
  const tyto = await start(dataDirectory);
  const filling = new Filling();
  const fullMs = Date.now();
  const refused = await filling.fill(tyto);
  tell(`${filling.acknowledged.length} lines acknowledged, then: ${refused[0].text.trim()}`);
  for (const { status, text } of refused) {
    expect([507, 429], text).toContain(status);
    expect(text).toMatch(/no space left|disk is full/i);
  }
  expect(filling.acknowledged.length).toBeGreaterThan(LINES_PER_PUSH * 5);
  await filling.expectAllThere(tyto);
  // A store that dies on a full disk can be read again all the same.
  process.kill(enginePid(tyto) ?? 0, 'SIGKILL');
  await waitFor('the store answers', async () => {
    await filling.expectAllThere(tyto);
    return true;
  });
  const pid = enginePid(tyto);
  mount(logs, LARGE, 'remount');
  const answer = await waitFor('there is room again', async () => {
    const own = await filling.push(tyto);
    return own.status === 204 ? own : undefined;
  });
  expect(answer.status).toBe(204);
  await filling.expectAllThere(tyto);
  expect(enginePid(tyto), 'the same process of the store').toBe(pid);
  await expectNoGaps(tyto, fullMs);
});

async function expectNoGaps(tyto: Tyto, sinceMs: number): Promise<void> {
  const [series] = await tyto.query('up{job="self"}[10m]');
  const { values } = series as unknown as { values: [number, string][] };
  const times = values.map(([seconds]) => seconds * 1000).filter((timeMs) => timeMs >= sinceMs);
  for (let i = 1; i < times.length; i++) expect(times[i] - times[i - 1]).toBeLessThan(GAP_MS_MAX);
  expect(await tyto.value('sum(prometheus_rule_group_iterations_missed_total)')).toBe(0);
}

/** To the last byte: the store of logs leaves some room that metrics can use. */
function fillUp(path: string): void {
  for (const size of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size));
    } catch {
      // Smaller pieces may still fit.
    }
  }
}

it.skipIf(!mountable)('one full disk for everything: alerts go on, and all resumes', async () => {
  const dataDirectory = join(temporaryDirectory(), 'data');
  smallDisk(dataDirectory);
  const tyto = await start(dataDirectory);
  const filling = new Filling();
  const refused = await filling.fill(tyto);
  for (const { status, text } of refused) expect([507, 429], text).toContain(status);
  await filling.expectAllThere(tyto);
  fillUp(join(dataDirectory, 'filler'));
  await sleep(3000);
  const alerts = await tyto.api('alerts');
  const age = await tyto.value('time() - timestamp(up{job="self"})');
  tell(`the last byte is taken: the newest sample is ${age} s old`);
  expect(JSON.stringify(alerts)).toContain('"alertname":"Alive"');
  mount(dataDirectory, LARGE, 'remount');
  await waitFor('there is room again', async () => (await filling.push(tyto)).status === 204);
  await filling.expectAllThere(tyto);
  await waitFor('samples come again', async () => {
    const age = await tyto.value('time() - timestamp(up{job="self"})');
    return age !== undefined && age < 6;
  });
});

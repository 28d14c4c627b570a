/**
 * kill -9 of the server, of the store's process or of both at random moments while logs come in:
 * every line that was acknowledged is found afterwards, the store answers again within some
 * seconds, and scraping and rules do not notice the death of the store. `TYTO_KILLS` sets the
 * number of kills, `TYTO_SEED` the moments.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  freePort,
  sleep,
  startTyto,
  tell,
  temporaryDirectory,
  type Tyto,
  waitFor,
} from '../harness.ts';
import { allLines, enginePid, lokiGet, nowNs, push, randomOf } from './stack.ts';

const KILLS = Number(process.env.TYTO_KILLS ?? 20);
const SEED = Number(process.env.TYTO_SEED ?? 11);
const PUSHERS = 3;
const LINES_PER_PUSH = 40;
/** A kill comes so late after the store is up, at most. */
const KILL_MS_MAX = 900;
/** Alone on its machine it is back within 3 s; tests run beside one another. */
const BACK_MS_MAX = 6000;
const INTERVAL_MS = 2000;
/** Twice the interval would be a sample that is missing; less is a machine with much to do. */
const GAP_MS_MAX = 3900;

const RULES = `
groups:
  - {name: alive, interval: 2s, rules: [{record: alive, expr: vector(1)}]}
`;

class Pushing {
  readonly acknowledged = new Set<string>();
  readonly #startNs = nowNs();
  readonly #failures = new Map<string, number>();
  #next = 0;
  #isEnding = false;
  #done: Promise<unknown> = Promise.resolve();

  start(tyto: () => Tyto): void {
    this.#done = Promise.all(Array.from({ length: PUSHERS }, (_, n) => this.#run(n, tyto)));
  }

  /** Ends when the last answers are there. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#done;
  }

  get failures(): string {
    return [...this.#failures].map(([what, count]) => `${count} × ${what}`).join(', ');
  }

  async #run(pusher: number, tyto: () => Tyto): Promise<void> {
    while (!this.#isEnding) {
      const values = Array.from({ length: LINES_PER_PUSH }, (): [string, string] => {
        const n = this.#next++;
        return [`${this.#startNs + BigInt(n)}`, `line ${n} of pusher ${pusher}`];
      });
      const stream = { app: 'killed', pusher: `${pusher}` };
      const answer = await push(tyto(), [{ stream, values }]).catch(() => undefined);
      if (answer?.status === 204) {
        for (const [, line] of values) this.acknowledged.add(line);
      } else {
        const what = answer === undefined ? 'no answer' : `${answer.status} ${answer.text.trim()}`;
        this.#failures.set(what, (this.#failures.get(what) ?? 0) + 1);
        await sleep(20);
      }
    }
  }
}

it('loses no acknowledged line, and is back soon', {
  timeout: 60_000 + KILLS * 10_000,
}, async () => {
  const port = await freePort();
  const options = {
    port,
    dataDirectory: join(temporaryDirectory(), 'data'),
    files: { 'rules.yml': RULES },
    config: `
global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 2s}
rule_files: [rules.yml]
scrape_configs: [{job_name: self, static_configs: [{targets: ['127.0.0.1:${port}']}]}]
`,
  };
  const random = randomOf(SEED);
  const startNs = nowNs();
  const backMs: number[] = [];
  const kinds = { child: 0, server: 0, both: 0 };
  let tyto = await startTyto(options);
  let readyMs = Date.now();
  const pushing = new Pushing();
  pushing.start(() => tyto);
  await answers(tyto);
  for (let n = 0; n < KILLS; n++) {
    await sleep(random() * KILL_MS_MAX);
    const draw = random();
    const kind = draw < 0.6 ? 'child' : draw < 0.8 ? 'server' : 'both';
    kinds[kind]++;
    const pid = enginePid(tyto);
    if (kind !== 'child') await expectNoGaps(tyto, readyMs);
    if (kind !== 'server' && pid !== undefined) process.kill(pid, 'SIGKILL');
    const killedMs = Date.now();
    if (kind === 'child') {
      await answers(tyto);
      backMs.push(Date.now() - killedMs);
    } else {
      await tyto.kill('SIGKILL');
      const restartedMs = Date.now();
      tyto = await startTyto(options);
      readyMs = Date.now();
      await answers(tyto);
      // Starting the server itself is not the store's time.
      backMs.push(Date.now() - Math.max(restartedMs, readyMs));
    }
  }
  await expectNoGaps(tyto, readyMs);
  await pushing.end();
  const found = await allLines(tyto, '{app="killed"}', startNs);
  const foundSet = new Set(found);
  const missing = [...pushing.acknowledged].filter((line) => !foundSet.has(line));
  const sorted = [...backMs].sort((a, b) => a - b);
  tell(
    `${KILLS} kills (${JSON.stringify(kinds)}, seed ${SEED}): ` +
      `${pushing.acknowledged.size} lines acknowledged, ${missing.length} missing, ` +
      `${found.length - foundSet.size} twice; back after ${sorted[sorted.length >> 1]} ms, ` +
      `at most ${sorted.at(-1)} ms; pushes that failed: ${pushing.failures}`,
  );
  expect(pushing.acknowledged.size).toBeGreaterThan(KILLS * LINES_PER_PUSH);
  expect(missing).toEqual([]);
  expect(sorted.at(-1)).toBeLessThanOrEqual(BACK_MS_MAX);
});

/** Resolves when the store answers a question. */
async function answers(tyto: Tyto): Promise<void> {
  await waitFor('the store answers', async () => {
    const params = { query: '{app="killed"}', limit: '1' };
    const { status } = await lokiGet(tyto, 'loki/api/v1/query_range', params);
    return status === 200;
  });
}

/** Of the server's own life, up to now. */
async function expectNoGaps(tyto: Tyto, readyMs: number): Promise<void> {
  for (const name of ['up{job="self"}', 'alive']) {
    const [series] = await tyto.query(`${name}[10m]`);
    const { values } = (series ?? { values: [] }) as unknown as { values: [number, string][] };
    const times = values.map(([seconds]) => seconds * 1000).filter((timeMs) => timeMs >= readyMs);
    const livedMs = Date.now() - readyMs;
    expect(times.length, `${name} in ${livedMs} ms`).toBeGreaterThan(livedMs / INTERVAL_MS - 3);
    for (let i = 1; i < times.length; i++) {
      expect(times[i] - times[i - 1], `the gap of ${name}`).toBeLessThan(GAP_MS_MAX);
    }
  }
  const missed = await tyto.value('sum(prometheus_rule_group_iterations_missed_total)');
  expect(missed ?? 0, 'missed evaluations').toBe(0);
}

/** From the moment at which a metric crosses its threshold to the webhook, a hundred times. */
import { expect, it } from 'vitest';
import { sleep, startTyto, tell, waitFor } from '../harness.ts';
import { startHttp } from '../targets.ts';
import { startSink } from './sink.ts';

const TRIES = 100;
const SCRAPE_MS = 1000;
const EVALUATION_MS = 1000;
const GROUP_WAIT_MS = 500;
const SPARE_MS = 1000;
/** Crossings come so far apart, at no fixed phase of scrapes and evaluations. */
const APART_MS = 137;

it('takes no longer than a scrape, an evaluation, group_wait and a second', async () => {
  const crossedAt = new Map<string, number>();
  const target = await startHttp((_, response) => {
    const lines = Array.from({ length: TRIES }, (_, n) => {
      return `pool_used{pool="p${n}"} ${crossedAt.has(`p${n}`) ? 20 : 3}\n`;
    });
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`# TYPE pool_used gauge\n${lines.join('')}`);
  });
  const sink = await startSink(new Map());
  const tyto = await startTyto({
    config: `
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs: [{job_name: shop, static_configs: [{targets: ['${new URL(target.url).host}']}]}]
`,
    files: {
      'rules.yml': `
groups:
- name: pools
  rules: [{alert: PoolExhausted, expr: pool_used >= 20, labels: {severity: critical}}]
`,
    },
    alertmanager: `
route: {receiver: hook, group_by: [pool], group_wait: ${GROUP_WAIT_MS}ms}
receivers: [{name: hook, webhook_configs: [{url: '${sink.url}/hook'}]}]
`,
  });
  await waitFor(
    'all pools are stored',
    async () => (await tyto.value('count(pool_used)')) === TRIES,
  );
  await sleep(4000);
  for (let n = 0; n < TRIES; n++) {
    crossedAt.set(`p${n}`, Date.now());
    await sleep(APART_MS);
  }
  await waitFor('all pools are told', () => sink.arrivals.length >= TRIES, 10_000);
  const delays = sink.arrivals.map(({ timeMs, content }) => {
    const { groupLabels } = content as { groupLabels: { pool: string } };
    return timeMs - (crossedAt.get(groupLabels.pool) ?? Number.NaN);
  });
  delays.sort((a, b) => a - b);
  tell(`threshold to webhook: median ${delays[TRIES / 2]} ms, slowest ${delays.at(-1)} ms`);
  expect(delays.length).toBe(TRIES);
  const allowedMs = SCRAPE_MS + EVALUATION_MS + GROUP_WAIT_MS + SPARE_MS;
  expect(delays.filter((delay) => !(delay <= allowedMs))).toEqual([]);
});

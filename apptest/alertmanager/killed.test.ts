/**
 * kill -9 between the arrival of an alert and its notification, at random moments: afterwards it is
 * delivered exactly once, or at most twice where the kill was inside the delivery itself.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort, sleep, startTyto, tell, temporaryDirectory, waitFor } from '../harness.ts';
import { type Arrival, startSink } from './sink.ts';

const KILLS = 50;
const GROUP_WAIT_MS = 300;
/** From the acknowledgement to the kill, at most: some kills come after the delivery. */
const KILL_MS_MAX = 450;
/** What a notification takes at the receiver. */
const DELIVERY_MS = 60;
/** What a start takes to tell again what was being delivered, and to note it. */
const SETTLED_MS = 500;
/** A second delivery would have come by then. */
const QUIET_MS = 700;

it('delivers every alert after a kill, once unless it was being delivered', async () => {
  const sink = await startSink(new Map(), DELIVERY_MS);
  const directory = temporaryDirectory();
  const options = {
    port: await freePort(),
    dataDirectory: join(directory, 'data'),
    config: 'scrape_configs: []\n',
    alertmanager: `
route: {receiver: hook, group_by: [alertname], group_wait: ${GROUP_WAIT_MS}ms, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: '${sink.url}/hook'}]}]
`,
  };
  const random = randomOf(7);
  const killedAt: number[] = [];
  let tyto = await startTyto(options);
  for (let n = 0; n < KILLS; n++) {
    const response = await fetch(`${tyto.baseUrl}api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ labels: { alertname: `A${n}` }, endsAt: '2100-01-01T00:00:00Z' }]),
    });
    expect(response.status).toBe(200);
    await sleep(random() * KILL_MS_MAX);
    killedAt.push(Date.now());
    await tyto.kill('SIGKILL');
    tyto = await startTyto(options);
    await waitFor(`A${n} is delivered`, () => arrivalsOf(sink.arrivals, n).length > 0);
    // So that the next kill finds nothing under way but the next alert.
    await sleep(SETTLED_MS);
  }
  await sleep(QUIET_MS);
  const history = await tyto.get('tyto/api/v1/alerts/history?outcome=interrupted&limit=1000');
  const attempts: { alertnames: string[] }[] = history.json?.data.attempts ?? [];
  const interrupted = attempts.flatMap(({ alertnames }) => alertnames);
  const twice: number[] = [];
  let afterwards = 0;
  for (let n = 0; n < KILLS; n++) {
    const arrivals = arrivalsOf(sink.arrivals, n);
    const [first] = arrivals;
    if (first.timeMs > killedAt[n]) afterwards++;
    if (arrivals.length === 1) continue;
    twice.push(n);
    expect(arrivals.length, `deliveries of A${n}`).toBe(2);
    // It had arrived, and was not noted yet: the history says that it was cut off.
    expect(first.timeMs, `A${n} had arrived`).toBeLessThanOrEqual(killedAt[n]);
    expect(interrupted, `what was cut off`).toContain(`A${n}`);
  }
  tell(`${KILLS} kills: ${afterwards} alerts were told only afterwards, ${twice.length} twice`);
  expect(afterwards).toBeGreaterThan(KILLS / 4);
}, 300_000);

function arrivalsOf(arrivals: readonly Arrival[], n: number): Arrival[] {
  return arrivals.filter(({ content }) => {
    const { alerts } = content as { alerts: readonly { labels: { alertname: string } }[] };
    return alerts.some(({ labels }) => labels.alertname === `A${n}`);
  });
}

/** Numbers from 0 up to 1, the same in every run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

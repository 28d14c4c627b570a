/** Deliveries that the end of the process cuts off. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ManualClock, silentLogger } from '@tyto/base';
import { Labels } from '@tyto/model';
import {
  Dispatcher,
  MemoryStateStore,
  NotifyTemplates,
  type NotifyAttempt,
  parseAlertmanagerConfig,
} from '@tyto/alerting';
import { expect, it } from 'vitest';

it('are in the history after the next start, and are told again', async () => {
  let requests = 0;
  const silent = createServer(() => requests++);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const clock = new ManualClock(Date.UTC(2026, 0, 31, 12));
  const state = new MemoryStateStore();
  const attempts: NotifyAttempt[] = [];
  const start = async () => {
    const made = new Dispatcher({
      clock,
      logger: silentLogger,
      state,
      externalUrl: 'http://tyto',
      observer: { attempt() {}, told() {} },
      events: { fired() {}, resolved() {}, attempted: (attempt) => attempts.push(attempt) },
    });
    const text = `
route: {receiver: hook, group_wait: 1s}
receivers: [{name: hook, webhook_configs: [{url: 'http://127.0.0.1:${port}/'}]}]
`;
    const { config } = parseAlertmanagerConfig(text, 'a.yml');
    if (config === undefined) throw new Error('the configuration is wrong');
    await made.apply(config, new NotifyTemplates([], clock));
    return made;
  };
  const untilAsked = async (count: number) => {
    await clock.advance(1000);
    while (requests < count) {
      await clock.advance(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const first = await start();
  await first.accept([
    {
      labels: Labels.of({ alertname: 'A' }),
      annotations: Labels.empty,
      startsAtMs: clock.nowMs(),
      endsAtMs: clock.nowMs() + 3_600_000,
      generatorUrl: '',
    },
  ]);
  await untilAsked(1);
  expect(attempts).toEqual([]);
  // The process ends here: nothing of the first one goes on but its request.
  const second = await start();
  expect(
    attempts.map(({ outcome, receiver, integration }) => [outcome, receiver, integration]),
  ).toEqual([['interrupted', 'hook', 'webhook']]);
  expect(attempts[0].firing.map(({ labels }) => labels.get('alertname'))).toEqual(['A']);
  expect(attempts[0].error).toBe('Tyto ended while it was being delivered: it may arrive twice');
  await untilAsked(2);
  expect([...state.entries('delivering/')].length).toBe(1);
  silent.closeAllConnections();
  const stopped = Promise.all([first.stop(), second.stop()]);
  await clock.advance(5000);
  await stopped;
  await new Promise((resolve) => silent.close(resolve));
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@tyto/base';
import { ScrapeManager } from '@tyto/collect';
import { MemoryMetricStore } from '@tyto/model';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, jobsOf } from '../testing.ts';

let manager: ScrapeManager;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tyto-discovery-'));
  const store = new MemoryMetricStore();
  manager = new ScrapeManager({ store, clock: systemClock, logger: silentLogger, version: '0' });
});
afterEach(async () => {
  await manager.stop();
  rmSync(directory, { recursive: true });
});

/** The labels of the targets, as text. */
function labels(): string[] {
  return manager
    .targets()
    .active.map((target) => target.labels.toString())
    .sort();
}

async function has(...expected: string[]): Promise<void> {
  await eventually(() => labels().join() === expected.sort().join()).catch(() => {});
  expect(labels()).toEqual(expected);
}

test('files: found by a pattern, watched, and a bad one keeps its last good targets', async () => {
  const file = (name: string) => join(directory, name);
  writeFileSync(file('a.json'), '[{"targets": ["a:1"], "labels": {"x": "y"}}]');
  writeFileSync(file('b.yml'), '- targets: [b:1, b:2]\n');
  writeFileSync(file('other.txt'), 'nothing');
  const files = `[{files: ["${directory}/*.json", "${directory}/*.yml"]}]`;
  await manager.apply(jobsOf(`scrape_configs: [{job_name: j, file_sd_configs: ${files}}]`));
  const a = '{instance="a:1", job="j", x="y"}';
  const [b1, b2] = ['{instance="b:1", job="j"}', '{instance="b:2", job="j"}'];
  await has(a, b1, b2);
  const discovered = manager.targets().active[0].discoveredLabels;
  expect(discovered.get('__meta_filepath')).toBe(file('a.json'));

  writeFileSync(file('a.json'), '[{"targets": ["a:2"');
  writeFileSync(file('b.yml'), '- targets: [b:2]\n');
  await has(a, b2);
  rmSync(file('b.yml'));
  await has(a);
  writeFileSync(file('a.json'), '[]');
  await has();
});

test('HTTP: the answer makes the targets, a failure keeps them', async () => {
  let answer: string | undefined =
    '[{"targets": ["a:1"], "labels": {"x": "y"}}, {"targets": ["b:1"]}]';
  const asked: (string | string[] | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers['x-prometheus-refresh-interval-seconds']);
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    if (answer === undefined) response.statusCode = 503;
    response.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sd`;
  const http = `[{url: "${url}", refresh_interval: 50ms}]`;
  await manager.apply(jobsOf(`scrape_configs: [{job_name: j, http_sd_configs: ${http}}]`));
  await has('{instance="a:1", job="j", x="y"}', '{instance="b:1", job="j"}');
  expect(asked[0]).toBe('0.05');
  answer = undefined;
  const count = asked.length;
  await eventually(() => asked.length > count + 2);
  await has('{instance="a:1", job="j", x="y"}', '{instance="b:1", job="j"}');
  answer = '[{"targets": ["c:1"]}]';
  await has('{instance="c:1", job="j"}');
  server.closeAllConnections();
  server.close();
});

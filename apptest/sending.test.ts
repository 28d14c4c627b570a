/**
 * Sending: what Tyto scrapes arrives at a real Prometheus and at VictoriaMetrics, every sample
 * once, although the receivers are away for a while and Tyto is killed in the middle.
 *
 * TYTO_SENDING_SECONDS makes each of the phases longer than three seconds.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Envelope,
  freePort,
  type Program,
  programPath,
  sleep,
  startProgram,
  startTyto,
  tell,
  type Tyto,
  temporaryDirectory,
  waitFor,
} from './harness.ts';
import { type HttpTarget, startHttp } from './targets.ts';

const PHASE_MS = Number(process.env.TYTO_SENDING_SECONDS ?? 3) * 1000;
const CATCHING_UP_MS = Math.random() * 600;
const SHOWN_MS_MAX = 15_000;
const SERIES = 300;
const TEST_MS = 120_000 + PHASE_MS * 8;
/** `series`, by its labels without the name, to its samples as `time value`. */
type Stored = Map<string, string[]>;

interface Receiver {
  readonly writeUrl: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  stored(): Promise<Stored>;
}

function program(name: string): string {
  const path = programPath(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

async function startTarget(): Promise<HttpTarget> {
  let round = 0;
  return await startHttp((_, response) => {
    round++;
    const lines = ['# HELP work_total Work.', '# TYPE work_total counter'];
    for (let i = 0; i < SERIES; i++) lines.push(`work_total{path="/${i}"} ${round * (i + 0.5)}`);
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`${lines.join('\n')}\n`);
  });
}

async function answers(url: string): Promise<boolean> {
  return (await fetch(url)).ok;
}

async function prometheus(): Promise<Receiver & { readonly baseUrl: string }> {
  const directory = temporaryDirectory({ 'prometheus.yml': 'scrape_configs: []\n' });
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  let running: Program | undefined;
  return {
    baseUrl,
    writeUrl: `${baseUrl}/api/v1/write`,
    async start() {
      running = startProgram(program('prometheus'), [
        `--config.file=${directory}/prometheus.yml`,
        `--storage.tsdb.path=${directory}/data`,
        `--web.listen-address=${baseUrl.slice(7)}`,
        '--web.enable-remote-write-receiver',
      ]);
      await waitFor('Prometheus is ready', () => answers(`${baseUrl}/-/ready`), 20_000);
    },
    async stop() {
      await running?.kill('SIGKILL');
    },
    stored: () => storedOf(`${baseUrl}/`),
  };
}

async function victoriaMetrics(): Promise<Receiver> {
  const directory = temporaryDirectory();
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  let running: Program | undefined;
  return {
    writeUrl: `${baseUrl}/api/v1/write`,
    async start() {
      running = startProgram(program('victoria-metrics'), [
        `-storageDataPath=${directory}/data`,
        `-httpListenAddr=${baseUrl.slice(7)}`,
        // A request that was not answered is sent again, and this store keeps both otherwise.
        '-dedup.minScrapeInterval=1ms',
      ]);
      await waitFor('VictoriaMetrics is ready', () => answers(`${baseUrl}/health`), 20_000);
    },
    async stop() {
      // What it holds in memory for seconds would be lost by a harder end.
      await running?.kill('SIGTERM');
    },
    async stored() {
      await fetch(`${baseUrl}/internal/force_flush`);
      const answer = await fetch(`${baseUrl}/api/v1/export?match[]=work_total`);
      const stored: Stored = new Map();
      for (const line of (await answer.text()).split('\n').filter(Boolean)) {
        const { metric, timestamps, values } = JSON.parse(line);
        // A stale marker is exported as null.
        const samples = timestamps
          .map((ms: number, i: number) => `${ms} ${values[i]}`)
          .filter((_: string, i: number) => values[i] !== null);
        stored.set(keyOf(metric), [...(stored.get(keyOf(metric)) ?? []), ...samples].sort());
      }
      return stored;
    },
  };
}

function keyOf({ path, cluster = '' }: Record<string, string>): string {
  return `${path} ${cluster}`;
}

async function storedOf(baseUrl: string): Promise<Stored> {
  const answer = await fetch(`${baseUrl}api/v1/query?query=work_total[1h]`);
  const { data } = (await answer.json()) as Envelope;
  const stored: Stored = new Map();
  for (const { metric, values } of data.result) {
    const samples = values.map(
      ([seconds, value]: [number, string]) => `${Math.round(seconds * 1000)} ${Number(value)}`,
    );
    stored.set(keyOf(metric), samples.sort());
  }
  return stored;
}

function config(target: HttpTarget, receivers: readonly Receiver[]): string {
  return `global: {scrape_interval: 500ms, external_labels: {cluster: here}}
scrape_configs:
  - {job_name: app, static_configs: [{targets: ['${target.address}']}]}
remote_write:
${receivers
  .map(
    ({ writeUrl }) => `  - url: ${writeUrl}
    queue_config: {batch_send_deadline: 500ms, max_samples_per_send: 250, max_backoff: 500ms}
    metadata_config: {send_interval: 1s}
    write_relabel_configs:
      - {source_labels: [__name__], regex: 'scrape_.*', action: drop}
`,
  )
  .join('')}`;
}

function sampleCount(stored: Stored): number {
  return [...stored.values()].reduce((sum, samples) => sum + samples.length, 0);
}

async function pending(tyto: Tyto): Promise<number> {
  const text = (await tyto.get('metrics')).text;
  let sum = 0;
  for (const [, count] of text.matchAll(
    /^prometheus_remote_storage_samples_pending\{.*\} (\S+)$/gm,
  )) {
    sum += Number(count);
  }
  return sum;
}

async function metric(tyto: Tyto, name: string): Promise<number[]> {
  const text = (await tyto.get('metrics')).text;
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.map((line) => Number(line.slice(line.lastIndexOf(' '))));
}

/** How often Tyto is killed. */
const KILLS = 2;

describe('what is scraped', () => {
  let receivers: Receiver[];

  beforeAll(async () => {
    receivers = [await prometheus(), await victoriaMetrics()];
  });

  it(
    'arrives once, whoever is away or killed meanwhile',
    async () => {
      const target = await startTarget();
      for (const receiver of receivers) await receiver.start();
      const text = config(target, receivers);
      let tyto = await startTyto({ config: text });
      await sleep(PHASE_MS);
      for (const receiver of receivers) await receiver.stop();
      await sleep(PHASE_MS);
      expect(await pending(tyto)).toBeGreaterThan(SERIES);
      await tyto.kill('SIGKILL');
      const { dataDirectory, port } = tyto;
      tyto = await startTyto({ config: text, dataDirectory, port });
      await sleep(PHASE_MS);
      for (const receiver of receivers) await receiver.start();
      // What waited is under way while this one dies.
      await sleep(CATCHING_UP_MS);
      await tyto.kill('SIGKILL');
      tyto = await startTyto({ config: text, dataDirectory, port });
      await sleep(PHASE_MS);
      await target.close();
      await waitFor('the last scrape has failed', async () => {
        return (await tyto.value('up')) === 0;
      });
      await waitFor(
        'the queues are empty',
        async () => (await pending(tyto)) === 0,
        20_000 + PHASE_MS,
      ).catch(async (error) => {
        const { text: all } = await tyto.get('metrics');
        const shown = all.split('\n').filter((line) => /^(prometheus|tyto)_remote_/.test(line));
        throw new Error(`${error}\n${shown.join('\n')}\n${tyto.output()}`);
      });
      expect(await metric(tyto, 'tyto_remote_write_queue_dropped_samples_total')).toEqual([0, 0]);
      const own = await storedOf(tyto.baseUrl);
      expect(own.size).toBe(SERIES);
      const wanted = new Map([...own].map(([key, samples]) => [`${key}here`, samples]));
      for (const receiver of receivers) {
        const name = receiver.writeUrl;
        let stored: Stored = new Map();
        // What a receiver has taken it may show later.
        await waitFor(
          'the receiver shows everything',
          async () => {
            stored = await receiver.stored();
            return sampleCount(stored) >= sampleCount(wanted);
          },
          SHOWN_MS_MAX,
        ).catch(() => undefined);
        expect(stored.size, name).toBe(SERIES);
        for (const [key, samples] of wanted) {
          const arrived = stored.get(key) ?? [];
          const known = new Set(samples);
          expect(
            arrived.filter((sample) => known.has(sample)),
            `${name} ${key}`,
          ).toEqual(samples);
          // A kill may come between the queue's file and the log: sent, and in no store of ours.
          expect(arrived.length - samples.length).toBeLessThanOrEqual(KILLS);
        }
      }
      const count = sampleCount(own);
      tell(`killed ${Math.round(CATCHING_UP_MS)} ms after the receivers came back`);
      tell(`${count} samples arrived at both receivers, each once`);
      await tyto.kill();
    },
    TEST_MS,
  );
});

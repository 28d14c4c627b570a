/** W3: many targets that are scraped each second. */
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { api } from '../client.js';
import { figure, MEBIBYTE } from '../figures.js';
import { Random } from '../random.js';
import {
  CONSTANT,
  COUNTER,
  DECIMAL_GAUGE,
  FLOAT_COUNTER,
  firstValue,
  nextValue,
  SMALL_INTEGER,
} from '../series.js';
import { withServer } from './ingest.js';

const TARGETS = 40;
const SERIES_PER_TARGET = 2000;
const INTERVAL_MS = 1000;
/** Scrapes of a target before the measurement, and those that its end may still see. */
const SPARE_SCRAPES = 40;
const START_MS_MAX = 60_000;

/** A metric in each of these families for every handler. */
const FAMILIES = [
  ['app_requests_total', 'counter', COUNTER, 20],
  ['app_request_bytes_total', 'counter', COUNTER, 9000],
  ['app_errors_total', 'counter', CONSTANT, 0],
  ['app_retries_total', 'counter', CONSTANT, 0],
  ['app_latency_milliseconds', 'gauge', DECIMAL_GAUGE, 500],
  ['app_saturation_percent', 'gauge', DECIMAL_GAUGE, 100],
  ['app_queue_length', 'gauge', SMALL_INTEGER, 1],
  ['app_busy_seconds_total', 'counter', FLOAT_COUNTER, 2],
];

const compressed = promisify(gzip);

/**
 * What all targets expose, scrape after scrape: plain and compressed.
 * @param {import('../plan.js').Plan} plan
 */
async function prepare({ seed, scale, scrapeSeconds }) {
  const random = new Random(seed);
  const handlers = Math.ceil(SERIES_PER_TARGET / FAMILIES.length);
  const values = FAMILIES.map(([, , kind, pace]) =>
    Array.from({ length: handlers }, () => firstValue(kind, pace, random)),
  );
  const bodies = [];
  for (let scrape = 0; scrape < scrapeSeconds + SPARE_SCRAPES; scrape++) {
    const lines = [];
    FAMILIES.forEach(([name, type, kind, pace], family) => {
      lines.push(`# HELP ${name} What the application counts of it.`, `# TYPE ${name} ${type}`);
      for (let i = 0; i < handlers; i++) {
        const value = values[family][i];
        lines.push(
          `${name}{service="shop",handler="/api/v1/resource${i}",` +
            `method="${i % 3 ? 'GET' : 'POST'}",status="${i % 7 ? 200 : 500}",` +
            `region="eu-central-1",version="1.4.2"} ${value}`,
        );
        values[family][i] = nextValue(kind, value, pace, random);
      }
    });
    const plain = Buffer.from(`${lines.join('\n')}\n`);
    bodies.push({ plain, zipped: await compressed(plain) });
  }
  const targets = Math.max(1, Math.round(TARGETS * scale));
  return { bodies, targets, series: handlers * FAMILIES.length };
}

/** A target: the first scrape gets the first body, and so on, round and round. */
class Target {
  served = 0;
  #server;

  constructor(bodies) {
    this.#server = createServer((request, response) => {
      const { plain, zipped } = bodies[this.served++ % bodies.length];
      const isZipped = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
      const body = isZipped ? zipped : plain;
      response.writeHead(200, {
        'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
        'Content-Length': body.length,
        ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
      });
      response.end(body);
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  /** @returns {Promise<string>} its address */
  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(`127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`);
      });
    });
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** @type {import('../plan.js').Workload} */
export const scraping = {
  name: 'W3',
  title: 'scraping',
  prepare,
  describe: (plan, data) =>
    `${data.targets} targets x ${data.series} series each ${INTERVAL_MS / 1000} s for ` +
    `${plan.scrapeSeconds} s, ${(data.bodies[0].plain.length / 1024).toFixed(0)} KiB a scrape, ` +
    `${(data.bodies[0].zipped.length / 1024).toFixed(0)} KiB where the server asks for gzip. ` +
    'Measured from the second scrape of all targets on.',
  run: async (kind, plan, data) => {
    const targets = Array.from({ length: data.targets }, () => new Target(data.bodies));
    try {
      const addresses = await Promise.all(targets.map((target) => target.listen()));
      const config =
        `global:\n  scrape_interval: ${INTERVAL_MS}ms\n  scrape_timeout: ${INTERVAL_MS}ms\n` +
        'scrape_configs:\n- job_name: bench\n  static_configs:\n' +
        `  - targets: [${addresses.map((address) => `'${address}'`).join(', ')}]\n`;
      return await withServer(kind, config, (server) => measure(server, plan, data, targets));
    } finally {
      for (const target of targets) target.close();
    }
  },
};

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const servedBy = (targets) => targets.reduce((sum, { served }) => sum + served, 0);

async function untilScrapedTwice(targets) {
  const startMs = performance.now();
  while (targets.some(({ served }) => served < 2)) {
    if (performance.now() - startMs > START_MS_MAX) {
      const missing = targets.filter(({ served }) => served < 2).length;
      throw new Error(`${missing} of ${targets.length} targets were not scraped twice`);
    }
    await sleep(50);
  }
}

async function measure(server, plan, data, targets) {
  const { meter } = server;
  await untilScrapedTwice(targets);
  const startServed = servedBy(targets);
  const startCpu = meter.cpuSeconds();
  const startMs = performance.now();
  await sleep(plan.scrapeSeconds * 1000);
  const cpuSeconds = meter.cpuSeconds() - startCpu;
  const seconds = (performance.now() - startMs) / 1000;
  const served = servedBy(targets) - startServed;
  const peak = meter.peak();
  const due = (targets.length * seconds * 1000) / INTERVAL_MS;
  const upNow = await scalar(server, 'sum(up{job="bench"})');
  const window = `${Math.floor(seconds / 2)}s`;
  // A metric of each target over half of the time: as many samples as there were scrapes.
  const stored = await scalar(
    server,
    `sum(count_over_time(app_queue_length{handler="/api/v1/resource1"}[${window}]))`,
  );
  const exposed = (targets.length * Math.floor(seconds / 2) * 1000) / INTERVAL_MS;
  return [
    figure('server CPU per scraped sample', 'us', (cpuSeconds / (served * data.series)) * 1e6),
    figure('server CPU', 'cores', cpuSeconds / seconds),
    figure('scrapes served / due', '', served / due, 'more'),
    figure('peak RSS', 'MiB', peak.rss / MEBIBYTE),
    figure('peak anonymous RSS', 'MiB', peak.anonymous / MEBIBYTE),
    figure('targets up at the end', '', upNow, 'more'),
    figure('samples stored / exposed', '', stored / exposed, 'more'),
  ];
}

/** The value of a query with one series; 0 for none. */
async function scalar(server, query) {
  const { result } = await api(server.port, 'query', { query });
  return result.length === 0 ? 0 : Number(result[0].value[1]);
}

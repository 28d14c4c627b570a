/** W1: a day of samples, written as fast as the server takes them. */
import { api } from '../client.js';
import { prepareBackfill, SAMPLES_PER_SERIES, STEP_MS } from '../dataBackfill.js';
import { figure, MEBIBYTE, quantile } from '../figures.js';
import { diskBytes } from '../processes.js';
import { ingest, SENDERS, spooled, withServer } from './ingest.js';

const INSTANCES = 50;
const HOURS = 24;
const QUIET_MS = 3000;
const BACKGROUND_MS_MAX = 300_000;

/** @param {import('../plan.js').Plan} plan */
export function prepareDay(plan) {
  const instances = Math.max(1, Math.round(INSTANCES * plan.scale));
  return spooled((spool) =>
    prepareBackfill({ seed: plan.seed, instances, hours: HOURS, endMs: Date.now(), spool }),
  );
}

/** @type {import('../plan.js').Workload} */
export const backfill = {
  name: 'W1',
  title: 'remote-write backfill',
  prepare: prepareDay,
  describe: (plan, data) =>
    `${data.seriesCount} series of ${data.instances} instances x ${HOURS} h ` +
    `at ${STEP_MS / 1000} s, ` +
    `${data.sampleCount} samples, ${SAMPLES_PER_SERIES} of a series in a request, ` +
    `${data.spool.count} requests ` +
    `of ${(data.spool.bytes / data.spool.count / 1024).toFixed(0)} KiB, ` +
    `${SENDERS} senders. Idle: less than 2 % of a core for ${QUIET_MS / 1000} s. A background ` +
    `cycle: ${plan.backgroundSeconds} s more, then idle again; sizes are those after a clean stop.`,
  run: (kind, plan, data) => withServer(kind, undefined, (server) => measure(server, plan, data)),
};

/** How much of `build_info`, which each instance has once, can be read back. */
async function storedShare(server, data) {
  const { result } = await api(server.port, 'query', {
    query: `sum(count_over_time(build_info[${HOURS + 1}h]))`,
    time: String(data.lastMs / 1000),
  });
  const stored = result.length === 0 ? 0 : Number(result[0].value[1]);
  return stored / ((data.sampleCount / data.seriesCount) * data.instances);
}

async function measure(server, plan, data) {
  const { meter } = server;
  const sent = await ingest(server, data, 0, data.spool.count);
  const idle = await meter.untilIdle(QUIET_MS, BACKGROUND_MS_MAX);
  await new Promise((resolve) => setTimeout(resolve, plan.backgroundSeconds * 1000));
  const settled = await meter.untilIdle(QUIET_MS, BACKGROUND_MS_MAX);
  const peak = meter.peak();
  const memory = meter.memory();
  const stored = await storedShare(server, data);
  await server.stop();
  const disk = diskBytes(server.dataDirectory, server.kind.logNames);
  const samples = data.sampleCount;
  const perCpu = (cpuSeconds) => samples / (cpuSeconds - sent.startCpu);
  return [
    figure('samples/s, wall', '/s', samples / sent.seconds, 'more'),
    figure('samples per server CPU-s, until the last ack', '/s', samples / sent.cpuSeconds, 'more'),
    figure('samples per server CPU-s, until idle again', '/s', perCpu(idle.cpuSeconds), 'more'),
    figure(
      'samples per server CPU-s, with a background cycle',
      '/s',
      perCpu(settled.cpuSeconds),
      'more',
    ),
    figure('peak RSS', 'MiB', peak.rss / MEBIBYTE),
    figure('peak anonymous RSS', 'MiB', peak.anonymous / MEBIBYTE),
    figure('settled RSS', 'MiB', memory.rss / MEBIBYTE),
    figure('write request p50', 'ms', quantile(sent.latenciesMs, 0.5)),
    figure('write request p99', 'ms', quantile(sent.latenciesMs, 0.99)),
    figure('background work after the last ack', 's', idle.workedMs / 1000),
    figure('disk bytes/sample, data + index, no log', 'B', disk.withoutLog / samples),
    figure('disk bytes/sample, all files', 'B', disk.all / samples),
    figure('requests that had to be repeated', '', sent.retried),
    figure('samples stored / sent, of one metric', '', stored, 'more'),
  ];
}

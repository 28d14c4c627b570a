/** W2: rounds of one sample for each of many series, as fast as the server takes them. */
import { prepareLive, ROUND_MS, SERIES_PER_REQUEST } from '../dataLive.js';
import { figure, MEBIBYTE, quantile } from '../figures.js';
import { diskBytes } from '../processes.js';
import { ingest, SENDERS, spooled, withServer } from './ingest.js';

const SERIES = 100_000;
const ROUNDS = 20;
const QUIET_MS = 3000;
const BACKGROUND_MS_MAX = 120_000;

/** @type {import('../plan.js').Workload} */
export const live = {
  name: 'W2',
  title: 'remote write, live shape',
  prepare: ({ seed, scale }) =>
    spooled((spool) =>
      prepareLive({ seed, seriesCount: SERIES * scale, rounds: ROUNDS, endMs: Date.now(), spool }),
    ),
  describe: (_plan, data) =>
    `${data.seriesCount} series of 12 labels, ${data.rounds} rounds of one sample, ` +
    `${ROUND_MS / 1000} s apart, ${SERIES_PER_REQUEST} series a request, ${SENDERS} senders; the ` +
    'first round, which makes the series, is measured apart.',
  run: (kind, _plan, data) => withServer(kind, undefined, (server) => measure(server, data)),
};

async function measure(server, data) {
  const { meter } = server;
  const idleMemory = meter.memory();
  const { seriesCount: series, groupSize } = data;
  const first = await ingest(server, data, 0, groupSize);
  const rest = await ingest(server, data, groupSize, data.spool.count);
  const idle = await meter.untilIdle(QUIET_MS, BACKGROUND_MS_MAX);
  const peak = meter.peak();
  const samples = series * data.rounds;
  const later = samples - series;
  await server.stop();
  const disk = diskBytes(server.dataDirectory, server.kind.logNames);
  const cpuSeconds = first.cpuSeconds + rest.cpuSeconds;
  const latencies = [...first.latenciesMs, ...rest.latenciesMs];
  return [
    figure('samples/s, wall', '/s', samples / (first.seconds + rest.seconds), 'more'),
    figure('samples per server CPU-s', '/s', samples / cpuSeconds, 'more'),
    figure(
      'samples per server CPU-s, after the first round',
      '/s',
      later / rest.cpuSeconds,
      'more',
    ),
    figure(
      'samples per server CPU-s, until idle again',
      '/s',
      samples / (idle.cpuSeconds - first.startCpu),
      'more',
    ),
    figure('new series per server CPU-s (first round)', '/s', series / first.cpuSeconds, 'more'),
    figure('peak RSS', 'MiB', peak.rss / MEBIBYTE),
    figure('peak RSS above idle, per series', 'B', (peak.rss - idleMemory.rss) / series),
    figure(
      'peak anonymous RSS above idle, per series',
      'B',
      (peak.anonymous - idleMemory.anonymous) / series,
    ),
    figure('write request p50', 'ms', quantile(latencies, 0.5)),
    figure('write request p99', 'ms', quantile(latencies, 0.99)),
    figure('disk per series, all files, settled', 'B', disk.all / series),
  ];
}

/** M: what an active series costs in memory. */
import { prepareLive, ROUND_MS } from '../dataLive.js';
import { figure, formatNumber, MEBIBYTE } from '../figures.js';
import { ingest, spooled, withServer } from './ingest.js';

const ROUNDS = 4;
const QUIET_SECONDS = 30;

/**
 * @param {string} name
 * @param {number} series
 * @returns {import('../plan.js').Workload}
 */
function memoryOf(name, series) {
  return {
    name,
    title: `memory per active series, ${formatNumber(series)} series`,
    prepare: ({ seed, scale }) =>
      spooled((spool) =>
        prepareLive({
          seed,
          seriesCount: series * scale,
          rounds: ROUNDS,
          endMs: Date.now(),
          spool,
        }),
      ),
    describe: (_plan, data) =>
      `${data.seriesCount} series of 12 labels, ${data.rounds} rounds of one sample, ` +
      `${ROUND_MS / 1000} s apart; settled: ${QUIET_SECONDS} s after the last ack.`,
    run: (kind, _plan, data) => withServer(kind, undefined, (server) => measure(server, data)),
  };
}

export const memory200k = memoryOf('M200k', 200_000);
export const memory1m = memoryOf('M1M', 1_000_000);

async function measure(server, data) {
  const { meter } = server;
  const idle = meter.memory();
  const sent = await ingest(server, data, 0, data.spool.count);
  await new Promise((resolve) => setTimeout(resolve, QUIET_SECONDS * 1000));
  const settled = meter.memory();
  const peak = meter.peak();
  const series = data.seriesCount;
  return [
    figure('RSS above idle, settled, per series', 'B', (settled.rss - idle.rss) / series),
    figure(
      'anonymous RSS above idle, settled, per series',
      'B',
      (settled.anonymous - idle.anonymous) / series,
    ),
    figure('peak RSS above idle, per series', 'B', (peak.rss - idle.rss) / series),
    figure('RSS, idle before', 'MiB', idle.rss / MEBIBYTE),
    figure('RSS, settled', 'MiB', settled.rss / MEBIBYTE),
    figure('samples per server CPU-s', '/s', (series * data.rounds) / sent.cpuSeconds, 'more'),
  ];
}

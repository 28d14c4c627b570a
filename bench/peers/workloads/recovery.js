/** R: kill -9 while many series are written; how soon the server answers again, what it lost. */
import { ask, api } from '../client.js';
import {
  firstSeriesSelector,
  nodeName,
  prepareLive,
  ROUND_MS,
  SERIES_PER_REQUEST,
} from '../dataLive.js';
import { figure, MEBIBYTE } from '../figures.js';
import { Random } from '../random.js';
import { sendAll } from '../sender.js';
import { SENDERS, spooled, withServer } from './ingest.js';

const ROUNDS = 4;
/** The kill comes between these shares of all bodies. */
const KILL_FROM = 0.6;
const KILL_TO = 0.9;
const ANSWER_MS_MAX = 60_000;
const ANSWER_POLL_MS = 10;
/** Reaches from the last round beyond the first. */
const WINDOW = `${((ROUNDS + 2) * ROUND_MS) / 1000}s`;

/** @type {import('../plan.js').Workload} */
export const recovery = {
  name: 'R',
  title: 'kill -9 and restart',
  prepare: ({ seed, scale, killSeries: series }) =>
    spooled((spool) =>
      prepareLive({ seed, seriesCount: series * scale, rounds: ROUNDS, endMs: Date.now(), spool }),
    ),
  describe: (_plan, data) =>
    `${data.seriesCount} series of 12 labels, ${data.rounds} rounds of one sample, ` +
    `${ROUND_MS / 1000} s apart, ${SERIES_PER_REQUEST} series a request, ${SENDERS} senders; ` +
    `killed after a random one of the acks between ${KILL_FROM * 100} % and ${KILL_TO * 100} %. ` +
    'All acknowledged samples are looked for afterwards.',
  run: (kind, plan, data, number) => {
    // The same moment for all servers, another one in each run.
    const share = KILL_FROM + new Random(plan.seed + number).next() * (KILL_TO - KILL_FROM);
    const acks = Math.ceil(data.spool.count * share);
    return withServer(kind, undefined, (server) => measure(server, data, acks));
  },
};

async function measure(server, data, acks) {
  const { atMs, killedMs, peakBefore } = await writeUntilKilled(server, data, acks);
  const readyMs = await server.start();
  const startMs = performance.now() - readyMs;
  const answeredMs = await untilRightAnswer(server, data, atMs);
  const peak = server.meter.peak();
  const { missing, acknowledged, oldestMs } = await countMissing(server, data, atMs);
  const peakAfter = server.meter.peak();
  return [
    figure('kill -9, then /-/ready after', 'ms', readyMs),
    figure('kill -9, then first right answer after', 'ms', answeredMs - startMs),
    figure('peak RSS before the kill', 'MiB', peakBefore.rss / MEBIBYTE),
    figure('peak RSS while recovering', 'MiB', peak.rss / MEBIBYTE),
    figure('peak RSS after reading all back', 'MiB', peakAfter.rss / MEBIBYTE),
    figure('acknowledged samples', '', acknowledged, 'none'),
    figure('acknowledged samples missing', '', missing),
    figure('... as a share of the acknowledged', '', missing / acknowledged),
    figure(
      'age of the oldest lost ack at the kill',
      's',
      missing === 0 ? 0 : (killedMs - oldestMs) / 1000,
    ),
  ];
}

/** Kills the server in the turn in which the ack of that number came. */
async function writeUntilKilled(server, data, acks) {
  let count = 0;
  let killedMs = NaN;
  let peakBefore = server.meter.peak();
  /** @type {Promise<unknown>} */
  let stopped = Promise.resolve();
  const { atMs } = await sendAll({
    port: server.port,
    spool: data.spool,
    groupSize: data.groupSize,
    from: 0,
    to: data.spool.count,
    senders: SENDERS,
    isOver: () => count >= acks,
    acknowledged: () => {
      count++;
      if (count !== acks) return;
      peakBefore = server.meter.peak();
      stopped = server.stop('SIGKILL');
      killedMs = performance.now();
    },
  });
  await stopped;
  if (count < acks) throw new Error(`only ${count} of ${acks} requests were acknowledged`);
  return { atMs, killedMs, peakBefore };
}

/** When a query gave a sample as it was acknowledged; NaN: none did in time. */
async function untilRightAnswer(server, data, atMs) {
  const endMs = performance.now() + ANSWER_MS_MAX;
  const lastMs = data.firstMs + (data.rounds - 1) * ROUND_MS;
  const parameters = {
    query: `${firstSeriesSelector(0)}[${WINDOW}]`,
    time: String(lastMs / 1000),
  };
  const path = `/api/v1/query?${new URLSearchParams(parameters)}`;
  while (performance.now() < endMs) {
    const { status, text } = await ask(server.port, path).catch(() => ({ status: 0, text: '' }));
    const values = status === 200 ? (JSON.parse(text).data.result[0]?.values ?? []) : [];
    const isRight = values.some(([seconds, value]) => {
      const body = Math.round((seconds * 1000 - data.firstMs) / ROUND_MS) * data.groupSize;
      return !Number.isNaN(atMs[body]) && Number(value) === data.firstValues[body];
    });
    if (isRight) return performance.now();
    await new Promise((resolve) => setTimeout(resolve, ANSWER_POLL_MS));
  }
  return NaN;
}

/** Reads everything back, body by body of a round. */
async function countMissing(server, data, atMs) {
  const lastMs = data.firstMs + (data.rounds - 1) * ROUND_MS;
  let missing = 0;
  let acknowledged = 0;
  let oldestMs = Infinity;
  for (let request = 0; request < data.groupSize; request++) {
    const { result } = await api(server.port, 'query', {
      query: `{__name__=~"container_.+",node="${nodeName(request)}"}[${WINDOW}]`,
      time: String(lastMs / 1000),
    });
    const found = new Array(data.rounds).fill(0);
    for (const { values } of result) {
      for (const [seconds] of values) {
        const round = (seconds * 1000 - data.firstMs) / ROUND_MS;
        if (Number.isInteger(round) && round >= 0 && round < data.rounds) found[round]++;
      }
    }
    for (let round = 0; round < data.rounds; round++) {
      const body = round * data.groupSize + request;
      if (Number.isNaN(atMs[body])) continue;
      acknowledged += SERIES_PER_REQUEST;
      if (found[round] >= SERIES_PER_REQUEST) continue;
      missing += SERIES_PER_REQUEST - found[round];
      oldestMs = Math.min(oldestMs, atMs[body]);
    }
  }
  return { missing, acknowledged, oldestMs };
}

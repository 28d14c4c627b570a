/** Q: queries over the day of W1 and 100,000 live series: alone, by many clients, while writing. */
import { compareAnswers, parseAnswer } from '../answers.js';
import { ask } from '../client.js';
import { prepareLive, ROUND_MS } from '../dataLive.js';
import { figure, formatNumber, geometricMean, MEBIBYTE, median, quantile } from '../figures.js';
import { queryList } from '../queryList.js';
import { queryTable } from '../queryTable.js';
import { Random } from '../random.js';
import { sendAll } from '../sender.js';
import { prepareDay } from './backfill.js';
import { ingest, SENDERS, spooled, withServer } from './ingest.js';

const LIVE_SERIES = 100_000;
/** Rounds that end with the data of W1, and those that are written while clients ask. */
const LIVE_ROUNDS = 4;
const LATER_ROUNDS = 5;
const QUIET_MS = 3000;
const BACKGROUND_MS_MAX = 300_000;
/** A query is repeated until one of these is reached, but as often as the minimum. */
const REPEATS_MIN = 3;
const REPEATS_MAX = 300;
const REPEAT_MS_MAX = 1500;
const MIX_MS = 20_000;
const MIX_CLIENTS = 8;
const WRITING_CLIENTS = 4;

function prepare(plan) {
  const day = prepareDay(plan);
  const live = spooled((spool) =>
    prepareLive({
      seed: plan.seed,
      seriesCount: LIVE_SERIES * plan.scale,
      rounds: LIVE_ROUNDS + LATER_ROUNDS,
      endMs: day.lastMs + LATER_ROUNDS * ROUND_MS,
      spool,
    }),
  );
  const dispose = () => {
    day.dispose();
    live.dispose();
  };
  /** @type {Map<string, Map<string, import('../answers.js').Parsed>>} by server, by query */
  const answers = new Map();
  return { day, live, queries: queryList(day, live.seriesCount), answers, dispose };
}

/** @type {import('../plan.js').Workload} */
export const queries = {
  name: 'Q',
  title: 'queries',
  prepare,
  describe: (plan, data) =>
    `The data of W1 (${formatNumber(data.day.sampleCount)} samples) and ${LIVE_ROUNDS} rounds of ` +
    `${data.live.seriesCount} series of W2, ${plan.backgroundSeconds} s for background work, a ` +
    'clean stop and a start. cold: the first time after the start; warm: the median of ' +
    `${REPEATS_MIN} to ${REPEATS_MAX} repetitions; cpu: that of the server for one of them. ` +
    'The mix: random ones of the quick queries, each client as fast as it is answered. While ' +
    `writing: a round of W2 each ${MIX_MS / LATER_ROUNDS / 1000} s.`,
  detail: (outcomes, data) =>
    queryTable(data.queries, outcomes, (server, base, name) =>
      compareAnswers(data.answers.get(server)?.get(name), data.answers.get(base)?.get(name)),
    ),
  run: (kind, plan, data) => withServer(kind, undefined, (server) => measure(server, plan, data)),
};

async function measure(server, plan, data) {
  const { day, live } = data;
  await ingest(server, day, 0, day.spool.count);
  const written = LIVE_ROUNDS * live.groupSize;
  await ingest(server, live, 0, written);
  await new Promise((resolve) => setTimeout(resolve, plan.backgroundSeconds * 1000));
  await server.meter.untilIdle(QUIET_MS, BACKGROUND_MS_MAX);
  await server.stop();
  const readyMs = await server.start();
  await server.meter.untilIdle(QUIET_MS, BACKGROUND_MS_MAX);
  const perQuery = [];
  for (const query of data.queries) perQuery.push(...(await measureQuery(server, query, data)));
  const peak = server.meter.peak();
  const valuesOf = (column) =>
    perQuery.filter((one) => one.column === column).map(({ value }) => value);
  const warm = valuesOf('warm').filter((value) => value > 0);
  const cpu = valuesOf('cpu').filter((value) => value > 0);
  const mixed = data.queries.filter(({ isMixed }) => isMixed);
  const random = new Random(plan.seed);
  return [
    figure('clean stop + start on the data set: ready after', 'ms', readyMs),
    figure(
      'sum of the warm medians',
      'ms',
      warm.reduce((sum, value) => sum + value, 0),
    ),
    figure('geometric mean of the warm medians', 'ms', geometricMean(warm)),
    figure('geometric mean of CPU per query', 'ms', geometricMean(cpu)),
    figure('peak RSS over the suite', 'MiB', peak.rss / MEBIBYTE),
    figure('peak anonymous RSS over the suite', 'MiB', peak.anonymous / MEBIBYTE),
    ...(await measureMix(server, mixed, random)),
    ...(await measureWhileWriting(server, mixed, random, live, written)),
    ...perQuery,
  ];
}

/** Cold, warm and processor time of one query, alone. */
async function measureQuery(server, { name, path }, data) {
  const { meter, port, kind } = server;
  const row = (column, value) => ({
    ...figure(`${name}: ${column}`, 'ms', value),
    row: name,
    column,
  });
  const first = await ask(port, path);
  if (first.status !== 200) {
    process.stderr.write(
      `${kind.name}: ${name}: HTTP ${first.status} ${first.text.slice(0, 200)}\n`,
    );
    return [row('cold', NaN), row('warm', NaN), row('cpu', NaN)];
  }
  const answers = data.answers.get(kind.name) ?? new Map();
  data.answers.set(kind.name, answers);
  if (!answers.has(name)) answers.set(name, parseAnswer(first.text));
  const times = [];
  const startCpu = meter.cpuSeconds();
  const startMs = performance.now();
  while (
    times.length < REPEATS_MIN ||
    (times.length < REPEATS_MAX && performance.now() - startMs < REPEAT_MS_MAX)
  ) {
    times.push((await ask(port, path)).elapsedMs);
  }
  const cpuMs = ((meter.cpuSeconds() - startCpu) * 1000) / times.length;
  return [row('cold', first.elapsedMs), row('warm', median(times)), row('cpu', cpuMs)];
}

/** So many clients ask random ones of the queries, each when it was answered, for `MIX_MS`. */
async function askForAWhile(server, mixed, random, clients) {
  const times = [];
  const endMs = performance.now() + MIX_MS;
  const client = async () => {
    while (performance.now() < endMs) {
      const { status, elapsedMs } = await ask(server.port, mixed[random.below(mixed.length)].path);
      if (status === 200) times.push(elapsedMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return times;
}

async function measureMix(server, mixed, random) {
  const startCpu = server.meter.cpuSeconds();
  const times = await askForAWhile(server, mixed, random, MIX_CLIENTS);
  const cpuMs = (server.meter.cpuSeconds() - startCpu) * 1000;
  const label = `${MIX_CLIENTS} clients, mix`;
  return [
    figure(`${label}: queries/s`, '/s', (times.length * 1000) / MIX_MS, 'more'),
    figure(`${label}: p50`, 'ms', quantile(times, 0.5)),
    figure(`${label}: p99`, 'ms', quantile(times, 0.99)),
    figure(`${label}: CPU per query`, 'ms', cpuMs / times.length),
  ];
}

async function measureWhileWriting(server, mixed, random, live, written) {
  const writes = [];
  const write = async () => {
    const startMs = performance.now();
    for (let round = 0; round < LATER_ROUNDS; round++) {
      const dueMs = startMs + (round * MIX_MS) / LATER_ROUNDS;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
      if (performance.now() > startMs + MIX_MS) return;
      const from = written + round * live.groupSize;
      const to = from + live.groupSize;
      const { groupSize, spool } = live;
      const plan = { port: server.port, spool, groupSize, from, to, senders: SENDERS };
      const { latenciesMs } = await sendAll(plan);
      writes.push(...latenciesMs.subarray(from, to));
    }
  };
  const [times] = await Promise.all([
    askForAWhile(server, mixed, random, WRITING_CLIENTS),
    write(),
  ]);
  const label = `while writing, ${WRITING_CLIENTS} clients`;
  return [
    figure(`${label}: queries/s`, '/s', (times.length * 1000) / MIX_MS, 'more'),
    figure(`${label}: query p50`, 'ms', quantile(times, 0.5)),
    figure(`${label}: query p99`, 'ms', quantile(times, 0.99)),
    figure(
      'while querying: written / offered',
      '',
      writes.length / (LATER_ROUNDS * live.groupSize),
      'more',
    ),
    figure('while querying: write p99', 'ms', quantile(writes, 0.99)),
  ];
}

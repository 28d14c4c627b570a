/**
 * `npm run bench:peers`: runs workloads against Tyto and the peers that are installed, and reports
 * medians and ratios. One server is alive at a time; load goes to 127.0.0.1 only.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { closeConnections } from './client.js';
import { readPlan, USAGE } from './plan.js';
import { machineCpuSeconds, processCpuSeconds } from './processes.js';
import { reportText, sectionText } from './report.js';
import { Refusal } from './sender.js';
import { cleanUp, killServers, SERVER_KINDS } from './servers.js';
import { alerts } from './workloads/alerts.js';
import { backfill } from './workloads/backfill.js';
import { live } from './workloads/live.js';
import { memory1m, memory200k } from './workloads/memory.js';
import { queries } from './workloads/queries.js';
import { recovery } from './workloads/recovery.js';
import { scraping } from './workloads/scraping.js';

/** @type {readonly import('./plan.js').Workload[]} */
const WORKLOADS = [backfill, live, scraping, memory200k, memory1m, recovery, queries, alerts];

/** A run that takes longer is given up: its server is killed, which ends its requests. */
const RUN_MS_MAX = 30 * 60_000;

const say = (text) => process.stderr.write(`${text}\n`);

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => process.exit(130));
}
process.on('exit', cleanUp);

function isInstalled(kind) {
  return kind.command({ dataDirectory: '', configPath: '', port: 0 }) !== undefined;
}

/** Shares of all cores that were neither this process' nor the server's work. */
const otherShares = [];

async function runOnce(workload, kind, plan, data, number) {
  // Servers that have ended count as children of this process.
  const own = () => processCpuSeconds(process.pid);
  const startMs = performance.now();
  const startOthers = machineCpuSeconds() - own();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killServers();
  }, RUN_MS_MAX);
  let figures;
  try {
    figures = await workload.run(kind, plan, data, number);
  } catch (error) {
    throw isLate ? new Refusal(`not done after ${RUN_MS_MAX / 60_000} minutes`) : error;
  } finally {
    clearTimeout(timer);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const others = machineCpuSeconds() - own() - startOthers;
  otherShares.push(Math.max(0, others) / seconds / cpus().length);
  return figures;
}

async function runWorkload(workload, kinds, plan) {
  say(`${workload.name}: preparing`);
  const data = await workload.prepare(plan);
  const outcomes = kinds.map(({ name }) => ({ server: name, runs: [], failures: [] }));
  try {
    // Servers take turns, so that a noisy minute does not meet the same one in all runs.
    for (let run = 1; run <= plan.runs; run++) {
      for (const [i, kind] of kinds.entries()) {
        const { runs, failures } = outcomes[i];
        if (failures.length > 0) continue;
        say(`${workload.name}: ${kind.name}, run ${run} of ${plan.runs}`);
        try {
          runs.push(await runOnce(workload, kind, plan, data, run));
        } catch (error) {
          failures.push(error.message.split('\n', 1)[0]);
          say(error instanceof Refusal ? `refused: ${error.message}` : error.stack);
        }
      }
    }
    const description = workload.describe(plan, data);
    const detail = workload.detail?.(outcomes, data) ?? [];
    const { name, title, base } = workload;
    return { name, title, base, description, outcomes, detail };
  } finally {
    data.dispose?.();
  }
}

async function main() {
  const names = SERVER_KINDS.filter(isInstalled).map(({ name }) => name);
  const plan = readPlan(
    names,
    WORKLOADS.map(({ name }) => name),
  );
  if (plan === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const kinds = SERVER_KINDS.filter(({ name }) => plan.servers.includes(name));
  const sections = [];
  for (const workload of WORKLOADS.filter(({ name }) => plan.workloads.includes(name))) {
    const own = workload.servers?.filter(isInstalled);
    const section = await runWorkload(workload, own ?? kinds, plan);
    sections.push(section);
    process.stdout.write(`\n${sectionText(section)}\n`);
    // After each workload, so that a run that is broken off has told something.
    if (plan.out !== undefined) writeFileSync(plan.out, reportText(plan, sections, otherShares));
  }
}

try {
  await main();
} catch (error) {
  say(error.message);
  process.exitCode = 1;
} finally {
  closeConnections();
  cleanUp();
}

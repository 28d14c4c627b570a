/** One run of the crash test: processes that write and are killed, damage, and the check. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkDirectory, type CrashResult } from './crashCheck.ts';
import { damageDirectory } from './crashDamage.ts';
import { CrashHistory } from './crashHistory.ts';
import { readJournal } from './crashJournal.ts';
import { type CrashPlan, planOf, Randomness, type Scenario } from './crashPlan.ts';

const STARTED_MS_MAX = 20_000;
const POLL_MS = 2;
/** Space that comes back has to be used within this time: the log tries again after a second. */
const RECOVERY_MS_MAX = 8000;

export interface CrashReport extends CrashResult {
  readonly plan: CrashPlan;
  readonly damage: string;
}

function historyOf(seed: number, journalPath: string): CrashHistory {
  return new CrashHistory(seed, existsSync(journalPath) ? readJournal(journalPath) : []);
}

/** Starts a process that writes, and kills it when the plan says; resolves when it is dead. */
async function runSession(
  child: string,
  plan: CrashPlan,
  directory: string,
  journalPath: string,
): Promise<string[]> {
  const firstBatch = historyOf(plan.seed, journalPath).nextBatch;
  const place = JSON.stringify({ plan, directory, journalPath, firstBatch });
  const program = spawn(process.execPath, [child, place], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [program.stdout, program.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  let isRunning = true;
  const exited = new Promise<NodeJS.Signals | null>((resolve) => {
    program.once('close', (_code, signal) => {
      isRunning = false;
      resolve(signal);
    });
  });
  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const until = async (what: () => boolean, ms: number) => {
    for (const endMs = Date.now() + ms; isRunning && !what() && Date.now() < endMs; ) {
      await sleep(POLL_MS);
    }
  };
  const isStarted = () =>
    existsSync(journalPath) && readFileSync(journalPath, 'utf8').includes('"acknowledged"');
  await until(isStarted, STARTED_MS_MAX);
  await Promise.race([sleep(plan.killAfterMs), exited]);
  if (plan.scenario === 'fullDisk') {
    await until(() => output.includes('recovered'), RECOVERY_MS_MAX);
  }
  // A process that kills itself in an operation may never get to that one.
  program.kill('SIGKILL');
  const signal = await exited;
  const problems = signal === 'SIGKILL' ? [] : [`the process ended by itself: ${output}`];
  if (plan.scenario === 'fullDisk' && isFilled(journalPath) && !output.includes('recovered')) {
    problems.push('no batch was acknowledged after the disk had space again');
  }
  return problems;
}

function isFilled(journalPath: string): boolean {
  return readJournal(journalPath).some(({ kind }) => kind === 'full');
}

/**
 * Runs a seed. `child` is crashChild.ts as one file of JavaScript.
 * @param scenario the seed's own where none is given
 */
export async function runCrash(
  child: string,
  seed: number,
  scenario?: Scenario,
): Promise<CrashReport> {
  const plan = planOf(seed, scenario);
  const place = mkdtempSync(join(tmpdir(), 'tyto-crash-'));
  const directory = join(place, 'data');
  const journalPath = join(place, 'journal');
  const problems: string[] = [];
  try {
    for (let session = 0; session < plan.sessions; session++) {
      problems.push(...(await runSession(child, plan, directory, journalPath)));
    }
    const history = historyOf(seed, journalPath);
    const damage = damageDirectory(directory, plan, history, new Randomness(seed + 1));
    const result = await checkDirectory(directory, plan, history, damage);
    return {
      ...result,
      problems: [...problems, ...result.problems],
      plan,
      damage: damage.description,
    };
  } finally {
    rmSync(place, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** What happens to the files of a process that was killed, and what that may cost. */
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { CrashHistory } from './crashHistory.ts';
import type { CrashPlan, Randomness } from './crashPlan.ts';

/** A sample that was acknowledged and is not there any more. */
export interface LostSample {
  readonly series: string;
  readonly batch: number;
  readonly timestampMs: number;
}

export interface Damage {
  readonly description: string;
  /** Names of which one has to stand in the log, should something be lost. */
  readonly names: readonly string[];
  /** What is wrong with these losses; undefined: they are what the damage may cost. */
  judge(lost: readonly LostSample[]): string | undefined;
}

const NO_DAMAGE: Damage = {
  description: 'no damage',
  names: [],
  judge: (lost) => (lost.length === 0 ? undefined : 'nothing may be lost'),
};

function filesIn(directory: string, pattern: RegExp): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => pattern.test(name))
    .sort();
}

/** Damages the directory as the plan says; a plan that finds no file to damage does nothing. */
export function damageDirectory(
  directory: string,
  plan: CrashPlan,
  history: CrashHistory,
  random: Randomness,
): Damage {
  switch (plan.scenario) {
    case 'torn':
      return tearLog(join(directory, 'log'), history, random);
    case 'logDamage':
      return flipInLog(join(directory, 'log'), history, random);
    case 'blockDamage':
      return flipInBlock(join(directory, 'blocks'), random);
    default:
      return NO_DAMAGE;
  }
}

/** The end of the newest segment, behind what was forced, is cut off or overwritten. */
function tearLog(logDirectory: string, history: CrashHistory, random: Randomness): Damage {
  const name = filesIn(logDirectory, /^\d+$/).at(-1);
  if (name === undefined) return NO_DAMAGE;
  const path = join(logDirectory, name);
  const { size } = statSync(path);
  const at = random.between(Math.min(size, history.syncedBytes(path)), size);
  const way = random.pick(['cut off', 'zeros', 'garbage'] as const);
  if (way === 'cut off') truncateSync(path, at);
  else {
    const bytes = readFileSync(path);
    for (let i = at; i < size; i++) bytes[i] = way === 'zeros' ? 0 : random.between(0, 255);
    writeFileSync(path, bytes);
  }
  return {
    description: `${name}: ${way} from byte ${at} of ${size} on`,
    names: [],
    judge: (lost) => {
      const wrong = lost.find(({ batch }) => !history.isTornWith(path, batch));
      return wrong === undefined ? undefined : 'what was forced to the disk is lost';
    },
  };
}

function flipBit(path: string, random: Randomness): number {
  const bytes = readFileSync(path);
  const at = random.between(0, bytes.length - 1);
  bytes[at] ^= 1 << random.between(0, 7);
  writeFileSync(path, bytes);
  return at;
}

function flipInLog(logDirectory: string, history: CrashHistory, random: Randomness): Damage {
  const names = filesIn(logDirectory, /^(\d+|checkpoint-\d+)$/);
  const paths = names.map((name) => join(logDirectory, name));
  const filled = paths.filter((path) => statSync(path).size > 0);
  if (filled.length === 0) return NO_DAMAGE;
  const path = random.pick(filled);
  const name = names[paths.indexOf(path)];
  const at = flipBit(path, random);
  const description = `${name}: a bit of byte ${at} of ${statSync(path).size} flipped`;
  if (!/^\d+$/.test(name)) {
    // A record of a checkpoint defines any number of series; what is lost has to be told.
    return { description, names: [name], judge: () => undefined };
  }
  const held = history.heldBy(path, at);
  return {
    description,
    names: [name],
    judge: (lost) => {
      const wrong = lost.find(({ series, batch }) => {
        return !held.batches.has(batch) && !held.series.has(series);
      });
      if (wrong === undefined) return undefined;
      return `batch ${wrong.batch} is lost and was in another write than the damage`;
    },
  };
}

function flipInBlock(blocksDirectory: string, random: Randomness): Damage {
  const blocks = filesIn(blocksDirectory, /^-?\d+-/);
  if (blocks.length === 0) return NO_DAMAGE;
  const block = random.pick(blocks);
  const file = random.pick(readdirSync(join(blocksDirectory, block)).sort());
  const path = join(blocksDirectory, block, file);
  const at = flipBit(path, random);
  const [minTimeMs, maxTimeMs] = block.split('-').map(Number);
  return {
    description: `${block}/${file}: a bit of byte ${at} of ${statSync(path).size} flipped`,
    names: [block],
    judge: (lost) => {
      const outside = lost.find(
        ({ timestampMs }) => timestampMs < minTimeMs || timestampMs >= maxTimeMs,
      );
      if (outside !== undefined) return `batch ${outside.batch} is lost and not of that block`;
      const series = new Set(lost.map((sample) => sample.series));
      if (file !== 'chunks' && lost.length > 0) return `samples are lost by damage to ${file}`;
      return series.size > 1 ? `${series.size} series lost samples, not one` : undefined;
    },
  };
}

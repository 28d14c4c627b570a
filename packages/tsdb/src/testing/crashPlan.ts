/**
 * What a crash run does, all of it derived from its seed, and what it writes: the samples are a
 * function of the seed, so that whoever reads them back knows what is right.
 *
 * A batch has one sample of some of the slots. A slot is a series that is replaced by another one
 * every `GENERATION_BATCHES`, each slot at its own moment.
 */
import { Labels } from '@tyto/model';

/** Two hours, of which blocks are made, begin at multiples of this. */
const RANGE_MS = 2 * 3600_000;
export const START_MS = Math.floor(Date.UTC(2026, 0, 1) / RANGE_MS) * RANGE_MS;
/** Long steps, so that a short run covers the hours after which blocks are cut. */
const STEP_MS = 60_000;
/** For so many batches the clock goes wrong. */
export const JUMP_BATCHES = 60;
const SLOTS = 24;
const GENERATION_BATCHES = 90;
const DAY_MS = 24 * 3600_000;

export const SCENARIOS = ['kill', 'torn', 'logDamage', 'blockDamage', 'fullDisk', 'clock'] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface CrashPlan {
  readonly seed: number;
  readonly scenario: Scenario;
  /** Processes that write one after the other; each is killed. */
  readonly sessions: number;
  /** When a process is killed: so long after its first acknowledgement, or in its nth operation. */
  readonly killAfterMs: number;
  readonly killAtOperation: number | undefined;
  readonly commitsAtOnce: number;
  readonly fsyncIntervalMs: number;
  readonly maintenanceIntervalMs: number;
  /** `fullDisk`: bytes until the disk is full, and how long it stays full. */
  readonly freeBytes: number | undefined;
  readonly fullMs: number;
  /** `clock`: the batch at which the wall clock jumps for an hour, and how far. */
  readonly jumpBatch: number | undefined;
  readonly jumpMs: number;
  readonly isLogCompressed: boolean;
}

/** Numbers from 0 to 1, 1 excluded, that repeat with their seed (mulberry32). */
export class Randomness {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)];
  }
}

export function planOf(seed: number, scenario?: Scenario): CrashPlan {
  const random = new Randomness(seed);
  const chosen = random.pick(SCENARIOS);
  const kind = scenario ?? chosen;
  const isTimed = random.next() < 0.6 || kind === 'fullDisk';
  return {
    seed,
    scenario: kind,
    sessions: kind === 'fullDisk' ? 1 : random.between(1, 3),
    killAfterMs: random.between(5, 400) + (kind === 'fullDisk' ? 1500 : 0),
    killAtOperation: isTimed ? undefined : Math.floor(2 ** (3 + random.next() * 9)),
    commitsAtOnce: random.between(1, 6),
    fsyncIntervalMs: random.between(5, 120),
    maintenanceIntervalMs: random.between(1, 60),
    freeBytes: kind === 'fullDisk' ? random.between(20, 600_000) : undefined,
    fullMs: random.between(30, 700),
    jumpBatch: kind === 'clock' ? random.between(1, 400) : undefined,
    jumpMs: random.pick([-400 * DAY_MS, -DAY_MS, -3600_000, 3600_000, DAY_MS, 400 * DAY_MS]),
    isLogCompressed: random.next() < 0.5,
  };
}

/** A whole number that depends on all of these, below 2^32. */
function hash(seed: number, a: number, b: number): number {
  return new Randomness(seed ^ Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca6b)).between(
    0,
    0xffffffff,
  );
}

/** The slots that have a sample in a batch. */
export function slotsOf(seed: number, batch: number): number[] {
  const slots: number[] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    if (hash(seed, slot, batch) % 8 !== 0) slots.push(slot);
  }
  return slots;
}

export function labelsOf(slot: number, batch: number): Labels {
  const generation = Math.floor((batch + slot * 13) / GENERATION_BATCHES);
  return Labels.of({ __name__: 'crash', slot: String(slot), generation: String(generation) });
}

/** A counter, a gauge with two decimals, or all bits, by slot. */
export function sampleOf(seed: number, slot: number, batch: number): number {
  const draw = hash(seed + 1, slot, batch);
  if (slot % 3 === 0) return batch * 1000 + (draw % 1000);
  return slot % 3 === 1 ? (draw % 10_000) / 100 : draw / 7;
}

/** Start times: none, one for many batches, or one of its own for each sample, by slot. */
export function startTimeOf(slot: number, batch: number): number {
  if (slot % 4 < 2) return 0;
  return slot % 4 === 2 ? timeOf(batch - (batch % 50)) - 1 : timeOf(batch - 1);
}

export function timeOf(batch: number): number {
  return START_MS + batch * STEP_MS;
}

/**
 * The process that gets killed: opens a database, appends batch after batch, and writes into its
 * journal what was acknowledged and what was forced to the disk. Started by crashRun.ts with the
 * plan and its place as JSON.
 */
import { dirname, join } from 'node:path';
import { type Clock, errorMessage, systemClock, TytoError } from '@tyto/base';
import { APPENDED, createMatcher, SampleColumns } from '@tyto/model';
import { Tsdb } from '@tyto/tsdb';
import { crashDisk } from './crashDisk.ts';
import { CrashJournal } from './crashJournal.ts';
import {
  type CrashPlan,
  JUMP_BATCHES,
  labelsOf,
  sampleOf,
  slotsOf,
  startTimeOf,
  timeOf,
} from './crashPlan.ts';

interface ChildPlace {
  readonly plan: CrashPlan;
  readonly directory: string;
  readonly journalPath: string;
  readonly firstBatch: number;
}

/** The process ends by itself should nobody kill it. */
const LIFE_MS_MAX = 30_000;
const BATCHES_MAX = 6000;

/** Which acknowledgements are on the disk for certain: each waits for the files it may lie in. */
class Durability {
  readonly #written = new Map<string, number>();
  readonly #synced = new Map<string, number>();
  readonly #waiting: (readonly (readonly [path: string, size: number])[])[] = [];
  #durable = 0;

  wrote(path: string, end: number): void {
    this.#written.set(path, end);
  }

  acknowledged(): void {
    const dirty = [...this.#written].filter(([path, size]) => size > (this.#synced.get(path) ?? 0));
    this.#waiting.push(dirty);
  }

  /** Returns how many acknowledgements are durable now. */
  synced(path: string, size: number): number {
    this.#synced.set(path, Math.max(size, this.#synced.get(path) ?? 0));
    const isForced = ([file, end]: readonly [string, number]) =>
      end <= (this.#synced.get(file) ?? 0);
    while (this.#waiting.length > 0 && this.#waiting[0].every(isForced)) {
      this.#waiting.shift();
      this.#durable++;
    }
    return this.#durable;
  }
}

class Writer {
  readonly #place: ChildPlace;
  readonly #journal: CrashJournal;
  readonly #durability = new Durability();
  /** Batches that were tried and not settled; failed ones stay, for the store may keep them. */
  readonly #pending = new Set<number>();
  #batch: number;
  #isFull = false;
  #wasFull = false;
  #acknowledgedSinceSpace = 0;

  constructor(place: ChildPlace) {
    this.#place = place;
    this.#journal = new CrashJournal(place.journalPath);
    this.#batch = place.firstBatch;
  }

  async run(): Promise<void> {
    const { plan, directory } = this.#place;
    const logDirectory = join(directory, 'log');
    const isLog = (path: string) => dirname(path) === logDirectory;
    const disk = crashDisk({
      killAtOperation: plan.killAtOperation,
      freeBytes: plan.freeBytes,
      fullMs: plan.fullMs,
      writing: (path, position, length) => {
        if (!isLog(path)) return;
        const from = Math.min(...this.#pending, this.#batch);
        const to = this.#batch - 1;
        this.#durability.wrote(path, position + length);
        this.#journal.write({ kind: 'write', path, position, length, from, to });
      },
      synced: (path, size) => {
        if (!isLog(path)) return;
        this.#journal.write({ kind: 'synced', path, size });
        this.#tellDurable(path, size);
      },
      removed: (path) => this.#tellDurable(path, Infinity),
      renamed: (from) => this.#tellDurable(from, Infinity),
      filled: (isFull) => {
        this.#isFull = isFull;
        this.#wasFull = true;
        this.#journal.write({ kind: isFull ? 'full' : 'space' });
      },
    });
    const db = await Tsdb.open({
      directory,
      disk,
      clock: this.#clock(),
      logFsyncIntervalMs: plan.fsyncIntervalMs,
      maintenanceIntervalMs: plan.maintenanceIntervalMs,
    });
    db.logCompression = plan.isLogCompressed;
    this.#journal.write({ kind: 'open' });
    await Promise.all(Array.from({ length: plan.commitsAtOnce }, () => this.#append(db)));
  }

  #tellDurable(path: string, size: number): void {
    const acknowledgements = this.#durability.synced(path, size);
    this.#journal.write({ kind: 'durable', acknowledgements });
  }

  /** The wall clock follows the samples, until it jumps. */
  #clock(): Clock {
    const { jumpBatch, jumpMs } = this.#place.plan;
    const nowMs = () => {
      const since = jumpBatch === undefined ? -1 : this.#batch - jumpBatch;
      return timeOf(this.#batch) + (since >= 0 && since < JUMP_BATCHES ? jumpMs : 0);
    };
    return { ...systemClock, nowMs };
  }

  async #append(db: Tsdb): Promise<void> {
    while (this.#batch < BATCHES_MAX) {
      const batch = this.#batch++;
      const appender = db.appender();
      const refused = slotsOf(this.#place.plan.seed, batch).filter((slot) => {
        const ref = appender.series(labelsOf(slot, batch));
        const value = sampleOf(this.#place.plan.seed, slot, batch);
        return appender.append(ref, timeOf(batch), value, startTimeOf(slot, batch)) !== APPENDED;
      });
      this.#pending.add(batch);
      this.#journal.write({ kind: 'try', batch, refused });
      try {
        await appender.commit();
        this.#durability.acknowledged();
        this.#journal.write({ kind: 'acknowledged', batch });
        this.#pending.delete(batch);
        this.#noteRecovery();
      } catch (error) {
        await this.#noteFailure(db, batch, error);
      }
    }
  }

  #noteRecovery(): void {
    if (this.#wasFull && !this.#isFull) this.#acknowledgedSinceSpace++;
    // A process that waits for its killer says first that it has done what the plan is about.
    if (this.#place.plan.scenario === 'fullDisk' && this.#acknowledgedSinceSpace === 20) {
      process.stdout.write('recovered\n');
    }
  }

  async #noteFailure(db: Tsdb, batch: number, error: unknown): Promise<void> {
    const kind = error instanceof TytoError ? error.kind : `no TytoError: ${errorMessage(error)}`;
    this.#journal.write({ kind: 'failed', batch, error: kind });
    if (kind !== 'io' && kind !== 'unavailable') {
      this.#journal.write({ kind: 'problem', text: `a commit failed with ${kind}` });
    }
    if (!this.#wasFull) {
      this.#journal.write({ kind: 'problem', text: `a commit failed: ${errorMessage(error)}` });
    }
    await this.#readWhileFull(db, batch);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Reads go on: the sample before the one that failed is there. */
  async #readWhileFull(db: Tsdb, batch: number): Promise<void> {
    try {
      const range = { minTimeMs: timeOf(0), maxTimeMs: timeOf(batch) };
      const matchers = [createMatcher('=', '__name__', 'crash')];
      const selection = await db.select({ matchers, ...range });
      const columns = new SampleColumns();
      for (let i = 0; i < selection.size; i++) selection.readInto(i, columns);
    } catch (error) {
      const text = `a read failed while the disk was full: ${errorMessage(error)}`;
      this.#journal.write({ kind: 'problem', text });
    }
  }
}

const place = JSON.parse(process.argv[2]) as ChildPlace;
setTimeout(() => process.exit(3), LIFE_MS_MAX);
await new Writer(place).run();

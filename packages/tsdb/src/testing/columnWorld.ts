/**
 * A database whose series come, go and come back, with everything that is unusual where it is
 * wanted, and a journal of what was put in. For tests.
 */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@tyto/base';
import { createMatcher, Labels } from '@tyto/model';
import { someHistogram, SUITE_NOW_MS } from '@tyto/model/testing';
import { type ReaderOptions, Tsdb } from '@tyto/tsdb';

const HOUR_MS = 3600_000;
export const STEP_MS = 30_000;
const SERIES = 30;
/** Series that exist for one hour only, and leave their ids to others. */
const PASSING = 12;

export interface WorldOptions {
  readonly readers: ReaderOptions | undefined;
  /** Histograms, start times, late samples and deletions, of which there is no journal. */
  readonly isUnusual: boolean;
}

export class ColumnWorld {
  readonly #options: WorldOptions;
  readonly #directory = mkdtempSync(join(tmpdir(), 'tyto-columns-'));
  #state: number;
  #hour = 0;
  #active = new Set<number>();
  db!: Tsdb;
  nowMs = SUITE_NOW_MS;
  /** By the key of a series' labels: its values by their times. */
  readonly journal = new Map<string, Map<number, number>>();

  constructor(seed: number, options: WorldOptions) {
    this.#state = seed;
    this.#options = options;
  }

  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  oneOf<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  async open(): Promise<void> {
    const { readers } = this.#options;
    this.db = await Tsdb.open({
      directory: this.#directory,
      clock: new ManualClock(SUITE_NOW_MS + 10_000 * HOUR_MS),
      maintenanceIntervalMs: 0,
      outOfOrderWindowMs: this.#options.isUnusual ? 100 * HOUR_MS : 0,
      ...(readers === undefined ? {} : { readers }),
    });
  }

  async close(): Promise<void> {
    await this.db.close();
    rmSync(this.#directory, { recursive: true });
  }

  async reopen(): Promise<void> {
    await this.db.close();
    await this.open();
  }

  /** An hour of samples; other series than in the one before. */
  async passHour(): Promise<void> {
    this.#hour++;
    this.#active = new Set();
    for (let n = 0; n < SERIES; n++) if (this.random() < 0.6) this.#active.add(n);
    for (let i = 0; i < 4; i++) await this.append(15 + this.below(15));
    if (!this.#options.isUnusual) return;
    if (this.below(2) === 0) await this.#appendLate();
    if (this.below(4) === 0) await this.#delete();
  }

  async append(steps: number): Promise<void> {
    const appender = this.db.appender();
    for (let i = 0; i < steps; i++) {
      this.nowMs += STEP_MS;
      for (const n of this.#active) if (this.below(20) !== 0) this.#appendOne(appender, n, i);
      for (let n = 0; n < PASSING; n++) {
        if (this.below(20) !== 0) this.#appendOne(appender, SERIES + n, i);
      }
    }
    await appender.commit();
  }

  #appendOne(appender: ReturnType<Tsdb['appender']>, n: number, step: number): void {
    const labels = this.#labels(n);
    const ref = appender.series(labels);
    const { isUnusual } = this.#options;
    if (this.below(100) === 0) {
      appender.appendStale(ref, this.nowMs);
      return;
    }
    if (isUnusual && (n === 3 || (n === 4 && this.below(60) === 0))) {
      appender.appendHistogram(ref, this.nowMs, someHistogram(step + 1, 4, true));
      return;
    }
    const startMs = isUnusual && n === 5 ? this.nowMs - STEP_MS : 0;
    const value = this.#value(n);
    appender.append(ref, this.nowMs, value, startMs);
    const samples = this.journal.get(labels.key) ?? new Map<number, number>();
    this.journal.set(labels.key, samples.set(this.nowMs, value));
  }

  async #appendLate(): Promise<void> {
    const appender = this.db.appender();
    for (let i = 0; i < 100; i++) {
      const timeMs = this.nowMs - STEP_MS * this.below(400) - this.below(2) * 1000;
      appender.append(appender.series(this.#labels(this.below(SERIES))), timeMs, this.random());
    }
    await appender.commit();
  }

  async #delete(): Promise<void> {
    const minTimeMs = this.nowMs - this.below(500) * STEP_MS;
    const maxTimeMs = minTimeMs + this.below(100) * STEP_MS;
    const pattern = createMatcher('=~', 'n', `.*${this.below(10)}`);
    await this.db.deleteSeries({ matcherSets: [[pattern]], minTimeMs, maxTimeMs });
  }

  /** Changes a byte of the chunks of each block, not of those by which a file is known. */
  damage(): void {
    for (const name of readdirSync(join(this.#directory, 'blocks'))) {
      const path = join(this.#directory, 'blocks', name, 'chunks');
      const file = openSync(path, 'r+');
      const at = 8 + this.below(statSync(path).size - 8);
      writeSync(file, Uint8Array.of(this.below(256)), 0, 1, at);
      closeSync(file);
    }
  }

  #labels(n: number): Labels {
    if (n >= SERIES) {
      return Labels.of({ __name__: 'passing', n: String(n), hour: String(this.#hour) });
    }
    const name = n % 7 === 0 ? 'k' : 'm';
    return Labels.of({ __name__: name, n: String(n), ...(n % 5 === 4 ? {} : { g: `g${n % 5}` }) });
  }

  #value(n: number): number {
    if (n % 3 === 0) return this.nowMs / STEP_MS + n;
    return n % 3 === 1 ? (this.random() - 0.5) * 1e6 : this.below(1000) / 100;
  }
}

/** What the journal of a run says: the promises that hold whatever happened. */
import type { CrashEvent } from './crashJournal.ts';
import { labelsOf, slotsOf } from './crashPlan.ts';

interface Write {
  readonly path: string;
  readonly position: number;
  readonly length: number;
  readonly from: number;
  readonly to: number;
}

interface Batch {
  readonly session: number;
  readonly refused: ReadonlySet<number>;
  /** The number of its acknowledgement in its session; undefined: there was none. */
  acknowledgement: number | undefined;
}

export class CrashHistory {
  readonly #seed: number;
  readonly batches = new Map<number, Batch>();
  readonly problems: string[] = [];
  readonly #writes: Write[] = [];
  readonly #syncedBytes = new Map<string, number>();
  readonly #sessionOfFile = new Map<string, number>();
  /** Acknowledgements of each session that were forced to the disk. */
  readonly #durable: number[] = [0];
  #acknowledgements = 0;

  constructor(seed: number, events: readonly CrashEvent[]) {
    this.#seed = seed;
    for (const event of events) this.#note(event);
  }

  get acknowledged(): number {
    return [...this.batches.values()].filter((batch) => batch.acknowledgement !== undefined).length;
  }

  get nextBatch(): number {
    return Math.max(-1, ...this.batches.keys()) + 1;
  }

  syncedBytes(path: string): number {
    return this.#syncedBytes.get(path) ?? 0;
  }

  /** Whether a batch may be gone once a file was torn behind what had been forced. */
  isTornWith(path: string, number: number): boolean {
    const batch = this.batches.get(number);
    if (batch?.acknowledgement === undefined) return true;
    if (batch.session !== this.#sessionOfFile.get(path)) return false;
    return batch.acknowledgement >= (this.#durable[batch.session] ?? 0);
  }

  /**
   * What one write of a log file may have held: its batches, and the series that no acknowledged
   * batch had named before, which it may define. Several writes may overlap a range of bytes.
   */
  heldBy(path: string, position: number): { batches: Set<number>; series: Set<string> } {
    const batches = new Set<number>();
    const series = new Set<string>();
    for (const write of this.#writes) {
      if (write.path !== path) continue;
      if (position < write.position || position >= write.position + write.length) continue;
      for (let batch = write.from; batch <= write.to; batch++) batches.add(batch);
    }
    if (batches.size === 0) return { batches, series };
    const known = this.#seriesBefore(Math.min(...batches));
    for (const batch of batches) {
      for (const key of this.#seriesOf(batch)) if (!known.has(key)) series.add(key);
    }
    return { batches, series };
  }

  #seriesBefore(end: number): Set<string> {
    const known = new Set<string>();
    for (const [number, batch] of this.batches) {
      if (number >= end || batch.acknowledgement === undefined) continue;
      for (const key of this.#seriesOf(number)) known.add(key);
    }
    return known;
  }

  #seriesOf(number: number): string[] {
    return slotsOf(this.#seed, number).map((slot) => labelsOf(slot, number).toString());
  }

  #note(event: CrashEvent): void {
    const session = this.#durable.length - 1;
    switch (event.kind) {
      case 'open':
        this.#durable.push(0);
        this.#acknowledgements = 0;
        break;
      case 'try':
        this.batches.set(event.batch, {
          session,
          refused: new Set(event.refused),
          acknowledgement: undefined,
        });
        break;
      case 'acknowledged': {
        const batch = this.batches.get(event.batch);
        if (batch !== undefined) batch.acknowledgement = this.#acknowledgements++;
        break;
      }
      case 'write':
        this.#writes.push(event);
        this.#sessionOfFile.set(event.path, session);
        break;
      case 'synced':
        // Where two syncs overlap, the one that began first may end last.
        this.#syncedBytes.set(event.path, Math.max(event.size, this.syncedBytes(event.path)));
        break;
      case 'durable':
        this.#durable[session] = event.acknowledgements;
        break;
      case 'problem':
        this.problems.push(event.text);
        break;
      default:
        break;
    }
  }
}

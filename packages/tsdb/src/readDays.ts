/**
 * On which day each series of the head was last read by a query or a rule: what nobody ever reads
 * costs and helps nobody. Days are counted from 1970; a checkpoint keeps them.
 */
import { Column } from './column.ts';

const DAY_MS = 24 * 3600_000;

export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

export class ReadDays {
  readonly #since = new Column(Uint16Array);
  /** 0 for a series that was not read yet. */
  readonly #read = new Column(Uint16Array);

  /** A series has come; whatever had its id before is gone. */
  begin(id: number, day: number): void {
    this.restore(id, day, 0);
  }

  restore(id: number, sinceDay: number, readDay: number): void {
    this.#since.reserve(id + 1);
    this.#read.reserve(id + 1);
    this.#since.view[id] = sinceDay;
    this.#read.view[id] = readDay;
  }

  mark(id: number, day: number): void {
    this.#read.view[id] = day;
  }

  /** The day from which on the series is watched. */
  since(id: number): number {
    return this.#since.view[id];
  }

  /** The day on which it was last read, 0 for none. */
  lastRead(id: number): number {
    return this.#read.view[id];
  }

  /** For how many days nobody has read the series, as far as it was watched. */
  unreadDays(id: number, today: number): number {
    return today - Math.max(this.#since.view[id], this.#read.view[id]);
  }
}

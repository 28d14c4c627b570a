/**
 * The start times of the samples in the tails. A counter has the same one until it begins anew, so
 * a tail notes one start time and which of its samples have it; only where there are several it
 * gets a list. The tails of series without any cost nothing.
 */
import type { SampleColumns } from '@tyto/model';
import { Column } from '../column.ts';
import { TAIL_SAMPLES } from '../limits.ts';
import { withStartTimes } from '../startTimeChunk.ts';

/** The end of a tail whose start times are in a list. */
const IN_LIST = 0xff;

export class StartTails {
  /** By id: samples [first, end) of the tail have this start time, the others none. */
  readonly #startTime = new Column(Float64Array);
  readonly #first = new Column(Uint8Array);
  readonly #end = new Column(Uint8Array);
  readonly #lists = new Map<number, Float64Array>();

  /** Whether a sample of the tail has a start time. */
  has(id: number): boolean {
    return (this.#end.view[id] ?? 0) > 0;
  }

  /** Notes the start time, which is not 0, of the tail's sample at `index`, its newest. */
  note(id: number, index: number, startTimeMs: number): void {
    this.#reserve(id + 1);
    const end = this.#end.view[id];
    if (end === 0) {
      this.#startTime.view[id] = startTimeMs;
      this.#first.view[id] = index;
      this.#end.view[id] = index + 1;
    } else if (end === index && this.#startTime.view[id] === startTimeMs) {
      this.#end.view[id] = index + 1;
    } else {
      const list = this.#list(id);
      list[index] = startTimeMs;
      this.#lists.set(id, list);
      this.#end.view[id] = IN_LIST;
    }
  }

  /** The tail was emptied. */
  clear(id: number): void {
    if (!this.has(id)) return;
    this.#end.view[id] = 0;
    this.#lists.delete(id);
  }

  /** The tail's samples as a chunk, with their start times where they have some. */
  chunkWith(id: number, chunk: Uint8Array, count: number): Uint8Array {
    return this.has(id) ? withStartTimes(chunk, this.#list(id), 0, count) : chunk;
  }

  /** Sets the start times of the tail's samples from `first` on, which are in `target` already. */
  addTo(id: number, first: number, target: SampleColumns, start: number): void {
    if (!this.has(id)) return;
    const list = this.#list(id);
    for (let i = start; i < target.length; i++) target.setStartTime(i, list[first + i - start]);
  }

  /** One for each sample that a tail may have. */
  #list(id: number): Float64Array {
    const known = this.#lists.get(id);
    if (known !== undefined) return known;
    const list = new Float64Array(TAIL_SAMPLES);
    const end = Math.min(this.#end.view[id], TAIL_SAMPLES);
    return list.fill(this.#startTime.view[id], this.#first.view[id], end);
  }

  #reserve(count: number): void {
    this.#startTime.reserve(count);
    this.#first.reserve(count);
    this.#end.reserve(count);
  }
}

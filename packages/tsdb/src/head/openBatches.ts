/**
 * Which series the open batches have samples of: the newest one's index, so that a batch can judge
 * its own samples, and that there are any, so that the series is not forgotten meanwhile.
 */
export class OpenBatches {
  #batchOf = new Uint32Array(64);
  #indexOf = new Uint32Array(64);
  readonly #open = new Set<number>();
  #next = 1;

  open(): number {
    const batch = this.#next;
    this.#next = this.#next === 0xffffffff ? 1 : this.#next + 1;
    this.#open.add(batch);
    return batch;
  }

  close(batch: number): void {
    this.#open.delete(batch);
  }

  mark(id: number, batch: number, index: number): void {
    if (id >= this.#batchOf.length) this.#grow(Math.max(id + 1, this.#batchOf.length * 2));
    this.#batchOf[id] = batch;
    this.#indexOf[id] = index;
  }

  /** The index of the batch's newest sample of a series, or -1. */
  lastIndex(id: number, batch: number): number {
    return this.#batchOf[id] === batch ? this.#indexOf[id] : -1;
  }

  holds(id: number): boolean {
    return this.#open.has(this.#batchOf[id]);
  }

  #grow(size: number): void {
    const batchOf = new Uint32Array(size);
    batchOf.set(this.#batchOf);
    const indexOf = new Uint32Array(size);
    indexOf.set(this.#indexOf);
    this.#batchOf = batchOf;
    this.#indexOf = indexOf;
  }
}

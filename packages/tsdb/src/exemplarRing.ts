/**
 * The newest exemplars of all series, in a ring of fixed size: a new one takes the place of the
 * oldest. Each points to the one before it of its series.
 */
import {
  APPENDED,
  type AppendResult,
  type Exemplar,
  judgeExemplar,
  type Labels,
} from '@tyto/model';

export class ExemplarRing {
  readonly #capacity: number;
  readonly #exemplars: Exemplar[] = [];
  readonly #seriesOf: Labels[] = [];
  /** By key of labels: where the newest exemplar of a series is. */
  readonly #newest = new Map<string, number>();
  #next = 0;

  /** 0 keeps none. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#exemplars.length;
  }

  judge(series: Labels, exemplar: Exemplar): AppendResult {
    const newest = this.#newest.get(series.key);
    return judgeExemplar(newest === undefined ? undefined : this.#exemplars[newest], exemplar);
  }

  /** Adds one that `judge` lets pass; another is left out. */
  add(series: Labels, exemplar: Exemplar): void {
    if (this.#capacity === 0 || this.judge(series, exemplar) !== APPENDED) return;
    const place = this.#next;
    this.#next = (place + 1) % this.#capacity;
    const evicted = this.#seriesOf[place];
    if (this.#newest.get(evicted?.key ?? '') === place) this.#newest.delete(evicted.key);
    this.#exemplars[place] = exemplar;
    this.#seriesOf[place] = series;
    this.#newest.set(series.key, place);
  }

  /** All that are kept, oldest first. */
  *entries(): IterableIterator<[series: Labels, exemplar: Exemplar]> {
    const size = this.#exemplars.length;
    const first = size < this.#capacity ? 0 : this.#next;
    for (let i = 0; i < size; i++) {
      const place = (first + i) % size;
      yield [this.#seriesOf[place], this.#exemplars[place]];
    }
  }
}

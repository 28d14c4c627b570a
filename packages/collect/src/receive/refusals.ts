/** What a request's data was refused for, in Prometheus' words, and how often. */
import {
  type AppendResult,
  DUPLICATE,
  OUT_OF_BOUNDS,
  OUT_OF_ORDER,
  SERIES_LIMIT,
} from '@tyto/model';

export type RefusalReason =
  | 'out_of_order'
  | 'duplicate'
  | 'out_of_bounds'
  | 'series_limit'
  | 'invalid_labels'
  | 'invalid_histogram';

const WORDS: Readonly<Record<RefusalReason, string>> = {
  out_of_order: 'out of order sample',
  duplicate: 'duplicate sample for timestamp',
  out_of_bounds: 'out of bounds',
  series_limit: 'the store takes no more series',
  invalid_labels: 'invalid metric name or labels',
  invalid_histogram: 'invalid histogram',
};

export class Refusals {
  readonly counts = new Map<RefusalReason, number>();
  #first = '';

  /** Notes refused samples. `describe` tells the series; it is asked for the first one only. */
  add(reason: RefusalReason, count: number, describe: (words: string) => string): void {
    if (this.#first === '') this.#first = describe(WORDS[reason]);
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + count);
  }

  /** Something that is no sample, such as an exemplar; told, but not counted among them. */
  addOther(message: string): void {
    if (this.#first === '') this.#first = message;
  }

  get isEmpty(): boolean {
    return this.#first === '';
  }

  /** The first refusal, and how many samples there were of each kind. */
  message(): string {
    const counts = [...this.counts].map(([reason, count]) => `${count} ${WORDS[reason]}`);
    if (counts.length === 0) return this.#first;
    return `${this.#first}\nsamples that were refused: ${counts.join(', ')}`;
  }
}

/** The reason behind a store's answer; undefined for one that is no refusal. */
export function reasonOf(result: AppendResult): RefusalReason | undefined {
  if (result === OUT_OF_ORDER) return 'out_of_order';
  if (result === DUPLICATE) return 'duplicate';
  if (result === OUT_OF_BOUNDS) return 'out_of_bounds';
  if (result === SERIES_LIMIT) return 'series_limit';
  return undefined;
}

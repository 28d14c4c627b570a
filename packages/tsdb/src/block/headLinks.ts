/**
 * Which series of the head a block's series are. A series is looked up once, by its pairs, and its
 * reference is kept: the head tells when it has another series at that place.
 */
import type { LabelPairs } from '../series/labelPairs.ts';
import type { SeriesTable } from '../series/seriesTable.ts';
import type { IndexReader } from './indexReader.ts';

const UNKNOWN = -2;
const ABSENT = -1;

export class HeadLinks {
  readonly #index: IndexReader;
  readonly #table: SeriesTable;
  /** By series: its reference in the head, or UNKNOWN. */
  readonly #refs: Float64Array;
  /** By pair: the same pair in `#knownPairs`, ABSENT or UNKNOWN. */
  readonly #pairs: Int32Array;
  #knownPairs: LabelPairs | undefined;
  #knownSize = 0;
  readonly #own: number[] = [];
  readonly #mapped: number[] = [];

  constructor(index: IndexReader, table: SeriesTable) {
    this.#index = index;
    this.#table = table;
    this.#refs = new Float64Array(index.seriesCount).fill(UNKNOWN);
    this.#pairs = new Int32Array(index.pairCount);
  }

  /** The id that a series has in the head now, or -1. */
  idOf(series: number): number {
    const ref = this.#refs[series];
    const known = ref === UNKNOWN ? -1 : this.#table.idOf(ref);
    if (known >= 0) return known;
    const id = this.#find(series);
    this.#refs[series] = id < 0 ? UNKNOWN : this.#table.refOf(id);
    return id;
  }

  #find(series: number): number {
    this.#forgetOldPairs();
    const count = this.#index.pairsInto(series, this.#own);
    for (let i = 0; i < count; i++) {
      const pair = this.#own[i];
      if (this.#pairs[pair] === UNKNOWN) this.#pairs[pair] = this.#findPair(pair);
      if (this.#pairs[pair] === ABSENT) return -1;
      this.#mapped[i] = this.#pairs[pair];
    }
    return this.#table.find(this.#mapped, count);
  }

  #findPair(pair: number): number {
    const { symbols } = this.#table.labelPairs;
    const name = symbols.find(this.#index.nameText(pair));
    const value = name < 0 ? -1 : symbols.find(this.#index.valueText(pair));
    return value < 0 ? ABSENT : this.#table.labelPairs.find(name, value);
  }

  /** Pairs are numbered anew when series go; those that have come may be what was absent. */
  #forgetOldPairs(): void {
    const { labelPairs } = this.#table;
    const { size } = labelPairs;
    if (labelPairs === this.#knownPairs && size === this.#knownSize) return;
    const isSame = labelPairs === this.#knownPairs;
    this.#knownPairs = labelPairs;
    this.#knownSize = size;
    for (let i = 0; i < this.#pairs.length; i++) {
      if (!isSame || this.#pairs[i] === ABSENT) this.#pairs[i] = UNKNOWN;
    }
  }
}

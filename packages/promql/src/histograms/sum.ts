/** Sums and averages of many histograms, with compensated arithmetic for every number in them. */
import type { FloatHistogram } from '@tyto/model';
import { meanOf, sumOf } from '../windows/sums.ts';
import { type AdditionNotes, align, compatible } from './arithmetic.ts';
import { fromSparse, type SparseHistogram, toSparse } from './sparse.ts';

export class HistogramSum {
  readonly #parts: SparseHistogram[] = [];
  #first: FloatHistogram | undefined;
  #sawReset = false;
  #sawNoReset = false;
  #sawGauge = false;
  #sawUnknown = false;
  /** Exponential and custom buckets cannot be added. */
  incompatible = false;
  /** Custom bounds differed, and only the common ones are left; known after sum or average. */
  reconciled = false;

  add(histogram: FloatHistogram): void {
    this.#first ??= histogram;
    if (!compatible(this.#first, histogram)) this.incompatible = true;
    this.#parts.push(toSparse(histogram));
    const hint = histogram.counterResetHint;
    if (hint === 'reset') this.#sawReset = true;
    else if (hint === 'not_reset') this.#sawNoReset = true;
    else if (hint === 'gauge') this.#sawGauge = true;
    else this.#sawUnknown = true;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  get conflictingResets(): boolean {
    return this.#sawReset && this.#sawNoReset;
  }

  sum(): FloatHistogram | undefined {
    return this.#fold((values) => sumOf(values, 0, values.length));
  }

  average(): FloatHistogram | undefined {
    return this.#fold((values) => meanOf(values, 0, values.length));
  }

  #fold(combine: (values: Float64Array) => number): FloatHistogram | undefined {
    const [first] = this.#parts;
    if (this.incompatible || first === undefined) return undefined;
    const parts = this.#aligned();
    const of = (pick: (part: SparseHistogram) => number) => combine(Float64Array.from(parts, pick));
    const buckets = (pick: (part: SparseHistogram) => ReadonlyMap<number, number>) => {
      const indexes = new Set(parts.flatMap((part) => [...pick(part).keys()]));
      const entries = [...indexes].map((index): [number, number] => [
        index,
        of((part) => pick(part).get(index) ?? 0),
      ]);
      return new Map(entries);
    };
    return fromSparse({
      ...first,
      hint: this.#hint(),
      zeroCount: of((part) => part.zeroCount),
      count: of((part) => part.count),
      sum: of((part) => part.sum),
      positive: buckets((part) => part.positive),
      negative: buckets((part) => part.negative),
    });
  }

  /** Brings all parts to one layout: the coarsest is found first and then laid on each. */
  #aligned(): SparseHistogram[] {
    const [first, ...others] = this.#parts;
    const notes: AdditionNotes = {};
    for (const other of others) align(first, other, notes);
    for (const other of others) align(first, other, notes);
    if (notes.reconciledBounds) this.reconciled = true;
    return this.#parts;
  }

  #hint(): FloatHistogram['counterResetHint'] {
    if (this.#sawGauge) return 'gauge';
    if (this.#sawUnknown || this.conflictingResets) return 'unknown';
    return this.#sawReset ? 'reset' : 'not_reset';
  }
}

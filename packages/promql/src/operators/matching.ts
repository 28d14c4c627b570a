/**
 * Operators between two vectors. Series are paired once by their signature; whether a pairing is
 * valid is decided step by step, over what is present there: a side that must be unique may have
 * several series of one signature as long as they do not meet.
 */
import { must, TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';
import { type Binary, isComparison, type VectorMatching } from '@tyto/syntax';
import type { QueryBudget } from '../budget.ts';
import {
  ABSENT,
  type Column,
  emptyColumn,
  emptyHistogramColumn,
  FLOAT,
  type Grid,
  hasAny,
  mergeEqual,
  sizeOf,
} from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { combineColumns } from './combine.ts';
import { groupBySignature, signatureFunction } from './signature.ts';

const MANY_TO_ONE =
  'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)';
const NOT_UNIQUE = 'multiple matches for labels: grouping labels must ensure unique matches';

/** `many` is the side that may have several series of a signature; `one` is the other. */
interface Sides {
  readonly many: readonly Column[];
  readonly one: readonly Column[];
  readonly swapped: boolean;
  readonly fillMany: number | undefined;
  readonly fillOne: number | undefined;
}

export async function evaluateMatching(
  node: Binary,
  left: readonly Column[],
  right: readonly Column[],
  grid: Grid,
  evaluation: Evaluation,
): Promise<Column[]> {
  const matching = must(node.matching, 'operators between vectors have a matching');
  const swapped = matching.cardinality === 'one-to-many';
  // As in Prometheus the fills stay where they are when group_right swaps the sides.
  const { fillLeft, fillRight } = matching;
  const sides: Sides = swapped
    ? { many: right, one: left, swapped, fillMany: fillLeft, fillOne: fillRight }
    : { many: left, one: right, swapped, fillMany: fillLeft, fillOne: fillRight };
  const signatureOf = signatureFunction(matching);
  const { budget } = evaluation;
  const manyGroups = await groupBySignature(sides.many, signatureOf, budget);
  const oneGroups = await groupBySignature(sides.one, signatureOf, budget);
  const manyPresent = await presenceOfAny(sides.many, grid.count, budget);
  const results: Column[] = [];
  for (const [key, ones] of oneGroups) {
    if (ones.length > 1) {
      await refuseDuplicates(ones, manyPresent, swapped, signatureOf, budget);
    }
    if (!manyGroups.has(key) && sides.fillMany === undefined) continue;
    if (budget.due()) await budget.pause();
    const manys = manyGroups.get(key) ?? [];
    const group = new GroupPairing(node, matching, sides, grid, evaluation);
    for (const column of await group.run(manys, ones)) results.push(column);
  }
  if (sides.fillOne !== undefined) {
    for (const [key, manys] of manyGroups) {
      if (oneGroups.has(key)) continue;
      const group = new GroupPairing(node, matching, sides, grid, evaluation);
      for (const column of await group.run(manys, [])) results.push(column);
    }
  }
  return mergeEqual(results, budget);
}

/** The pairs of one signature. */
class GroupPairing {
  readonly #node: Binary;
  readonly #matching: VectorMatching;
  readonly #sides: Sides;
  readonly #grid: Grid;
  readonly #evaluation: Evaluation;

  constructor(
    node: Binary,
    matching: VectorMatching,
    sides: Sides,
    grid: Grid,
    evaluation: Evaluation,
  ) {
    this.#node = node;
    this.#matching = matching;
    this.#sides = sides;
    this.#grid = grid;
    this.#evaluation = evaluation;
  }

  async run(manys: readonly Column[], ones: readonly Column[]): Promise<Column[]> {
    const { budget } = this.#evaluation;
    const results: Column[] = [];
    for (const many of manys) {
      for (const one of ones) {
        if (budget.due()) await budget.pause();
        this.#pair(many, one, many, one, results);
      }
    }
    await this.#fill(manys, ones, results);
    const oneToOne = this.#matching.cardinality === 'one-to-one';
    if (oneToOne && manys.length > 1) {
      await refuseOverlap(manys, ones, this.#sides.fillOne, budget);
    }
    return mergeEqual(results, budget, oneToOne ? MANY_TO_ONE : NOT_UNIQUE);
  }

  /** Pairs what has no partner at a step with the values of `fill`. */
  async #fill(manys: readonly Column[], ones: readonly Column[], results: Column[]): Promise<void> {
    const { budget } = this.#evaluation;
    const { fillMany, fillOne } = this.#sides;
    const { count } = this.#grid;
    if (fillOne !== undefined) {
      const gaps = await gapColumn(ones, fillOne, this.#signatureLabels(manys), count, budget);
      for (const many of manys) {
        if (budget.due()) await budget.pause();
        this.#pair(many, gaps, many, undefined, results);
      }
    }
    if (fillMany !== undefined) {
      const gaps = await gapColumn(manys, fillMany, this.#signatureLabels(ones), count, budget);
      for (const one of ones) {
        if (budget.due()) await budget.pause();
        this.#pair(gaps, one, gaps, one, results);
      }
    }
  }

  /** What is known of the labels of a series that is not there: those that must agree. */
  #signatureLabels(others: readonly Column[]): Labels {
    const [other] = others;
    return other === undefined ? Labels.empty : signatureFunction(this.#matching)(other.labels);
  }

  #pair(
    many: Column,
    one: Column,
    labelled: Column,
    included: Column | undefined,
    results: Column[],
  ): void {
    const node = this.#node;
    const { swapped } = this.#sides;
    const withHistograms = many.histograms !== null || one.histograms !== null;
    const make = withHistograms ? emptyHistogramColumn : emptyColumn;
    const dropped = this.#evaluation.droppedWithName;
    const labels = resultLabels(node, this.#matching, labelled.labels, included?.labels, dropped);
    const dropName = many.dropName || node.returnBool;
    const out = make(labels, dropName, this.#grid.count);
    const [left, right] = swapped ? [one, many] : [many, one];
    combineColumns(node, left, right, left, out, this.#evaluation);
    if (!hasAny(out.present)) return;
    this.#evaluation.budget.acquire(sizeOf(1, this.#grid.count));
    results.push(out);
  }
}

/** A column that has `value` at the steps at which none of `columns` has anything. */
async function gapColumn(
  columns: readonly Column[],
  value: number,
  labels: Labels,
  count: number,
  budget: QueryBudget,
): Promise<Column> {
  const gaps = emptyColumn(labels, false, count);
  const taken = await presenceOfAny(columns, count, budget);
  for (let step = 0; step < count; step++) {
    if (taken[step] === 1) continue;
    gaps.present[step] = FLOAT;
    gaps.values[step] = value;
  }
  return gaps;
}

async function presenceOfAny(
  columns: readonly Column[],
  count: number,
  budget: QueryBudget,
): Promise<Uint8Array> {
  const any = new Uint8Array(count);
  for (const { present } of columns) {
    if (budget.due()) await budget.pause();
    for (let step = 0; step < count; step++) {
      if (present[step] !== ABSENT) any[step] = 1;
    }
  }
  return any;
}

/** Throws where two series of the unique side meet at a step at which there is work to do. */
async function refuseDuplicates(
  ones: readonly Column[],
  manyPresent: Uint8Array,
  swapped: boolean,
  signatureOf: (labels: Labels) => Labels,
  budget: QueryBudget,
): Promise<void> {
  for (let step = 0; step < manyPresent.length; step++) {
    if (manyPresent[step] === 0) continue;
    if (budget.due()) await budget.pause();
    const met = ones.filter(({ present }) => present[step] !== ABSENT);
    if (met.length < 2) continue;
    const side = swapped ? 'left' : 'right';
    const group = showLabels(signatureOf(met[0].labels));
    const [first, second] = met.map(({ labels }) => showLabels(labels));
    throw new TytoError(
      'execution',
      `found duplicate series for the match group ${group} on the ${side} hand-side of the ` +
        `operation: [${first}, ${second}];many-to-many matching not allowed: matching labels ` +
        'must be unique on one side',
    );
  }
}

/** All labels in braces, the metric name among them, as Go's Labels.String has it. */
function showLabels(labels: Labels): string {
  const parts = [...labels.entries()].map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${parts.join(', ')}}`;
}

/** Throws where two series of the many side meet one of the other in a one-to-one match. */
async function refuseOverlap(
  manys: readonly Column[],
  ones: readonly Column[],
  fill: number | undefined,
  budget: QueryBudget,
): Promise<void> {
  const count = manys[0].present.length;
  const partnered = await presenceOfAny(ones, count, budget);
  for (let step = 0; step < count; step++) {
    if (partnered[step] === 0 && fill === undefined) continue;
    if (budget.due()) await budget.pause();
    let met = 0;
    for (const { present } of manys) if (present[step] !== ABSENT) met++;
    if (met > 1) throw new TytoError('execution', MANY_TO_ONE);
  }
}

function resultLabels(
  node: Binary,
  matching: VectorMatching,
  many: Labels,
  one: Labels | undefined,
  dropped: ReadonlySet<string>,
): Labels {
  let labels = isComparison(node.operator) ? many : many.without(dropped);
  if (matching.cardinality === 'one-to-one') {
    const names = new Set(matching.labels);
    labels = matching.on ? labels.keep(names) : labels.without(names);
  }
  for (const name of matching.include) {
    if (one !== undefined) labels = labels.with(name, one.get(name));
  }
  return labels;
}

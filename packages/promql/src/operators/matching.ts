/**
 * Operators between two vectors. Series are paired once by their signature; whether a pairing is
 * valid is decided step by step, over what is present there: a side that must be unique may have
 * several series of one signature as long as they do not meet.
 */
import { must, TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';
import { type Binary, isComparison, type VectorMatching } from '@tyto/syntax';
import {
  ABSENT,
  type Column,
  emptyColumn,
  emptyHistogramColumn,
  FLOAT,
  type Grid,
  hasAny,
  mergeEqual,
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
  const manyGroups = groupBySignature(sides.many, signatureOf);
  const oneGroups = groupBySignature(sides.one, signatureOf);
  const manyPresent = presenceOfAny(sides.many, grid.count);
  const results: Column[] = [];
  for (const [key, ones] of oneGroups) {
    if (ones.length > 1) refuseDuplicates(ones, manyPresent, swapped, signatureOf);
    if (!manyGroups.has(key) && sides.fillMany === undefined) continue;
    if (evaluation.budget.due()) await evaluation.budget.pause();
    const manys = manyGroups.get(key) ?? [];
    const group = new GroupPairing(node, matching, sides, grid, evaluation);
    results.push(...group.run(manys, ones));
  }
  if (sides.fillOne !== undefined) {
    for (const [key, manys] of manyGroups) {
      if (oneGroups.has(key)) continue;
      const group = new GroupPairing(node, matching, sides, grid, evaluation);
      results.push(...group.run(manys, []));
    }
  }
  return mergeEqual(results);
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

  run(manys: readonly Column[], ones: readonly Column[]): Column[] {
    const results: Column[] = [];
    for (const many of manys) {
      for (const one of ones) this.#pair(many, one, many, one, results);
    }
    this.#fill(manys, ones, results);
    const oneToOne = this.#matching.cardinality === 'one-to-one';
    if (oneToOne && manys.length > 1) refuseOverlap(manys, ones, this.#sides.fillOne);
    return mergeEqual(results, oneToOne ? MANY_TO_ONE : NOT_UNIQUE);
  }

  /** Pairs what has no partner at a step with the values of `fill`. */
  #fill(manys: readonly Column[], ones: readonly Column[], results: Column[]): void {
    const { fillMany, fillOne } = this.#sides;
    const { count } = this.#grid;
    if (fillOne !== undefined) {
      const gaps = gapColumn(ones, fillOne, this.#signatureLabels(manys), count);
      for (const many of manys) this.#pair(many, gaps, many, undefined, results);
    }
    if (fillMany !== undefined) {
      const gaps = gapColumn(manys, fillMany, this.#signatureLabels(ones), count);
      for (const one of ones) this.#pair(gaps, one, gaps, one, results);
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
    if (hasAny(out.present)) results.push(out);
  }
}

/** A column that has `value` at the steps at which none of `columns` has anything. */
function gapColumn(
  columns: readonly Column[],
  value: number,
  labels: Labels,
  count: number,
): Column {
  const gaps = emptyColumn(labels, false, count);
  const taken = presenceOfAny(columns, count);
  for (let step = 0; step < count; step++) {
    if (taken[step] === 1) continue;
    gaps.present[step] = FLOAT;
    gaps.values[step] = value;
  }
  return gaps;
}

function presenceOfAny(columns: readonly Column[], count: number): Uint8Array {
  const any = new Uint8Array(count);
  for (const { present } of columns) {
    for (let step = 0; step < count; step++) {
      if (present[step] !== ABSENT) any[step] = 1;
    }
  }
  return any;
}

/** Throws where two series of the unique side meet at a step at which there is work to do. */
function refuseDuplicates(
  ones: readonly Column[],
  manyPresent: Uint8Array,
  swapped: boolean,
  signatureOf: (labels: Labels) => Labels,
): void {
  for (let step = 0; step < manyPresent.length; step++) {
    if (manyPresent[step] === 0) continue;
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
function refuseOverlap(
  manys: readonly Column[],
  ones: readonly Column[],
  fill: number | undefined,
): void {
  const count = manys[0].present.length;
  const partnered = presenceOfAny(ones, count);
  for (let step = 0; step < count; step++) {
    if (partnered[step] === 0 && fill === undefined) continue;
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

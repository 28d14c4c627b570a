/**
 * Parts of a query that come again, as in `a / (a + b)`: each is evaluated once for the same times.
 * Copies are handed out, since whoever gets columns may write to them.
 */
import { childrenOf, type Expr } from '@tyto/syntax';
import type { QueryBudget } from './budget.ts';
import type { Column, Grid } from './column.ts';

/** Longer parts are not looked for. */
const TEXT_LENGTH_MAX = 1000;
/** Selectors, and what is computed from them. */
const KINDS: ReadonlySet<Expr['kind']> = new Set(['vector', 'call', 'aggregation', 'binary']);

interface Kept {
  readonly columns: readonly Column[];
  usesLeft: number;
}

export class Repeats {
  /** The text of each part that comes more than once. */
  readonly #textOf = new Map<Expr, string>();
  readonly #usesOf = new Map<string, number>();
  readonly #kept = new Map<string, Kept>();
  readonly #budget: QueryBudget;

  /** `text` is what `root` was parsed from. */
  constructor(text: string, root: Expr, budget: QueryBudget) {
    this.#budget = budget;
    const found = new Map<string, Expr[]>();
    const visit = (expr: Expr): void => {
      const { start, end } = expr.span;
      if (KINDS.has(expr.kind) && end - start <= TEXT_LENGTH_MAX) {
        const part = text.slice(start, end);
        const same = found.get(part) ?? [];
        found.set(part, same);
        same.push(expr);
        // What is inside a repeated part is repeated with it.
        if (same.length > 1) return;
      }
      for (const child of childrenOf(expr)) visit(child);
    };
    visit(root);
    for (const [part, same] of found) {
      if (same.length < 2) continue;
      this.#usesOf.set(part, same.length);
      for (const expr of same) this.#textOf.set(expr, part);
    }
  }

  /** The columns of a part that was evaluated for these times before; undefined otherwise. */
  take(expr: Expr, grid: Grid): Column[] | undefined {
    const key = this.#key(expr, grid);
    const kept = key === undefined ? undefined : this.#kept.get(key);
    if (key === undefined || kept === undefined) return undefined;
    kept.usesLeft--;
    if (kept.usesLeft > 0) return kept.columns.map(copied);
    this.#kept.delete(key);
    return [...kept.columns];
  }

  /** Keeps the columns of a part that comes again; returns what the caller may write to. */
  keep(expr: Expr, grid: Grid, columns: Column[]): Column[] {
    const key = this.#key(expr, grid);
    if (key === undefined) return columns;
    const uses = this.#usesOf.get(this.#textOf.get(expr) ?? '') ?? 1;
    this.#budget.pin(columns.length * grid.count);
    this.#kept.set(key, { columns, usesLeft: uses - 1 });
    return columns.map(copied);
  }

  #key(expr: Expr, { startMs, stepMs, count }: Grid): string | undefined {
    const text = this.#textOf.get(expr);
    return text === undefined ? undefined : `${startMs} ${stepMs} ${count} ${text}`;
  }
}

function copied(column: Column): Column {
  return {
    ...column,
    values: column.values.slice(),
    present: column.present.slice(),
    histograms: column.histograms?.slice() ?? null,
  };
}

/**
 * Parts of a query that come again, as in `a / (a + b)`: each is evaluated once for the same times.
 * Copies are handed out, since whoever gets columns may write to them.
 */
import { childrenOf, type Expr, formatExpr, typeOf } from '@tyto/syntax';
import type { QueryBudget } from './budget.ts';
import type { Column, Grid } from './column.ts';

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

  constructor(root: Expr, budget: QueryBudget) {
    this.#budget = budget;
    const found = new Map<string, Expr[]>();
    const visit = (expr: Expr): void => {
      if (KINDS.has(expr.kind) && typeOf(expr) === 'vector') {
        const text = formatExpr(expr);
        const same = found.get(text) ?? [];
        found.set(text, same);
        same.push(expr);
        // What is inside a repeated part is repeated with it.
        if (same.length > 1) return;
      }
      for (const child of childrenOf(expr)) visit(child);
    };
    visit(root);
    for (const [text, same] of found) {
      if (same.length < 2) continue;
      this.#usesOf.set(text, same.length);
      for (const expr of same) this.#textOf.set(expr, text);
    }
  }

  /** Whether the same part was evaluated for these times before. */
  has(expr: Expr, grid: Grid): boolean {
    const key = this.#key(expr, grid);
    return key !== undefined && this.#kept.has(key);
  }

  /** The columns of a part, evaluated unless they are known. */
  async columns(expr: Expr, grid: Grid, evaluate: () => Promise<Column[]>): Promise<Column[]> {
    const key = this.#key(expr, grid);
    if (key === undefined) return evaluate();
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      kept.usesLeft--;
      if (kept.usesLeft > 0) return kept.columns.map(copied);
      this.#kept.delete(key);
      return [...kept.columns];
    }
    const columns = await evaluate();
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

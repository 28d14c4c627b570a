/** Going through a tree. */
import type { Expr } from './ast.ts';

/** The expressions directly inside `expr`, in the order in which they are written. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'vector':
      return [];
    case 'matrix':
      return [expr.selector];
    case 'subquery':
    case 'paren':
      return [expr.inner];
    case 'call':
      return expr.args;
    case 'aggregation':
      return expr.parameter === undefined ? [expr.inner] : [expr.parameter, expr.inner];
    case 'unary':
      return [expr.operand];
    case 'binary':
      return [expr.left, expr.right];
  }
}

/** Calls `visit` for `expr` and everything inside it, outer before inner. */
export function walkExpr(expr: Expr, visit: (expr: Expr) => void): void {
  visit(expr);
  for (const child of childrenOf(expr)) walkExpr(child, visit);
}

/** `expr` without the parentheses around it. */
export function unwrapParens(expr: Expr): Expr {
  return expr.kind === 'paren' ? unwrapParens(expr.inner) : expr;
}

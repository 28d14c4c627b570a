/** Going through a tree. */
import type { Expr, VectorSelector } from './ast.ts';

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

/** `expr` with each selector replaced by what `change` makes of it. */
export function mapSelectors(
  expr: Expr,
  change: (selector: VectorSelector) => VectorSelector,
): Expr {
  const inside = (child: Expr) => mapSelectors(child, change);
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr;
    case 'vector':
      return change(expr);
    case 'matrix':
      return { ...expr, selector: change(expr.selector) };
    case 'subquery':
    case 'paren':
      return { ...expr, inner: inside(expr.inner) };
    case 'call':
      return { ...expr, args: expr.args.map(inside) };
    case 'aggregation': {
      const { parameter } = expr;
      const changed = parameter === undefined ? undefined : inside(parameter);
      return { ...expr, parameter: changed, inner: inside(expr.inner) };
    }
    case 'unary':
      return { ...expr, operand: inside(expr.operand) };
    case 'binary':
      return { ...expr, left: inside(expr.left), right: inside(expr.right) };
  }
}

/** `expr` without the parentheses around it. */
export function unwrapParens(expr: Expr): Expr {
  return expr.kind === 'paren' ? unwrapParens(expr.inner) : expr;
}

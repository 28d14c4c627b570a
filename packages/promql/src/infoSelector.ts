/** What the second argument of info() selects: by default the series of target_info. */
import { createMatcher, type Matcher, METRIC_NAME } from '@tyto/model';
import {
  type Call,
  childrenOf,
  type Expr,
  NO_OFFSET,
  type TimeModifiers,
  typeOf,
  type VectorSelector,
} from '@tyto/syntax';

const selectors = new WeakMap<Call, VectorSelector>();

/** The selector of the info series; always the same object for the same call. */
export function infoSelector(call: Call): VectorSelector {
  const known = selectors.get(call);
  if (known !== undefined) return known;
  const given = call.args[1]?.kind === 'vector' ? call.args[1].matchers : [];
  const selector: VectorSelector = {
    kind: 'vector',
    name: '',
    matchers: [...infoNameMatchers(given), ...dataMatchers(given)],
    ...modifiersOf(call.args[0]),
    anchored: false,
    smoothed: false,
    span: call.span,
  };
  selectors.set(call, selector);
  return selector;
}

/**
 * When the series to be enriched are looked at another time than the query's, so are the infos:
 * the time modifiers around the first selector, taken together.
 */
function modifiersOf(base: Expr): TimeModifiers {
  let at: TimeModifiers['at'];
  let offsetMs = 0;
  for (let expr: Expr | undefined = base; expr !== undefined; expr = firstVectorLike(expr)) {
    if (expr.kind !== 'vector' && expr.kind !== 'subquery') continue;
    if (expr.at !== undefined) {
      at = expr.at;
      offsetMs = 0;
    }
    if (expr.offset.kind === 'fixed') offsetMs += expr.offset.ms;
  }
  return { at, offset: offsetMs === 0 ? NO_OFFSET : { kind: 'fixed', ms: offsetMs } };
}

function firstVectorLike(expr: Expr): Expr | undefined {
  return childrenOf(expr).find((child) => {
    const type = typeOf(child);
    return type === 'vector' || type === 'matrix';
  });
}

/** The matchers of the names of info metrics, with a positive one among them. */
export function infoNameMatchers(given: readonly Matcher[]): readonly Matcher[] {
  const names = given.filter(({ name }) => name === METRIC_NAME);
  if (names.length === 0) return [createMatcher('=', METRIC_NAME, 'target_info')];
  const positive = names.some(({ type }) => type === '=' || type === '=~');
  return positive ? names : [createMatcher('=~', METRIC_NAME, '.+_info'), ...names];
}

export function dataMatchers(given: readonly Matcher[]): readonly Matcher[] {
  return given.filter(({ name }) => name !== METRIC_NAME);
}

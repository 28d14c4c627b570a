/** label_replace and label_join: labels out of labels. */
import { type AnchoredRegExp, compileAnchored, errorMessage, TytoError } from '@tyto/base';
import { type Labels, METRIC_NAME } from '@tyto/model';
import { mergeEqual, relabeled, withoutEmpty } from '../column.ts';
import type { VectorFunction } from './registry.ts';

const labelReplace: VectorFunction = async (call, grid, evaluation) => {
  const [, target, replacement, source, pattern] = call.args.map((arg, index) =>
    index === 0 ? '' : evaluation.text(arg),
  );
  const regexp = compilePattern(pattern);
  checkLabelName(target, 'destination label name in label_replace()');
  const columns = await evaluation.vector(call.args[0], grid);
  const replaced = columns.map((column) => {
    const groups = regexp.capture(column.labels.get(source));
    if (groups === undefined) return column;
    const labels = column.labels.with(target, expandTemplate(replacement, groups, regexp));
    return relabeled(column, labels, target === METRIC_NAME ? false : column.dropName);
  });
  return mergeEqual(withoutEmpty(replaced));
};

const labelJoin: VectorFunction = async (call, grid, evaluation) => {
  const [target, separator, ...sources] = call.args.slice(1).map((arg) => evaluation.text(arg));
  checkLabelName(target, 'destination label name in label_join()');
  for (const source of sources) checkLabelName(source, 'source label name in label_join()');
  const columns = await evaluation.vector(call.args[0], grid);
  const joined = columns.map((column) => {
    const value = sources.map((source) => column.labels.get(source)).join(separator);
    const labels: Labels = column.labels.with(target, value);
    return relabeled(column, labels, target === METRIC_NAME ? false : column.dropName);
  });
  return mergeEqual(withoutEmpty(joined));
};

function compilePattern(pattern: string): AnchoredRegExp {
  try {
    return compileAnchored(pattern);
  } catch (error) {
    const reason = errorMessage(error);
    throw new TytoError(
      'execution',
      `invalid regular expression in label_replace(): ${pattern}: ${reason}`,
      { cause: error },
    );
  }
}

function checkLabelName(name: string, what: string): void {
  // A replacement character is what is left of bytes that are no UTF-8.
  if (name === '' || name.includes('\ufffd'))
    throw new TytoError('execution', `invalid ${what}: ${name}`);
}

/** Go's template of Regexp.Expand: `$1`, `$name`, `${name}`, `$$`; unknown groups are empty. */
function expandTemplate(
  template: string,
  groups: readonly string[],
  regexp: AnchoredRegExp,
): string {
  return template.replace(
    /\$(?:\$|(\w+)|\{(\w+)\})/g,
    (whole, plain: string | undefined, braced: string | undefined) => {
      const name = plain ?? braced;
      if (name === undefined) return whole === '$$' ? '$' : whole;
      const index = /^\d+$/.test(name) ? Number(name) : regexp.groupIndex(name);
      return index === undefined ? '' : (groups[index] ?? '');
    },
  );
}

export const labelFunctions: readonly (readonly [string, VectorFunction])[] = [
  ['label_replace', labelReplace],
  ['label_join', labelJoin],
];

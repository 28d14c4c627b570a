/** label_replace and label_join: labels out of labels. */
import { type AnchoredRegExp, compileAnchored, errorMessage, TytoError } from '@tyto/base';
import { type Labels, METRIC_NAME } from '@tyto/model';
import { type Column, mergeEqual, relabeled, withoutEmpty } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import {
  CAPTURE_GROUPS_MAX,
  CAPTURE_LENGTH_MAX,
  CHARACTERS_PER_SAMPLE,
  LABEL_VALUE_LENGTH_MAX,
} from '../limits.ts';
import type { VectorFunction } from './registry.ts';

/** The new value of the label; undefined where a series stays as it is. */
type NewValue = (labels: Labels) => string | undefined;

const labelReplace: VectorFunction = async (call, grid, evaluation) => {
  const [, target, replacement, source, pattern] = call.args.map((arg, index) =>
    index === 0 ? '' : evaluation.text(arg),
  );
  const regexp = compilePattern(pattern);
  checkLabelName(target, 'destination label name in label_replace()');
  const columns = await evaluation.vector(call.args[0], grid);
  return withLabel(columns, target, evaluation, (labels) => {
    const groups = regexp.capture(labels.get(source));
    return groups === undefined ? undefined : expandTemplate(replacement, groups, regexp);
  });
};

const labelJoin: VectorFunction = async (call, grid, evaluation) => {
  const [target, separator, ...sources] = call.args.slice(1).map((arg) => evaluation.text(arg));
  checkLabelName(target, 'destination label name in label_join()');
  for (const source of sources) checkLabelName(source, 'source label name in label_join()');
  const columns = await evaluation.vector(call.args[0], grid);
  return withLabel(columns, target, evaluation, (labels) => {
    const values = sources.map((source) => labels.get(source));
    checkLength(values.reduce((sum, value) => sum + value.length + separator.length, 0));
    return values.join(separator);
  });
};

/** The columns with a label of their own making; its text is the query's to its end. */
async function withLabel(
  columns: readonly Column[],
  target: string,
  { budget }: Evaluation,
  newValue: NewValue,
): Promise<Column[]> {
  const results: Column[] = [];
  for (const column of columns) {
    if (budget.due()) await budget.pause();
    const value = newValue(column.labels);
    if (value === undefined) {
      results.push(column);
      continue;
    }
    budget.pin(Math.ceil(value.length / CHARACTERS_PER_SAMPLE));
    const dropName = target === METRIC_NAME ? false : column.dropName;
    results.push(relabeled(column, column.labels.with(target, value), dropName));
  }
  return mergeEqual(withoutEmpty(results), budget);
}

function checkLength(length: number): void {
  if (length <= LABEL_VALUE_LENGTH_MAX) return;
  throw new TytoError(
    'execution',
    `label_replace() or label_join() makes a label value longer than ${LABEL_VALUE_LENGTH_MAX}`,
  );
}

function compilePattern(pattern: string): AnchoredRegExp {
  try {
    return checkedPattern(pattern);
  } catch (error) {
    const reason = errorMessage(error);
    throw new TytoError(
      'execution',
      `invalid regular expression in label_replace(): ${pattern.slice(0, 200)}: ${reason}`,
      { cause: error },
    );
  }
}

function checkedPattern(pattern: string): AnchoredRegExp {
  if (pattern.length > CAPTURE_LENGTH_MAX) {
    throw new TytoError('execution', `it is longer than ${CAPTURE_LENGTH_MAX}`);
  }
  const regexp = compileAnchored(pattern);
  if (regexp.groupCount <= CAPTURE_GROUPS_MAX) return regexp;
  throw new TytoError('execution', `it has more than ${CAPTURE_GROUPS_MAX} groups`);
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
  let length = template.length;
  return template.replace(
    /\$(?:\$|(\w+)|\{(\w+)\})/g,
    (whole, plain: string | undefined, braced: string | undefined) => {
      const name = plain ?? braced;
      if (name === undefined) return whole === '$$' ? '$' : whole;
      const index = /^\d+$/.test(name) ? Number(name) : regexp.groupIndex(name);
      const value = index === undefined ? '' : (groups[index] ?? '');
      length += value.length;
      checkLength(length);
      return value;
    },
  );
}

export const labelFunctions: readonly (readonly [string, VectorFunction])[] = [
  ['label_replace', labelReplace],
  ['label_join', labelJoin],
];

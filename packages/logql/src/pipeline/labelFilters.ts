/** Label filters. A value that is not of the kind that is asked for passes, with an error label. */
import type { LabelFilter, NumberLabelFilter } from '@tyto/syntax';
import { numberReader } from './conversions.ts';
import { ipMatcher } from './ip.ts';
import type { Stage } from './stage.ts';

const LABEL_FILTER_ERROR = 'LabelFilterErr';

export function labelFilterStage(filter: LabelFilter): Stage {
  switch (filter.kind) {
    case 'string': {
      const { matcher } = filter;
      return (entry) => matcher.matches(entry.value(matcher.name));
    }
    case 'ip': {
      const isInside = ipMatcher(filter.value);
      return (entry) => {
        if (entry.error !== '') return true;
        const value = entry.get(filter.label);
        return value !== undefined && isInside(value) !== filter.negated;
      };
    }
    case 'and': {
      const left = labelFilterStage(filter.left);
      const right = labelFilterStage(filter.right);
      return (entry) => left(entry) && right(entry);
    }
    case 'or': {
      const left = labelFilterStage(filter.left);
      const right = labelFilterStage(filter.right);
      return (entry) => left(entry) || right(entry);
    }
    default:
      return numberStage(filter);
  }
}

function numberStage({ kind, label, operator, value: bound }: NumberLabelFilter): Stage {
  const read = numberReader(kind);
  return (entry) => {
    const text = entry.get(label);
    if (text === undefined) return false;
    const value = read(text);
    if (typeof value === 'string') {
      if (entry.error === '') entry.fail(LABEL_FILTER_ERROR, value);
      return true;
    }
    switch (operator) {
      case '==':
        return value === bound;
      case '!=':
        return value !== bound;
      case '>':
        return value > bound;
      case '>=':
        return value >= bound;
      case '<':
        return value < bound;
      case '<=':
        return value <= bound;
    }
  };
}

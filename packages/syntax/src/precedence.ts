/** How tightly binary operators bind, for those who read queries and those who write them. */

/** Of both languages; the higher binds the tighter. */
export const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '>': 3,
  '<=': 3,
  '>=': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  '^': 6,
};

/** With what only PromQL has. */
export const PROMQL_PRECEDENCE: Readonly<Record<string, number>> = {
  ...PRECEDENCE,
  atan2: 5,
  '</': 5,
  '>/': 5,
};

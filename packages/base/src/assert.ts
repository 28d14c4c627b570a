/** Asserts for our own invariants; they stay on in production. Never reachable by user input. */

/** Throws `BUG: …` when `condition` does not hold. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (condition) return;
  throw new Error(`BUG: ${typeof message === 'string' ? message : message()}`);
}

/** Returns `value`, or throws `BUG: …` when it is null or undefined. */
export function must<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new Error(`BUG: ${message}`);
  return value;
}

/** Marks code that the types say cannot run. */
export function unreachable(value: never): never {
  throw new Error(`BUG: unreachable value ${String(value)}`);
}

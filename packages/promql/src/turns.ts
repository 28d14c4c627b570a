/**
 * Queries that pause go on one by one: the event loop runs all that wait for it in the same round,
 * and with twenty queries a round would take twenty times as long as one lets others wait.
 */
const waiting: (() => void)[] = [];

/** Resolves in a later round of the event loop, in which no other query goes on. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(goOn);
  });
}

function goOn(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(goOn);
}

/** The last queries that ran, newest first, each once. */

/** As many as one will scroll through. */
const HISTORY_LENGTH_MAX = 50;

export function remember(history: readonly string[], expr: string): string[] {
  const trimmed = expr.trim();
  if (trimmed === '') return [...history];
  return [trimmed, ...history.filter((one) => one !== trimmed)].slice(0, HISTORY_LENGTH_MAX);
}

/** History as it was stored; what is not a list of texts is forgotten. */
export function parseHistory(stored: string | undefined): string[] {
  if (stored === undefined) return [];
  try {
    const value: unknown = JSON.parse(stored);
    if (!Array.isArray(value)) return [];
    return value.filter((one) => typeof one === 'string').slice(0, HISTORY_LENGTH_MAX);
  } catch {
    return [];
  }
}

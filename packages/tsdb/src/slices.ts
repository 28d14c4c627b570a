/** Long work on the main thread, cut into slices. */

/** Resolves after timers and I/O had their turn. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * How often V8 collects garbage. By itself it looks at the heap of JavaScript objects only, which
 * is small here, and collects whenever a few megabytes of buffers have come and gone: several times
 * a second while many targets are scraped, a third of all processor time. So the heap may grow by
 * a fixed amount between two collections instead of a fixed share.
 */
import { setFlagsFromString } from 'node:v8';
import type { Clock, Timer } from '@tyto/base';

/** Garbage between two collections; it is resident memory. */
const GARBAGE_BYTES = 16 * 1024 * 1024;
const SHARE_MIN = 25;
const SHARE_MAX = 400;
const INTERVAL_MS = 10_000;

/** By how many percent the heap may grow, so that about GARBAGE_BYTES are added. */
export function growthPercent(heapBytes: number): number {
  const percent = Math.round((GARBAGE_BYTES / heapBytes) * 100);
  return Math.min(SHARE_MAX, Math.max(SHARE_MIN, percent));
}

/** Keeps the share in step with the heap's size; returns what ends that. */
export function tuneGarbageCollector(clock: Clock): () => void {
  let timer: Timer | undefined;
  const tune = () => {
    const percent = growthPercent(process.memoryUsage().heapUsed);
    setFlagsFromString(`--heap-growing-percent=${percent}`);
    timer = clock.schedule(INTERVAL_MS, tune);
  };
  tune();
  return () => timer?.cancel();
}

/**
 * How V8 collects garbage. By itself it looks at the heap of JavaScript objects only, which is
 * small here, and collects whenever a few megabytes of buffers have come and gone: several times a
 * second while many targets are scraped, a third of all processor time. So the heap may grow by a
 * fixed amount between two collections instead of a fixed share. And what is new gets a place of
 * fixed size: by itself it grows to 48 MB after some busy seconds, and stays.
 */
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import type { Clock, Timer } from '@tyto/base';

/** Garbage between two collections; it is resident memory. */
const GARBAGE_BYTES = 16 * 1024 * 1024;
const SHARE_MIN = 15;
const SHARE_MAX = 400;
const INTERVAL_MS = 500;
/** Both halves of the place for what is new: twice `--max-semi-space-size`. */
const NEW_SPACE_BYTES = 8 * 1024 * 1024;
/** It grows when what is new survives; so many texts are more than enough for that. */
const GROWTH_STEPS_MAX = 4000;

/** By how many percent the heap may grow, so that about GARBAGE_BYTES are added. */
export function growthPercent(heapBytes: number): number {
  const percent = Math.round((GARBAGE_BYTES / heapBytes) * 100);
  return Math.min(SHARE_MAX, Math.max(SHARE_MIN, percent));
}

/** Keeps the share in step with the heap's size; returns what ends that. */
export function tuneGarbageCollector(clock: Clock): () => void {
  let timer: Timer | undefined;
  const tune = () => {
    const percent = growthPercent(getHeapStatistics().used_heap_size);
    setFlagsFromString(`--heap-growing-percent=${percent}`);
    timer = clock.schedule(INTERVAL_MS, tune);
  };
  settleNewSpace();
  tune();
  return () => timer?.cancel();
}

/** Lets the place for what is new grow to its size, and no further. Takes some milliseconds. */
function settleNewSpace(): void {
  const kept: number[][] = [];
  while (newSpaceBytes() < NEW_SPACE_BYTES && kept.length < GROWTH_STEPS_MAX) {
    kept.push(new Array(1024).fill(kept.length));
  }
  setFlagsFromString('--semi-space-growth-factor=1');
}

function newSpaceBytes(): number {
  const spaces = getHeapSpaceStatistics();
  return spaces.find(({ space_name }) => space_name === 'new_space')?.space_size ?? Infinity;
}

/**
 * Carries out scan tasks, in a reader thread or on the main one. A series with anything unusual in
 * it, such as damage, native histograms or chunks that overlap, is left out: who asked reads it
 * himself and meets what is unusual there.
 */
import { WindowScanner } from '@tyto/kernels';
import { NOT_COMPUTED } from '@tyto/model';
import { CHUNK_TRAILER_BYTES, soundChunk } from '../block/format.ts';
import { isFloatChunk } from '../histogramChunk.ts';
import type { ChunkFiles } from './chunkFiles.ts';
import { CHUNK_WORDS, RUN_HEADER, SAMPLES } from './readPlan.ts';
import type { ScanAnswer, ScanTask } from './scanTask.ts';

export class Scanner {
  readonly #files: ChunkFiles;
  #windows: WindowScanner | undefined;

  constructor(files: ChunkFiles) {
    this.#files = files;
  }

  /** Never throws. */
  scan(task: ScanTask): ScanAnswer {
    const { id, seriesCount, request, groups } = task;
    const sampleCounts = new Int32Array(seriesCount);
    const hasResults = new Uint8Array(seriesCount);
    try {
      this.#windows ??= new WindowScanner();
      const windows = this.#windows;
      windows.begin(request, groups?.count ?? 0);
      const answer = { id, sampleCounts, hasResults };
      for (let at = 0; at < task.plan.length; ) at = this.#scanSeries(task, at, windows, answer);
      if (groups !== undefined) storeGroups(task, windows, groups.count);
    } catch {
      // Memory that is not to be had, at worst.
      sampleCounts.fill(NOT_COMPUTED);
      this.#windows = undefined;
    }
    if (this.#windows?.isLarge === true) this.#windows = undefined;
    return { id, sampleCounts, hasResults };
  }

  /** Reads the runs of one series from `start` on; returns where those of the next one begin. */
  #scanSeries(task: ScanTask, start: number, windows: WindowScanner, answer: ScanAnswer): number {
    const { plan, groups } = task;
    const slot = plan[start];
    let at = start;
    let isSound = true;
    windows.startSeries();
    while (at < plan.length && plan[at] === slot) {
      const minTimeMs = plan[at + 1];
      const end = at + RUN_HEADER + CHUNK_WORDS * plan[at + 3];
      try {
        if (isSound) this.#readRun(task, at + RUN_HEADER, end, minTimeMs, windows);
      } catch {
        // Whatever it is, it is met again where it can be told.
        isSound = false;
      }
      at = end;
    }
    answer.sampleCounts[slot] = isSound ? windows.length : NOT_COMPUTED;
    if (isSound && windows.compute()) {
      answer.hasResults[slot] = 1;
      if (groups === undefined) storeColumn(task, slot, windows);
      else windows.addTo(groups.groupOf[slot], groups.operator);
    }
    return at;
  }

  #readRun(
    task: ScanTask,
    start: number,
    end: number,
    minTimeMs: number,
    windows: WindowScanner,
  ): void {
    const { plan, samples } = task;
    for (let at = start; at < end; at += CHUNK_WORDS) {
      const where = plan[at];
      const offset = plan[at + 1];
      const length = plan[at + 2];
      if (where === SAMPLES) {
        windows.addSamples(samples.timestamps, samples.bits, offset, length, minTimeMs);
        continue;
      }
      const chunk =
        where < 0
          ? task.pages[-1 - where].subarray(offset, offset + length)
          : this.#stored(task.files[where], offset, length);
      if (!isFloatChunk(chunk)) throw new Error('only floats are computed here');
      windows.addChunk(chunk, minTimeMs);
    }
  }

  #stored(path: string, offset: number, length: number): Uint8Array {
    const bytes = this.#files.bytes(path, offset, length + CHUNK_TRAILER_BYTES);
    const chunk = soundChunk(bytes, 0, length);
    if (chunk === undefined) throw new Error('damaged');
    return chunk;
  }
}

function storeColumn(
  { target, request, seriesCount }: ScanTask,
  slot: number,
  windows: WindowScanner,
) {
  const { count } = request;
  new Float64Array(target, slot * count * 8, count).set(windows.values);
  new Uint8Array(target, seriesCount * count * 8 + slot * count, count).set(windows.present);
}

function storeGroups({ target, request }: ScanTask, windows: WindowScanner, groupCount: number) {
  const size = groupCount * request.count;
  (['values', 'errors', 'counts'] as const).forEach((column, i) => {
    new Float64Array(target, i * size * 8, size).set(windows.groupColumn(column));
  });
}

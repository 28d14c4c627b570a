/**
 * One selection's way through the scanners: its series in batches, whose columns reader threads
 * compute while earlier ones are used. What is few is computed on the main thread, where it is
 * asked for; what blocks' changes or damage concern is left to whoever asked.
 */
import type {
  ColumnBatch,
  ColumnReader,
  GroupColumns,
  WindowGroups,
  WindowRequest,
} from '@tyto/model';
import { NOT_COMPUTED } from '@tyto/model';
import {
  READ_AHEAD_TASKS_MIN,
  READ_TASK_SAMPLES,
  READ_TASKS_AHEAD,
  SCAN_TASKS_JOINED,
  SCANNED_SAMPLES_MAX,
} from '../limits.ts';
import type { SeriesPlaces } from '../seriesPlaces.ts';
import type { SeriesSource } from '../seriesSource.ts';
import { ReadPlan, SAMPLE_BYTES } from './readPlan.ts';
import type { ReaderPool } from './readerPool.ts';
import type { Scanner } from './scanner.ts';
import { GROUP_RESULT_BYTES, RESULT_BYTES, type ScanAnswer, type ScanTask } from './scanTask.ts';

/** Series by which the size of a selection is judged. */
const SERIES_LOOKED_AT = 16;

export interface ScanSelection {
  readonly sources: readonly SeriesSource[];
  readonly places: SeriesPlaces;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** Whether the sources are still those of the selection. */
  isCurrent(): boolean;
}

/** Whether the results of a series, or of a group, fit a batch. */
export function canScan(request: WindowRequest, pool: ReaderPool | undefined): boolean {
  return request.count * GROUP_RESULT_BYTES <= targetBytes(pool);
}

/** The memory for the results of one batch is that for the samples of a task. */
function targetBytes(pool: ReaderPool | undefined): number {
  return (pool?.taskSamples ?? READ_TASK_SAMPLES) * SAMPLE_BYTES;
}

interface Planned {
  readonly first: number;
  readonly end: number;
  readonly task: Omit<ScanTask, 'id'>;
  /** Series of the batch that cannot be computed. */
  readonly leftOut: readonly number[];
  /** By the task's own groups: which groups of the request these are. */
  readonly groupIds: Uint32Array;
  readonly buffer: SharedArrayBuffer | undefined;
}

interface Running {
  readonly planned: Planned;
  readonly answer: Promise<ScanAnswer | undefined>;
}

export class ColumnScan implements ColumnReader {
  readonly #pool: ReaderPool | undefined;
  readonly #local: Scanner;
  readonly #selection: ScanSelection;
  readonly #request: WindowRequest;
  readonly #groups: WindowGroups | undefined;
  readonly #batchSamples: number;
  /** Bytes of the results of a batch. */
  readonly #targetBytes: number;
  readonly #running: Running[] = [];
  #next = 0;
  readonly #isWide: boolean;
  /** Lent to the batch that is in use. */
  #lent: SharedArrayBuffer | undefined;
  #localTarget: ArrayBuffer | undefined;
  #isReleased = false;

  constructor(
    pool: ReaderPool | undefined,
    local: Scanner,
    selection: ScanSelection,
    request: WindowRequest,
  ) {
    const { groups, ...plain } = request;
    this.#pool = pool;
    this.#local = local;
    this.#selection = selection;
    this.#request = plain;
    this.#groups = groups;
    this.#targetBytes = targetBytes(pool);
    // Few tasks leave less to be brought together; each thread should have some, though.
    const taskSamples = pool?.taskSamples ?? READ_TASK_SAMPLES;
    const samples = this.#estimate();
    this.#isWide = pool !== undefined && samples > READ_AHEAD_TASKS_MIN * taskSamples;
    const share = Math.ceil(samples / (2 * (pool?.count ?? 1)));
    const most = taskSamples * SCAN_TASKS_JOINED;
    this.#batchSamples = Math.min(most, Math.max(taskSamples, share));
  }

  next(): Promise<ColumnBatch> | ColumnBatch | undefined {
    this.#giveBack();
    this.#begin();
    const running = this.#running.shift();
    if (running !== undefined) return this.#finish(running);
    if (this.#next === this.#selection.places.size) return undefined;
    const planned = this.#plan(undefined);
    return this.#batch(planned, this.#local.scan({ ...planned.task, id: 0 }));
  }

  release(): void {
    this.#isReleased = true;
    this.#giveBack();
    for (const { planned, answer } of this.#running.splice(0)) {
      const { buffer } = planned;
      if (buffer !== undefined) void answer.then(() => this.#pool?.release(buffer));
    }
    this.#next = this.#selection.places.size;
  }

  #giveBack(): void {
    if (this.#lent !== undefined) this.#pool?.release(this.#lent);
    this.#lent = undefined;
  }

  /** Gives threads as much to do as may be; nothing where the main thread does it as quickly. */
  #begin(): void {
    const pool = this.#pool;
    const { size } = this.#selection.places;
    if (pool === undefined || this.#next === size) return;
    if (!this.#isWide) return;
    while (this.#next < size && this.#running.length < pool.count + READ_TASKS_AHEAD) {
      if (!pool.isReady()) return;
      const buffer = pool.acquire();
      if (buffer === undefined) return;
      const planned = this.#plan(buffer);
      this.#running.push({ planned, answer: pool.scan(planned.task) });
    }
  }

  async #finish({ planned, answer }: Running): Promise<ColumnBatch> {
    const answered = await answer;
    this.#lent = planned.buffer;
    const batch = this.#batch(planned, answered);
    // Who waited may have given up meanwhile.
    if (this.#isReleased) this.#giveBack();
    return batch;
  }

  #batch(planned: Planned, answer: ScanAnswer | undefined): ColumnBatch {
    const { first, end, task, leftOut, groupIds } = planned;
    const { target, request } = task;
    const size = end - first;
    const sampleCounts = answer?.sampleCounts ?? new Int32Array(size).fill(NOT_COMPUTED);
    const hasResults = answer?.hasResults ?? new Uint8Array(size);
    for (const series of leftOut) sampleCounts[series - first] = NOT_COMPUTED;
    const results = task.groups === undefined ? size * request.count : 0;
    const values = new Float64Array(target, 0, results);
    const present = new Uint8Array(target, results * 8, results);
    const groups = answer === undefined ? undefined : groupColumns(task, groupIds);
    return { first, end, sampleCounts, hasResults, values, present, groups };
  }

  /** About how many samples the selection has, by a few of its series. */
  #estimate(): number {
    const { size } = this.#selection.places;
    const plan = new ReadPlan();
    const looked = Math.min(size, SERIES_LOOKED_AT);
    for (let i = 0; i < looked; i++) this.#planSeries(Math.floor((i * size) / looked), 0, plan);
    return looked === 0 ? 0 : (plan.sampleCount / looked) * size;
  }

  /** As many series as samples and results allow, at least one. */
  #plan(buffer: SharedArrayBuffer | undefined): Planned {
    const { places } = this.#selection;
    const first = this.#next;
    const plan = new ReadPlan();
    const leftOut: number[] = [];
    const own = this.#groups === undefined ? undefined : new OwnGroups(this.#groups.groupOf);
    const resultBytes =
      this.#request.count * (own === undefined ? RESULT_BYTES : GROUP_RESULT_BYTES);
    const isCurrent = this.#selection.isCurrent();
    let index = first;
    for (; index < places.size; index++) {
      const before = plan.end;
      const results = own === undefined ? index - first + 1 : own.countWith(index);
      if (index > first && results * resultBytes > this.#targetBytes) break;
      if (!isCurrent || !this.#planSeries(index, first, plan)) {
        plan.cutTo(before);
        leftOut.push(index);
      }
      if (plan.sampleCount > this.#batchSamples && index > first) {
        plan.cutTo(before);
        break;
      }
      own?.add(index);
    }
    this.#next = index;
    return this.#planned(first, index, plan, leftOut, own, buffer);
  }

  #planned(
    first: number,
    end: number,
    plan: ReadPlan,
    leftOut: readonly number[],
    own: OwnGroups | undefined,
    buffer: SharedArrayBuffer | undefined,
  ): Planned {
    const { files, pages, samples } = plan;
    const operator = this.#groups?.operator;
    const groups =
      own === undefined || operator === undefined
        ? undefined
        : { operator, groupOf: own.groupOf(), count: own.count };
    const task = {
      plan: plan.words(),
      files,
      pages,
      samples,
      request: this.#request,
      seriesCount: end - first,
      groups,
      target: buffer ?? this.#ownTarget(end - first, groups?.count),
    };
    return { first, end, task, leftOut, groupIds: own?.ids() ?? new Uint32Array(0), buffer };
  }

  #ownTarget(seriesCount: number, groupCount: number | undefined): ArrayBuffer {
    const results =
      groupCount === undefined ? seriesCount * RESULT_BYTES : groupCount * GROUP_RESULT_BYTES;
    const bytes = results * this.#request.count;
    if (this.#localTarget === undefined || this.#localTarget.byteLength < bytes) {
      this.#localTarget = new ArrayBuffer(bytes);
    }
    return this.#localTarget;
  }

  /** Adds all samples of a series; false where a source cannot. */
  #planSeries(index: number, first: number, plan: ReadPlan): boolean {
    const { places, sources, minTimeMs, maxTimeMs } = this.#selection;
    const before = plan.end.samples;
    const end = places.firstPlace(index + 1);
    for (let place = places.firstPlace(index); place < end; place++) {
      const source = sources[places.sourceOf(place)];
      plan.beginRun(index - first, minTimeMs, maxTimeMs);
      const isWhole = source.planScan?.(places.idOf(place), minTimeMs, maxTimeMs, plan) ?? false;
      plan.endRun();
      if (!isWhole) return false;
    }
    return plan.end.samples - before <= SCANNED_SAMPLES_MAX;
  }
}

function groupColumns(
  { target, request, groups }: Omit<ScanTask, 'id'>,
  ids: Uint32Array,
): GroupColumns | undefined {
  if (groups === undefined) return undefined;
  const size = groups.count * request.count;
  const column = (i: number) => new Float64Array(target, i * size * 8, size);
  return { ids, values: column(0), errors: column(1), counts: column(2) };
}

/** The groups of a batch, numbered from 0 in the order of their coming. */
class OwnGroups {
  readonly #groupOf: Uint32Array;
  readonly #own = new Map<number, number>();
  readonly #ofSeries: number[] = [];

  constructor(groupOf: Uint32Array) {
    this.#groupOf = groupOf;
  }

  get count(): number {
    return this.#own.size;
  }

  /** How many there would be with this series. */
  countWith(index: number): number {
    return this.#own.size + (this.#own.has(this.#groupOf[index]) ? 0 : 1);
  }

  add(index: number): void {
    const group = this.#groupOf[index];
    const own = this.#own.get(group) ?? this.#own.size;
    this.#own.set(group, own);
    this.#ofSeries.push(own);
  }

  groupOf(): Uint32Array {
    return Uint32Array.from(this.#ofSeries);
  }

  ids(): Uint32Array {
    return Uint32Array.from(this.#own.keys());
  }
}

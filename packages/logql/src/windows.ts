/**
 * Windows (end - range, end] that slide over entries in one pass. Time is cut into panes at all
 * ends and beginnings of windows: each step has at most two, since all windows begin at the same
 * place within a step. An entry goes into one pane only; the panes of each window are joined with
 * two stacks, so that a window costs a constant number of joins however many panes it has.
 */
import type { LogWindows } from '@tyto/model';
import type { Reducer } from './reducers.ts';

export class WindowGrid {
  readonly count: number;
  readonly #firstEndNs: bigint;
  readonly #stepNs: number;
  /** Whole steps of a window, and what is left of its range. */
  readonly #fullSteps: number;
  readonly #restNs: number;

  constructor({ firstEndNs, stepNs, rangeNs, count }: LogWindows) {
    this.count = count;
    this.#firstEndNs = firstEndNs;
    // A single window has no next one, so a step may as well be its range.
    const step = count === 1 ? rangeNs : stepNs;
    this.#stepNs = Number(step);
    this.#fullSteps = Number(rangeNs / step);
    this.#restNs = Number(rangeNs % step);
  }

  /** Panes of one series: for each step a later and an earlier part. */
  get paneCount(): number {
    return 2 * (this.count + this.#fullSteps);
  }

  /** The pane of a time; -1 where no window has it. */
  paneOf(timestampNs: bigint): number {
    const offsetNs = Number(timestampNs - this.#firstEndNs);
    const stepNs = this.#stepNs;
    let step = Math.ceil(offsetNs / stepNs);
    let beforeEndNs = step * stepNs - offsetNs;
    if (beforeEndNs < 0) {
      step++;
      beforeEndNs += stepNs;
    }
    const isLater = beforeEndNs < this.#restNs;
    const index = step + this.#fullSteps;
    if (index < 0 || step >= this.count) return -1;
    // The earlier part of a step is in whole steps only, of which the oldest window has one less.
    if (!isLater && (this.#fullSteps === 0 || index === 0)) return -1;
    return 2 * index + (isLater ? 1 : 0);
  }

  /** Gives the state of each window, in order; undefined where nothing is in it. */
  eachWindow<State>(
    panes: readonly (State | undefined)[],
    reducer: Reducer<State>,
    visit: (window: number, state: State | undefined) => void,
  ): void {
    const full = this.#fullSteps;
    const queue = new JoiningQueue(reducer);
    const stepState = (index: number) => joined(reducer, panes[2 * index], panes[2 * index + 1]);
    for (let index = 1; index < full; index++) queue.push(stepState(index));
    for (let window = 0; window < this.count; window++) {
      const oldest = panes[2 * window + 1];
      if (full === 0) {
        visit(window, oldest);
        continue;
      }
      queue.push(stepState(window + full));
      const state = queue.joined();
      visit(window, this.#restNs > 0 ? joined(reducer, oldest, state) : state);
      queue.shift();
    }
  }
}

function joined<State>(
  reducer: Reducer<State>,
  older: State | undefined,
  newer: State | undefined,
): State | undefined {
  if (older === undefined) return newer;
  return newer === undefined ? older : reducer.join(older, newer);
}

/** A queue that knows what all its items are joined, by two stacks. */
class JoiningQueue<State> {
  readonly #reducer: Reducer<State>;
  /** The oldest is at the end, joined with all of the stack that are newer. */
  readonly #front: (State | undefined)[] = [];
  #back: (State | undefined)[] = [];
  #backJoined: State | undefined;

  constructor(reducer: Reducer<State>) {
    this.#reducer = reducer;
  }

  push(item: State | undefined): void {
    this.#back.push(item);
    this.#backJoined = joined(this.#reducer, this.#backJoined, item);
  }

  joined(): State | undefined {
    return joined(this.#reducer, this.#front.at(-1), this.#backJoined);
  }

  shift(): void {
    if (this.#front.length === 0) {
      let all: State | undefined;
      for (const item of this.#back.reverse()) {
        all = joined(this.#reducer, item, all);
        this.#front.push(all);
      }
      this.#back = [];
      this.#backJoined = undefined;
    }
    this.#front.pop();
  }
}

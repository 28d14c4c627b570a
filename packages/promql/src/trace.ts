/** What happens while a query is evaluated, part by part: what explains it, and what is logged. */
import type { Clock } from '@tyto/base';
import { type Expr, formatExpr } from '@tyto/syntax';
import type { Column } from './column.ts';

/** The evaluation of one part of a query. */
export interface QueryStep {
  /** The part of the query, as PromQL. */
  readonly text: string;
  /** How it was computed, where that is not as its text says. */
  readonly notes: readonly string[];
  /** With what is inside. */
  readonly elapsedMs: number;
  /** Samples that were read from the store, with those of what is inside. */
  readonly readSamples: number;
  /** How many series it resulted in. */
  readonly seriesCount: number;
  readonly steps: readonly QueryStep[];
}

interface OpenStep {
  readonly expr: Expr;
  readonly notes: string[];
  readonly startedMs: number;
  readonly readBefore: number;
  readonly steps: QueryStep[];
}

export class Trace {
  readonly #clock: Clock;
  readonly #samplesRead: () => number;
  /** Parts are evaluated one after the other, so those that are under way lie in each other. */
  readonly #open: OpenStep[] = [];
  /** What is done: one step for the query, as soon as it is. */
  readonly steps: QueryStep[] = [];

  constructor(clock: Clock, samplesRead: () => number) {
    this.#clock = clock;
    this.#samplesRead = samplesRead;
  }

  /** Evaluates a part within the one that is under way. */
  async step(expr: Expr, evaluate: () => Promise<Column[]>): Promise<Column[]> {
    const step: OpenStep = {
      expr,
      notes: [],
      startedMs: this.#clock.monotonicMs(),
      readBefore: this.#samplesRead(),
      steps: [],
    };
    this.#open.push(step);
    let columns: Column[] = [];
    try {
      columns = await evaluate();
      return columns;
    } finally {
      this.#open.pop();
      const { notes, steps, startedMs, readBefore } = step;
      (this.#open.at(-1)?.steps ?? this.steps).push({
        get text() {
          return formatExpr(expr);
        },
        notes,
        elapsedMs: this.#clock.monotonicMs() - startedMs,
        readSamples: this.#samplesRead() - readBefore,
        seriesCount: columns.length,
        steps,
      });
    }
  }

  /** Says of the part under way how it is computed. */
  note(text: string): void {
    this.#open.at(-1)?.notes.push(text);
  }
}

/** What happens while a query is evaluated, part by part: what explains it, and what is logged. */
import type { Clock } from '@tyto/base';
import type { Expr } from '@tyto/syntax';

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

/** A part that is under way. */
export interface OpenStep {
  readonly expr: Expr;
  readonly notes: string[];
  readonly startedMs: number;
  readonly readBefore: number;
  readonly steps: QueryStep[];
}

export class Trace {
  readonly #text: string;
  readonly #clock: Clock;
  readonly #samplesRead: () => number;
  /** Parts are evaluated one after the other, so those that are under way lie in each other. */
  readonly #open: OpenStep[] = [];
  /** What is done: one step for the query, as soon as it is. */
  readonly steps: QueryStep[] = [];

  /** `text` is that of the query. */
  constructor(text: string, clock: Clock, samplesRead: () => number) {
    this.#text = text;
    this.#clock = clock;
    this.#samplesRead = samplesRead;
  }

  /** A part begins, within the one that is under way. */
  begin(expr: Expr): OpenStep {
    const startedMs = this.#clock.monotonicMs();
    const step = { expr, notes: [], startedMs, readBefore: this.#samplesRead(), steps: [] };
    this.#open.push(step);
    return step;
  }

  /** The part that began last ends. */
  end({ expr, notes, startedMs, readBefore, steps }: OpenStep, seriesCount: number): void {
    this.#open.pop();
    const outer = this.#open.at(-1)?.steps ?? this.steps;
    // Parentheses are nothing to tell of.
    if (expr.kind === 'paren') {
      outer.push(...steps);
      return;
    }
    outer.push({
      text: this.#text.slice(expr.span.start, expr.span.end),
      notes,
      elapsedMs: this.#clock.monotonicMs() - startedMs,
      readSamples: this.#samplesRead() - readBefore,
      seriesCount,
      steps,
    });
  }

  /** Says of the part under way how it is computed. */
  note(text: string): void {
    this.#open.at(-1)?.notes.push(text);
  }
}

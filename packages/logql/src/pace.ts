/** When a query that goes through entries looks at the clock: often enough, and not for each. */
import type { QueryBudget } from '@tyto/promql';

/** Characters of lines between two looks; the slowest expressions take a few milliseconds. */
const CHARACTERS_PER_LOOK = 64 * 1024;
/** What an entry counts beside its line. */
const CHARACTERS_PER_ENTRY = 256;

export class Pace {
  readonly #budget: QueryBudget;
  readonly #perEntry: number;
  #left = 0;

  /** `isCostly` is for pipelines of which a single entry may take long. */
  constructor(budget: QueryBudget, isCostly: boolean) {
    this.#budget = budget;
    this.#perEntry = isCostly ? CHARACTERS_PER_LOOK : CHARACTERS_PER_ENTRY;
  }

  /** Whether to pause before the next entry. Throws `timeout` or `canceled` as a budget does. */
  due(lineLength: number): boolean {
    this.#left -= lineLength + this.#perEntry;
    if (this.#left > 0) return false;
    this.#left = CHARACTERS_PER_LOOK;
    return this.#budget.due();
  }
}

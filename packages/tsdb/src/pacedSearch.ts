/**
 * Searches of an index by regular expressions that everybody else does not wait for. The index
 * changes between turns of the event loop, so a search that takes too long is given up and begun
 * again in a later turn, with what its patterns matched so far at hand. Each try matches some more
 * and more than the one before, so that going through what is known costs no more than the rest.
 */
import { type Clock, TytoError } from '@tyto/base';
import type { Matcher } from '@tyto/model';
import { SEARCH_MS_MAX, SEARCH_SLICE_MS, SEARCH_SLICE_MS_MAX } from './limits.ts';
import { breathe } from './slices.ts';

/** Patterns of this length may take a millisecond for a value. */
const LONG_PATTERN = 500;
/** Of other patterns so many values are tried between two looks at the clock. */
const LOOK_EVERY = 64;

/** Ends one try of a search. */
class OutOfTime extends Error {}

/**
 * The answer of `search`, which is synchronous, with matchers that are as those given. Rejects with
 * TytoError `timeout` for a search without end, and `canceled` after an abort.
 */
export async function pacedSearch<T>(
  matcherSets: readonly (readonly Matcher[])[],
  clock: Clock,
  signal: AbortSignal | undefined,
  search: (matcherSets: readonly (readonly Matcher[])[]) => T,
): Promise<T> {
  const pace = new Pace(clock);
  const paced = matcherSets.map((matchers) => matchers.map((matcher) => pace.of(matcher)));
  const endMs = clock.monotonicMs() + SEARCH_MS_MAX;
  for (;;) {
    try {
      pace.begin();
      return search(paced);
    } catch (error) {
      if (!(error instanceof OutOfTime)) throw error;
    }
    await breathe();
    if (signal?.aborted === true) throw new TytoError('canceled', 'the search was canceled');
    if (clock.monotonicMs() > endMs) {
      const hint = 'use a simpler regular expression, or further matchers';
      throw new TytoError(
        'timeout',
        `the search for series took longer than ${SEARCH_MS_MAX / 1000} s: ${hint}`,
      );
    }
  }
}

class Pace {
  readonly #clock: Clock;
  #sliceMs = SEARCH_SLICE_MS;
  /** Of this try; undefined before it matches anything that is not known. */
  #endMs: number | undefined;
  #untilLook = LOOK_EVERY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(): void {
    this.#endMs = undefined;
  }

  /** What a matcher found of a value is kept; what costs nothing is left as it is. */
  of(matcher: Matcher): Matcher {
    const { regexp } = matcher;
    if (regexp === undefined || regexp.literals !== undefined) return matcher;
    const known = new Map<string, boolean>();
    const cost = regexp.source.length >= LONG_PATTERN ? LOOK_EVERY : 1;
    return {
      ...matcher,
      matches: (value) => {
        let result = known.get(value);
        if (result === undefined) {
          this.#spend(cost);
          result = matcher.matches(value);
          known.set(value, result);
        }
        return result;
      },
    };
  }

  #spend(cost: number): void {
    this.#untilLook -= cost;
    if (this.#untilLook > 0) return;
    this.#untilLook = LOOK_EVERY;
    const nowMs = this.#clock.monotonicMs();
    this.#endMs ??= nowMs + this.#sliceMs;
    if (nowMs <= this.#endMs) return;
    this.#sliceMs = Math.min(this.#sliceMs * 1.5, SEARCH_SLICE_MS_MAX);
    throw new OutOfTime();
  }
}

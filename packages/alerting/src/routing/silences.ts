/** Silences: matchers and a time during which matching alerts notify nobody. */
import { randomUUID } from 'node:crypto';
import { type Clock, TytoError } from '@tyto/base';
import { createMatcher, type Labels, type Matcher } from '@tyto/model';
import type { StateStore } from '../stateStore.ts';

export interface SilenceMatcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual: boolean;
}

export interface Silence {
  readonly id: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly updatedAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
}

export type SilenceState = 'pending' | 'active' | 'expired';

const PREFIX = 'silence/';
/** Ended silences are shown for so long. */
const RETENTION_MS = 120 * 3600_000;
const SILENCES_MAX = 10_000;

export class Silences {
  readonly #clock: Clock;
  readonly #state: StateStore;
  readonly #silences = new Map<string, { silence: Silence; matchers: Matcher[] }>();

  constructor(clock: Clock, state: StateStore) {
    this.#clock = clock;
    this.#state = state;
    for (const [, value] of state.entries(PREFIX)) this.#remember(value as Silence);
  }

  all(): Silence[] {
    return [...this.#silences.values()].map(({ silence }) => silence);
  }

  get(id: string): Silence | undefined {
    return this.#silences.get(id)?.silence;
  }

  stateOf(silence: Silence): SilenceState {
    const nowMs = this.#clock.nowMs();
    if (silence.endsAtMs <= nowMs) return 'expired';
    return silence.startsAtMs > nowMs ? 'pending' : 'active';
  }

  /** Ids of the active silences that match. */
  silencing(labels: Labels): string[] {
    const ids: string[] = [];
    for (const { silence, matchers } of this.#silences.values()) {
      if (this.stateOf(silence) !== 'active') continue;
      if (matchers.every((matcher) => matcher.matches(labels.get(matcher.name))))
        ids.push(silence.id);
    }
    return ids;
  }

  /**
   * Creates a silence, or changes the one with the given id; a change of the matchers of an active
   * one ends it and makes a new one. Returns the id. Throws TytoError `bad_data` or `not_found`.
   */
  async set(given: Omit<Silence, 'id' | 'updatedAtMs'> & { id: string }): Promise<string> {
    const nowMs = this.#clock.nowMs();
    checkSilence(given, nowMs);
    const known = given.id === '' ? undefined : this.#silences.get(given.id)?.silence;
    if (given.id !== '' && known === undefined) {
      throw new TytoError('not_found', `silence ${given.id} not found`);
    }
    const canUpdate =
      known !== undefined &&
      this.stateOf(known) !== 'expired' &&
      JSON.stringify(known.matchers) === JSON.stringify(given.matchers);
    if (known !== undefined && !canUpdate && this.stateOf(known) !== 'expired') {
      await this.expire(known.id);
    }
    if (!canUpdate && this.#silences.size >= SILENCES_MAX) {
      throw new TytoError('unavailable', `there are ${SILENCES_MAX} silences already`);
    }
    const id = canUpdate ? given.id : randomUUID();
    const startsAtMs = Math.max(given.startsAtMs, canUpdate ? given.startsAtMs : nowMs);
    await this.#save({ ...given, id, startsAtMs, updatedAtMs: nowMs });
    return id;
  }

  /** Ends a silence now. Throws TytoError `not_found`. */
  async expire(id: string): Promise<void> {
    const silence = this.get(id);
    if (silence === undefined) throw new TytoError('not_found', `silence ${id} not found`);
    const nowMs = this.#clock.nowMs();
    const startsAtMs = Math.min(silence.startsAtMs, nowMs);
    await this.#save({ ...silence, startsAtMs, endsAtMs: nowMs, updatedAtMs: nowMs });
  }

  async collect(): Promise<void> {
    const horizonMs = this.#clock.nowMs() - RETENTION_MS;
    for (const { silence } of [...this.#silences.values()]) {
      if (silence.endsAtMs > horizonMs) continue;
      this.#silences.delete(silence.id);
      await this.#state.remove(PREFIX + silence.id);
    }
  }

  async #save(silence: Silence): Promise<void> {
    this.#remember(silence);
    await this.#state.put(PREFIX + silence.id, silence);
  }

  #remember(silence: Silence): void {
    const matchers = silence.matchers.map(({ name, value, isRegex, isEqual }) => {
      const type = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';
      return createMatcher(type, name, value);
    });
    this.#silences.set(silence.id, { silence, matchers });
  }
}

function checkSilence(silence: Omit<Silence, 'id' | 'updatedAtMs'>, nowMs: number): void {
  const bad = (reason: string) => new TytoError('bad_data', `invalid silence: ${reason}`);
  if (silence.matchers.length === 0) throw bad('at least one matcher required');
  if (!(silence.startsAtMs < silence.endsAtMs)) throw bad('start time must be before end time');
  if (silence.endsAtMs <= nowMs) throw bad("end time can't be in the past");
  if (silence.comment === '') throw bad('a comment is required');
  if (silence.createdBy === '') throw bad('createdBy is required');
  const isVacuous = silence.matchers.every(({ name, value, isRegex, isEqual }) => {
    if (name === '') throw bad('a matcher has no name');
    const type = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';
    return createMatcher(type, name, value).matches('');
  });
  if (isVacuous) throw bad('at least one matcher must not match the empty string');
}

/**
 * Silences: matchers and a time during which matching alerts notify nobody. A silence is in force
 * once it is on disk. Which silences match a label set is remembered, and new ones are asked alone.
 */
import { randomUUID } from 'node:crypto';
import { type Clock, errorMessage, TytoError } from '@tyto/base';
import { createMatcher, type Labels, type Matcher, matchesAll } from '@tyto/model';
import { SILENCE_CHARACTERS_MAX, SILENCES_MAX } from './limits.ts';
import type { StateKeeper } from './stateKeeper.ts';

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
  readonly annotations?: Readonly<Record<string, string>>;
}

export type SilenceState = 'pending' | 'active' | 'expired';

export interface SilenceLimits {
  /** How many there may be, the expired among them that are still shown; 0 for no limit. */
  readonly countMax: number;
  /** Bytes of one; 0 for no limit. */
  readonly bytesMax: number;
  /** For how long ended ones are shown. */
  readonly retentionMs: number;
}

export const DEFAULT_SILENCE_LIMITS: SilenceLimits = {
  countMax: SILENCES_MAX,
  bytesMax: SILENCE_CHARACTERS_MAX,
  retentionMs: 120 * 3600_000,
};

const PREFIX = 'silence/';

interface Known {
  readonly silence: Silence;
  readonly matchers: readonly Matcher[];
}

/** Ids of silences that match a label set, of the first `seen` that there ever were. */
interface Candidates {
  seen: number;
  ids: string[];
}

export class Silences {
  readonly #clock: Clock;
  readonly #keeper: StateKeeper;
  readonly #limits: SilenceLimits;
  readonly #silences = new Map<string, Known>();
  /** Ids in the order in which they came. */
  #arrivals: string[] = [];
  #candidates = new WeakMap<Labels, Candidates>();

  constructor(clock: Clock, keeper: StateKeeper, limits: SilenceLimits = DEFAULT_SILENCE_LIMITS) {
    this.#clock = clock;
    this.#keeper = keeper;
    this.#limits = limits;
    for (const [, value] of keeper.entries(PREFIX)) this.#remember(value as Silence);
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

  countOf(state: SilenceState): number {
    let count = 0;
    for (const { silence } of this.#silences.values()) {
      if (this.stateOf(silence) === state) count++;
    }
    return count;
  }

  /** Ids of the active silences that match, in order. */
  silencing(labels: Labels): string[] {
    if (this.#silences.size === 0) return [];
    const { ids } = this.#candidatesOf(labels);
    const active = ids.filter((id) => {
      const silence = this.get(id);
      return silence !== undefined && this.stateOf(silence) === 'active';
    });
    return active.sort();
  }

  /**
   * Creates a silence, or changes the one with the given id; a change of what an active one mutes
   * ends it and makes a new one. Resolves with the id once it is on disk. Rejects with TytoError
   * `bad_data`, `not_found`, or `io` where it could not be written; then it is not in force.
   */
  async set(given: Omit<Silence, 'id' | 'updatedAtMs'> & { id: string }): Promise<string> {
    const nowMs = this.#clock.nowMs();
    checkSilence(given);
    const known = given.id === '' ? undefined : this.get(given.id);
    if (given.id !== '' && known === undefined) throw notFound();
    if (known !== undefined && this.#canUpdate(known, given, nowMs)) {
      await this.#save({ ...given, updatedAtMs: nowMs });
      return given.id;
    }
    const { countMax } = this.#limits;
    const count = this.#silences.size;
    if (countMax > 0 && count >= countMax) {
      const message = `exceeded maximum number of silences: ${count} (limit: ${countMax})`;
      throw new TytoError('bad_data', message);
    }
    const startsAtMs = Math.max(given.startsAtMs, nowMs);
    const created = { ...given, id: randomUUID(), startsAtMs, updatedAtMs: nowMs };
    this.#checkSize(created);
    if (known !== undefined && this.stateOf(known) !== 'expired') await this.expire(known.id);
    await this.#save(created);
    return created.id;
  }

  /** Ends a silence now. Rejects with TytoError `not_found`, or `io` as `set`. */
  async expire(id: string): Promise<void> {
    const silence = this.get(id);
    if (silence === undefined) throw notFound();
    if (this.stateOf(silence) === 'expired') return;
    const nowMs = this.#clock.nowMs();
    const startsAtMs = Math.min(silence.startsAtMs, nowMs);
    await this.#save({ ...silence, startsAtMs, endsAtMs: nowMs, updatedAtMs: nowMs });
  }

  async collect(): Promise<void> {
    const horizonMs = this.#clock.nowMs() - this.#limits.retentionMs;
    const old = this.all().filter((silence) => silence.endsAtMs <= horizonMs);
    if (old.length === 0) return;
    for (const { id } of old) this.#silences.delete(id);
    this.#arrivals = this.#arrivals.filter((id) => this.#silences.has(id));
    this.#candidates = new WeakMap();
    await this.#keeper.removeAll(old.map(({ id }) => PREFIX + id));
  }

  #candidatesOf(labels: Labels): Candidates {
    let found = this.#candidates.get(labels);
    if (found === undefined) {
      found = { seen: 0, ids: [] };
      this.#candidates.set(labels, found);
    }
    for (; found.seen < this.#arrivals.length; found.seen++) {
      const known = this.#silences.get(this.#arrivals[found.seen]);
      if (known === undefined || this.stateOf(known.silence) === 'expired') continue;
      if (matchesAll(known.matchers, labels)) found.ids.push(known.silence.id);
    }
    return found;
  }

  /** Whether a change leaves alone what was silenced so far. */
  #canUpdate(known: Silence, given: Omit<Silence, 'updatedAtMs'>, nowMs: number): boolean {
    if (JSON.stringify(known.matchers) !== JSON.stringify(given.matchers)) return false;
    const state = this.stateOf(known);
    if (state === 'pending') return given.startsAtMs >= nowMs;
    const second = (timeMs: number) => Math.floor(timeMs / 1000);
    const isSameStart = second(given.startsAtMs) === second(known.startsAtMs);
    return state === 'active' && isSameStart && given.endsAtMs >= nowMs;
  }

  #checkSize(silence: Silence): void {
    const { bytesMax } = this.#limits;
    const size = Buffer.byteLength(JSON.stringify(silence));
    if (bytesMax === 0 || size <= bytesMax) return;
    const message = `silence exceeded maximum size: ${size} bytes (limit: ${bytesMax} bytes)`;
    throw new TytoError('bad_data', message);
  }

  async #save(silence: Silence): Promise<void> {
    this.#checkSize(silence);
    await this.#keeper.putOrForget(PREFIX + silence.id, silence);
    this.#remember(silence);
  }

  #remember(silence: Silence): void {
    if (!this.#silences.has(silence.id)) this.#arrivals.push(silence.id);
    this.#silences.set(silence.id, { silence, matchers: silence.matchers.map(compiled) });
  }
}

function compiled({ name, value, isRegex, isEqual }: SilenceMatcher): Matcher {
  return createMatcher(isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=', name, value);
}

function checkSilence(silence: Omit<Silence, 'id' | 'updatedAtMs'>): void {
  const bad = (reason: string) => new TytoError('bad_data', `invalid silence: ${reason}`);
  if (silence.matchers.length === 0) throw bad('at least one matcher required');
  const isVacuous = silence.matchers.map((matcher, i) => {
    const invalid = (reason: string) => bad(`invalid label matcher ${i}: ${reason}`);
    if (matcher.name === '' || !matcher.name.isWellFormed()) {
      throw invalid(`invalid label name "${matcher.name}"`);
    }
    try {
      // As Alertmanager: of a matcher with `!` it is taken that it says something.
      return compiled(matcher).matches('') && matcher.isEqual;
    } catch (error) {
      throw invalid(`invalid regular expression "${matcher.value}": ${errorMessage(error)}`);
    }
  });
  if (isVacuous.every((vacuous) => vacuous)) {
    throw bad('at least one matcher must not match the empty string');
  }
  if (silence.endsAtMs < silence.startsAtMs) throw bad('end time must not be before start time');
}

function notFound(): TytoError {
  return new TytoError('not_found', 'silence not found');
}

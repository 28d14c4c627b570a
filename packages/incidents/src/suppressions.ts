/**
 * What is not told for a while: suppressions that people make by matchers, rules by which an
 * incident suppresses those that follow it, and silences that come back by themselves.
 */
import { randomUUID } from 'node:crypto';
import { type SilenceMatcher, type StateStore, TimeIntervals } from '@tyto/alerting';
import { type Clock, TytoError } from '@tyto/base';
import { createMatcher, type Labels, type Matcher, matchesAll } from '@tyto/model';
import type { IncidentsConfig, SuppressRule } from './config.ts';
import { type Incident, labelsOf } from './incident.ts';
import { SUPPRESSIONS_MAX } from './limits.ts';

export interface Suppression {
  readonly id: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly createdBy: string;
  readonly comment: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

/** What keeps an incident quiet: by what, and until when. */
export interface Suppressing {
  readonly by: string;
  readonly untilMs: number;
}

const PREFIX = 'suppression/';

export class Suppressions {
  readonly #clock: Clock;
  readonly #state: StateStore;
  readonly #made = new Map<string, { suppression: Suppression; matchers: Matcher[] }>();
  #intervals = new TimeIntervals([]);
  #config: Pick<IncidentsConfig, 'suppress' | 'recurringSilences'>;
  /** By rule and the labels that are to be the same: when the last incident was told. */
  readonly #lastTold = new Map<string, number>();

  constructor(clock: Clock, state: StateStore) {
    this.#clock = clock;
    this.#state = state;
    this.#config = { suppress: [], recurringSilences: [] };
    for (const [, value] of state.entries(PREFIX)) this.#remember(value as Suppression);
  }

  /** Begins to go by a configuration, as if it had always been there. */
  apply(
    config: Pick<IncidentsConfig, 'suppress' | 'recurringSilences'>,
    incidents: Iterable<Incident>,
  ): void {
    this.#config = config;
    this.#intervals = new TimeIntervals(config.recurringSilences);
    this.#lastTold.clear();
    for (const incident of incidents) {
      if (!incident.beganSuppressed) this.told(labelsOf(incident), incident.triggeredAtMs);
    }
  }

  all(): Suppression[] {
    return [...this.#made.values()].map(({ suppression }) => suppression);
  }

  /** Suppresses what matches for a time. Throws TytoError `bad_data` and `unavailable`. */
  async add(given: Omit<Suppression, 'id'>): Promise<Suppression> {
    if (this.#made.size >= SUPPRESSIONS_MAX) {
      const message = `there are ${SUPPRESSIONS_MAX} suppressions already; end some of them`;
      throw new TytoError('unavailable', message);
    }
    const suppression = { ...given, id: randomUUID() };
    const matchers = compile(suppression);
    if (matchers.every((matcher) => matcher.matches(''))) {
      throw new TytoError('bad_data', 'a suppression needs a matcher that not everything matches');
    }
    await this.#state.put(PREFIX + suppression.id, suppression);
    this.#made.set(suppression.id, { suppression, matchers });
    return suppression;
  }

  /** Throws TytoError `not_found`. */
  async remove(id: string): Promise<void> {
    if (!this.#made.delete(id)) throw new TytoError('not_found', `no suppression ${id}`);
    await this.#state.remove(PREFIX + id);
  }

  matches(id: string, labels: Labels): boolean {
    const made = this.#made.get(id);
    return made !== undefined && matchesAll(made.matchers, labels);
  }

  /** What keeps a new incident with these labels quiet; the longest of several. */
  suppressing(labels: Labels): Suppressing | undefined {
    const nowMs = this.#clock.nowMs();
    let longest: Suppressing | undefined;
    const consider = (by: string, untilMs: number) => {
      if (untilMs > Math.max(nowMs, longest?.untilMs ?? 0)) longest = { by, untilMs };
    };
    for (const { suppression, matchers } of this.#made.values()) {
      if (matchesAll(matchers, labels)) consider(suppression.id, suppression.endsAtMs);
    }
    for (const rule of this.#config.suppress) {
      if (!matchesAll(rule.matchers, labels)) continue;
      const lastMs = this.#lastTold.get(keyOf(rule, labels));
      if (lastMs !== undefined) consider(`rule ${rule.name}`, lastMs + rule.forMs);
    }
    return longest;
  }

  /** An incident was triggered that is told: those that follow it may be suppressed for it. */
  told(labels: Labels, atMs: number): void {
    for (const rule of this.#config.suppress) {
      if (!matchesAll(rule.matchers, labels)) continue;
      const key = keyOf(rule, labels);
      this.#lastTold.set(key, Math.max(atMs, this.#lastTold.get(key) ?? 0));
    }
  }

  /** The names of the silences that come back by themselves and apply now. */
  recurring(labels: Labels): string[] {
    const nowMs = this.#clock.nowMs();
    return this.#config.recurringSilences
      .filter(({ name }) => this.#intervals.contains(name, nowMs))
      .filter(({ matchers }) => matchesAll(matchers, labels))
      .map(({ name }) => name);
  }

  async collect(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    for (const { suppression } of [...this.#made.values()]) {
      if (suppression.endsAtMs <= nowMs) await this.remove(suppression.id);
    }
    const longestMs = Math.max(0, ...this.#config.suppress.map(({ forMs }) => forMs));
    for (const [key, atMs] of this.#lastTold) {
      if (atMs + longestMs <= nowMs) this.#lastTold.delete(key);
    }
  }

  #remember(suppression: Suppression): void {
    this.#made.set(suppression.id, { suppression, matchers: compile(suppression) });
  }
}

function compile({ matchers }: Pick<Suppression, 'matchers'>): Matcher[] {
  return matchers.map(({ name, value, isRegex, isEqual }) => {
    const type = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';
    return createMatcher(type, name, value);
  });
}

function keyOf({ name, same }: SuppressRule, labels: Labels): string {
  return JSON.stringify([name, ...same.map((label) => labels.get(label))]);
}

/**
 * What batch jobs push, as Prometheus' Pushgateway keeps it: groups of metric families, each under
 * the labels of its grouping key, until they are replaced or deleted. Nothing is added up. Two
 * gauges tell when a group was last pushed and when that last failed.
 *
 * A push that is inconsistent with what is there (a series twice, another type) changes nothing but
 * the time of the failure.
 */
import { type Clock, TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';
import {
  encodeFamily,
  ENTRY_END,
  ENTRY_HISTOGRAM,
  ENTRY_SAMPLE,
  type ExposedFamily,
  type ExpositionReader,
  ExpositionParser,
  FamilyParser,
  readFamilies,
} from '@tyto/wire';
import { PUSHED_COST_MAX, PUSHED_GROUPS_MAX } from '../limits.ts';
import type { ScrapeFormat } from '../scrape/negotiation.ts';

export interface PushGroup {
  readonly labels: ReadonlyMap<string, string>;
  /** With those about the pushes. */
  readonly families: readonly PushedFamily[];
  readonly isLastSuccessful: boolean;
}

export interface PushedFamily {
  readonly family: ExposedFamily;
  readonly pushedMs: number;
}

interface Group {
  readonly labels: ReadonlyMap<string, string>;
  readonly families: Map<string, PushedFamily>;
  /** 0 for never. */
  pushedMs: number;
  failedMs: number;
}

/** All that is to survive a restart. */
export interface SavedGroup {
  readonly labels: ReadonlyMap<string, string>;
  readonly families: readonly PushedFamily[];
  readonly pushedMs: number;
  readonly failedMs: number;
}

const PUSH_TIME = 'push_time_seconds';
const FAILURE_TIME = 'push_failure_time_seconds';
const OPTIONS = { readsNative: true, keepsClassic: true, convertsClassic: false };

export class PushGateway {
  /** Counts changes, so that what is made of the groups can be kept until the next one. */
  version = 0;
  readonly #clock: Clock;
  readonly #groups = new Map<string, Group>();
  #cost = 0;
  #exposition: { version: number; body: Uint8Array } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#groups.size;
  }

  /**
   * Takes a body into a group: in place of all that is there, or only of families with the same
   * names. Throws TytoError `bad_data` or `too_large`.
   */
  push(
    labels: ReadonlyMap<string, string>,
    body: Uint8Array,
    format: ScrapeFormat,
    replacesAll: boolean,
  ): void {
    const reader: ExpositionReader =
      format === 'protobuf' ? new FamilyParser(OPTIONS) : new ExpositionParser(format);
    const pushed = readFamilies(reader, body).filter(
      ({ name }) => name !== PUSH_TIME && name !== FAILURE_TIME,
    );
    const group = this.#group(labels);
    const nowMs = this.#clock.nowMs();
    try {
      for (const family of pushed) this.#check(group, family);
      this.#replace(group, pushed, replacesAll, nowMs);
      group.pushedMs = nowMs;
    } catch (error) {
      group.failedMs = nowMs;
      throw error;
    } finally {
      this.version++;
    }
  }

  /** Deletes a group; one that is not there is deleted already. */
  delete(labels: ReadonlyMap<string, string>): void {
    const key = keyOf(labels);
    for (const { family } of this.#groups.get(key)?.families.values() ?? []) {
      this.#cost -= costOf(family);
    }
    this.#groups.delete(key);
    this.version++;
  }

  wipe(): void {
    this.#groups.clear();
    this.#cost = 0;
    this.version++;
  }

  groups(): PushGroup[] {
    return [...this.#groups.values()].map((group) => ({
      labels: group.labels,
      families: [...group.families.values(), ...timesOf(group)],
      isLastSuccessful: group.failedMs <= group.pushedMs,
    }));
  }

  /** Everything in protobuf, for a scrape; the same memory until something changes. */
  exposition(): Uint8Array {
    if (this.#exposition?.version !== this.version) {
      const parts = this.groups().flatMap(({ labels, families }) =>
        families.map(({ family }) => encodeFamily(family, labels)),
      );
      this.#exposition = { version: this.version, body: Buffer.concat(parts) };
    }
    return this.#exposition.body;
  }

  save(): SavedGroup[] {
    return [...this.#groups.values()].map((group) => ({
      ...group,
      families: [...group.families.values()],
    }));
  }

  /** Takes over what was saved; only into an empty one. */
  restore(saved: readonly SavedGroup[]): void {
    for (const { labels, families, pushedMs, failedMs } of saved) {
      const byName = new Map(families.map((pushed) => [pushed.family.name, pushed]));
      this.#groups.set(keyOf(labels), { labels, families: byName, pushedMs, failedMs });
      for (const { family } of families) this.#cost += costOf(family);
    }
    this.version++;
  }

  #group(labels: ReadonlyMap<string, string>): Group {
    const key = keyOf(labels);
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= PUSHED_GROUPS_MAX) {
        throw new TytoError('too_large', `there are ${PUSHED_GROUPS_MAX} groups already`);
      }
      group = { labels, families: new Map(), pushedMs: 0, failedMs: 0 };
      this.#groups.set(key, group);
    }
    return group;
  }

  #replace(
    group: Group,
    pushed: readonly ExposedFamily[],
    replacesAll: boolean,
    pushedMs: number,
  ): void {
    const next = new Map(replacesAll ? [] : group.families);
    for (const family of pushed) next.set(family.name, { family, pushedMs });
    let cost = this.#cost;
    for (const { family } of group.families.values()) cost -= costOf(family);
    for (const { family } of next.values()) cost += costOf(family);
    if (cost > PUSHED_COST_MAX && cost > this.#cost) {
      throw new TytoError('too_large', 'too much is pushed already; delete groups that are over');
    }
    this.#cost = cost;
    group.families.clear();
    for (const [name, family] of next) group.families.set(name, family);
  }

  /** Refuses a family that is inconsistent in itself or with those of other groups. */
  #check(group: Group, family: ExposedFamily): void {
    checkReadable(family, group);
    const own = new Set<string>();
    for (const { labels } of family.metrics) {
      const { key } = underGroup(labels, group);
      if (own.has(key)) throw bad(`${family.name}${labels} is there twice under its group`);
      own.add(key);
    }
    for (const other of this.#groups.values()) {
      const there = other === group ? undefined : other.families.get(family.name)?.family;
      if (there === undefined) continue;
      if (there.type !== family.type) {
        const which = Labels.fromEntries(other.labels);
        throw bad(
          `${family.name} is of type ${family.type}, but in group ${which} of type ${there.type}`,
        );
      }
      if (areDisjoint(group, other)) continue;
      for (const { labels } of there.metrics) {
        if (!own.has(underGroup(labels, other).key)) continue;
        throw bad(`${family.name}${underGroup(labels, other)} is in another group already`);
      }
    }
  }
}

/** All pushed metrics are one scrape: none may be such that it would fail as a whole. */
function checkReadable(family: ExposedFamily, group: Group): void {
  const reader = new FamilyParser(OPTIONS);
  try {
    reader.start(encodeFamily(family, group.labels));
    for (let entry = reader.next(); entry !== ENTRY_END; entry = reader.next()) {
      if (entry === ENTRY_SAMPLE || entry === ENTRY_HISTOGRAM) reader.labels();
      if (entry === ENTRY_HISTOGRAM) reader.histogram();
    }
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    throw bad(error.message);
  }
}

/** Whether a label tells the series of two groups apart, whatever else they have. */
function areDisjoint(a: Group, b: Group): boolean {
  for (const [name, value] of a.labels) {
    const other = b.labels.get(name);
    if (other !== undefined && other !== value) return true;
  }
  return false;
}

function underGroup(labels: Labels, group: Group): Labels {
  return Labels.fromEntries([...labels.entries(), ...group.labels]);
}

function keyOf(labels: ReadonlyMap<string, string>): string {
  return JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function timesOf({ pushedMs, failedMs }: Group): PushedFamily[] {
  const gauge = (name: string, help: string, timeMs: number): PushedFamily => ({
    pushedMs,
    family: {
      name,
      help,
      type: 'gauge',
      unit: '',
      metrics: [
        {
          labels: Labels.empty,
          value: timeMs / 1000,
          count: 0,
          sum: 0,
          buckets: new Map(),
          quantiles: new Map(),
          native: undefined,
        },
      ],
    },
  });
  return [
    gauge(FAILURE_TIME, 'Last Unix time when changing this group failed.', failedMs),
    gauge(PUSH_TIME, 'Last Unix time when changing this group succeeded.', pushedMs),
  ];
}

/** About the bytes of memory that a family takes. */
function costOf({ name, help, metrics }: ExposedFamily): number {
  let cost = 200 + name.length + help.length;
  for (const { labels, buckets, quantiles, native } of metrics) {
    cost += 300 + labels.key.length + 60 * (buckets.size + quantiles.size);
    if (native === undefined) continue;
    cost += 300 + 20 * (native.positiveBuckets.length + native.negativeBuckets.length);
    cost += 60 * (native.positiveSpans.length + native.negativeSpans.length);
  }
  return cost;
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', `pushed metrics are invalid or inconsistent: ${message}`);
}

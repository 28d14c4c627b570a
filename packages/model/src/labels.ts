/**
 * Label sets: immutable, sorted by name in UTF-16 order, without empty values. An empty value
 * means "absent", as everywhere in Prometheus' data model.
 */
import { assert } from '@tyto/base';

export const METRIC_NAME = '__name__';

/** A code unit that no decoded UTF-8 text contains, so that keys of different sets differ. */
const SEPARATOR = '\ud800';

/** So many names are put in order one by one. */
const INSERTED_MAX = 32;

export class Labels {
  static readonly empty = new Labels([]);

  /** name, value, name, value …; sorted by name. Not to be changed by anybody. */
  readonly pairs: readonly string[];
  #key: string | undefined;

  private constructor(pairs: readonly string[]) {
    this.pairs = pairs;
  }

  /** From an object; empty values are dropped. */
  static of(record: Readonly<Record<string, string>>): Labels {
    const names = Object.keys(record);
    if (names.length > INSERTED_MAX) return Labels.fromEntries(Object.entries(record));
    const pairs: string[] = [];
    for (const name of names) {
      const value = record[name];
      if (value === '') continue;
      let at = pairs.length;
      pairs.push(name, value);
      for (; at > 0 && pairs[at - 2] > name; at -= 2) {
        pairs[at] = pairs[at - 2];
        pairs[at + 1] = pairs[at - 1];
      }
      pairs[at] = name;
      pairs[at + 1] = value;
    }
    return Labels.fromSorted(pairs);
  }

  /** From pairs in any order; empty values are dropped and the last of equal names wins. */
  static fromEntries(entries: Iterable<readonly [name: string, value: string]>): Labels {
    const byName = new Map<string, string>();
    for (const [name, value] of entries) byName.set(name, value);
    const names = [...byName.keys()].filter((name) => byName.get(name) !== '').sort();
    if (names.length === 0) return Labels.empty;
    const pairs: string[] = [];
    for (const name of names) pairs.push(name, byName.get(name) as string);
    return new Labels(pairs);
  }

  /** From a flat array that is sorted already and has no empty values; takes ownership of it. */
  static fromSorted(pairs: readonly string[]): Labels {
    assert(pairs.length % 2 === 0, 'labels come in pairs');
    return pairs.length === 0 ? Labels.empty : new Labels(pairs);
  }

  get size(): number {
    return this.pairs.length / 2;
  }

  /** The metric name, '' when there is none. */
  get metricName(): string {
    return this.get(METRIC_NAME);
  }

  /** Equal for equal sets and different for different ones. */
  get key(): string {
    this.#key ??= this.pairs.join(SEPARATOR);
    return this.#key;
  }

  /** The value of a label, '' when it is absent. */
  get(name: string): string {
    const pairs = this.pairs;
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i] === name) return pairs[i + 1];
    }
    return '';
  }

  has(name: string): boolean {
    return this.get(name) !== '';
  }

  /** The same set with one label set, or removed where `value` is empty. */
  with(name: string, value: string): Labels {
    return Labels.fromEntries([...this.entries(), [name, value]]);
  }

  /** The same set without these names. */
  without(names: ReadonlySet<string>): Labels {
    return this.#filter((name) => !names.has(name));
  }

  withoutMetricName(): Labels {
    return this.has(METRIC_NAME) ? this.#filter((name) => name !== METRIC_NAME) : this;
  }

  /** Only these names. */
  keep(names: ReadonlySet<string>): Labels {
    return this.#filter((name) => names.has(name));
  }

  *entries(): IterableIterator<[name: string, value: string]> {
    for (let i = 0; i < this.pairs.length; i += 2) yield [this.pairs[i], this.pairs[i + 1]];
  }

  toRecord(): Record<string, string> {
    // Object.fromEntries defines `__proto__` as an own property; assignment would not.
    return Object.fromEntries(this.entries());
  }

  equals(other: Labels): boolean {
    if (this === other) return true;
    if (this.pairs.length !== other.pairs.length) return false;
    for (let i = 0; i < this.pairs.length; i++) {
      if (this.pairs[i] !== other.pairs[i]) return false;
    }
    return true;
  }

  /** In PromQL's notation: `up{job="node"}`. Names that are no identifiers are quoted. */
  toString(): string {
    const name = this.metricName;
    const plainName = IDENTIFIER.test(name);
    const inside: string[] = name !== '' && !plainName ? [JSON.stringify(name)] : [];
    for (const [label, value] of this.entries()) {
      if (label === METRIC_NAME) continue;
      const shown = LABEL_IDENTIFIER.test(label) ? label : JSON.stringify(label);
      inside.push(`${shown}=${JSON.stringify(value)}`);
    }
    const braces = inside.length > 0 || name === '' ? `{${inside.join(', ')}}` : '';
    return (plainName ? name : '') + braces;
  }

  #filter(keep: (name: string) => boolean): Labels {
    const pairs: string[] = [];
    for (let i = 0; i < this.pairs.length; i += 2) {
      if (keep(this.pairs[i])) pairs.push(this.pairs[i], this.pairs[i + 1]);
    }
    return pairs.length === this.pairs.length ? this : Labels.fromSorted(pairs);
  }
}

const IDENTIFIER = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_IDENTIFIER = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Sorts by name and value, pair by pair; a set that is the start of another comes first. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.pairs.length, b.pairs.length);
  for (let i = 0; i < length; i++) {
    if (a.pairs[i] !== b.pairs[i]) return a.pairs[i] < b.pairs[i] ? -1 : 1;
  }
  return a.pairs.length - b.pairs.length;
}

/** Whether `name` is a label name of the classic alphabet. */
export function isClassicLabelName(name: string): boolean {
  return LABEL_IDENTIFIER.test(name);
}

/** Whether `name` is a metric name of the classic alphabet. */
export function isClassicMetricName(name: string): boolean {
  return IDENTIFIER.test(name);
}

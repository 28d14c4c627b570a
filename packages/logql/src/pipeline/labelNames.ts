/** How keys of logs become names of labels. */
import type { NeededLabels } from './stage.ts';
import type { WorkingEntry } from './workingEntry.ts';

const VALID = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NAMES_KEPT_MAX = 10_000;

/** A key with `_` for what a name may not have; '' of an empty one. */
export function sanitizedName(key: string, isFirst = true): string {
  if (isFirst && VALID.test(key)) return key;
  const trimmed = key.trim();
  const clean = trimmed.replace(/[^a-zA-Z0-9_]/gu, '_');
  return isFirst && /^\d/.test(clean) ? `_${clean}` : clean;
}

/** The names that keys get, remembered, since the same come again with every line. */
export class KeyNames {
  readonly #needed: NeededLabels;
  readonly #names = new Map<string, string>();

  constructor(needed: NeededLabels) {
    this.#needed = needed;
  }

  /** The name of a key inside an object whose own name is `prefix`. */
  nameOf(prefix: string, key: string): string {
    const id = prefix === '' ? key : `${prefix}\n${key}`;
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const name = prefix === '' ? sanitizedName(key) : `${prefix}_${sanitizedName(key, false)}`;
    if (this.#names.size > NAMES_KEPT_MAX) this.#names.clear();
    this.#names.set(id, name);
    return name;
  }

  /** The label for a name, with a suffix where that is taken; undefined if none is needed. */
  labelOf(name: string, entry: WorkingEntry): string | undefined {
    if (name === '') return undefined;
    const label = entry.isTaken(name) ? `${name}_extracted` : name;
    return this.#needed === undefined || this.#needed.has(label) ? label : undefined;
  }

  /** Whether a name may begin that of a label that is needed. */
  mayLead(prefix: string): boolean {
    if (this.#needed === undefined) return true;
    for (const name of this.#needed) if (name.startsWith(prefix)) return true;
    return false;
  }
}

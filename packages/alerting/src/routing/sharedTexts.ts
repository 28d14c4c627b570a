/**
 * Texts that many alerts have, kept once. What differs from alert to alert is soon not looked up
 * any more: an address, a summary with a name in it.
 */

/** After so many texts the search begins anew. */
const TEXTS_MAX = 100_000;
/** So many lookups of a name tell whether its texts repeat. */
const TRIED = 2000;
/** At least one of so many lookups has to find something. */
const WORTH = 8;

interface Tries {
  lookups: number;
  hits: number;
}

export class SharedTexts {
  readonly #texts = new Map<string, string>();
  readonly #tries = new Map<string, Tries>();

  /** An equal text that is known already, or this one. `name` is of what it is a text. */
  share(name: string, text: string): string {
    let tries = this.#tries.get(name);
    if (tries === undefined) {
      if (this.#tries.size >= TEXTS_MAX) return text;
      tries = { lookups: 0, hits: 0 };
      this.#tries.set(name, tries);
    }
    if (tries.lookups >= TRIED && tries.hits * WORTH < tries.lookups) return text;
    tries.lookups++;
    const known = this.#texts.get(text);
    if (known !== undefined) {
      tries.hits++;
      return known;
    }
    if (this.#texts.size >= TEXTS_MAX) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }

  /** Lets go of all of them. */
  clear(): void {
    this.#texts.clear();
    this.#tries.clear();
  }
}

/** Interned strings: every label name and value is kept once and named by a number. */
export class Symbols {
  readonly #ids = new Map<string, number>();
  readonly #texts: string[] = [];

  get size(): number {
    return this.#texts.length;
  }

  intern(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.#texts.length;
      // A copy: a slice of a scraped page would keep the whole page in memory.
      const own = copyString(text);
      this.#texts.push(own);
      this.#ids.set(own, id);
    }
    return id;
  }

  /** The id of a text, or -1 when nobody interned it. */
  find(text: string): number {
    return this.#ids.get(text) ?? -1;
  }

  text(id: number): string {
    return this.#texts[id];
  }
}

/** V8 may represent a substring as a view of its parent; going through bytes makes it flat. */
function copyString(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'utf16le').toString('utf16le');
}

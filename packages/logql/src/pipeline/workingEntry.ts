/**
 * An entry on its way through a pipeline: its line, and its labels in three kinds. Metadata doesn't
 * touch the labels of the stream, and parsers touch neither: a name that is taken gets `_extracted`
 * instead. What is found first stays. One object is used for all entries.
 */
import { Labels } from '@tyto/model';

export const ERROR = '__error__';
export const ERROR_DETAILS = '__error_details__';
export const PRESERVE_ERROR = '__preserve_error__';

export type LabelKind = 0 | 1 | 2;
export const STREAM: LabelKind = 0;
export const METADATA: LabelKind = 1;
export const PARSED: LabelKind = 2;

export class WorkingEntry {
  line = '';
  timestampNs = 0n;
  /** '' where nothing failed. */
  error = '';
  errorDetails = '';
  #stream: Labels = Labels.empty;
  #base: ReadonlyMap<string, string> = new Map();
  readonly #bases = new Map<Labels, ReadonlyMap<string, string>>();
  /** What is set beyond the stream's labels: names, values and kinds of one length. */
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  readonly #kinds: LabelKind[] = [];
  readonly #index = new Map<string, number>();
  readonly #deleted = new Set<string>();

  reset(stream: Labels, metadata: Labels, line: string, timestampNs: bigint): void {
    this.line = line;
    this.timestampNs = timestampNs;
    this.error = '';
    this.errorDetails = '';
    if (stream !== this.#stream) {
      this.#stream = stream;
      this.#base = this.#baseOf(stream);
    }
    if (this.#names.length > 0) {
      this.#names.length = 0;
      this.#values.length = 0;
      this.#kinds.length = 0;
      this.#index.clear();
    }
    if (this.#deleted.size > 0) this.#deleted.clear();
    const { pairs } = metadata;
    for (let i = 0; i < pairs.length; i += 2) this.#addMetadata(pairs[i], pairs[i + 1]);
  }

  #baseOf(stream: Labels): ReadonlyMap<string, string> {
    const known = this.#bases.get(stream);
    if (known !== undefined) return known;
    if (this.#bases.size > BASES_KEPT_MAX) this.#bases.clear();
    const base = new Map(stream.entries());
    this.#bases.set(stream, base);
    return base;
  }

  #addMetadata(name: string, value: string): void {
    if (name === ERROR) this.error = value;
    else if (name === ERROR_DETAILS) this.errorDetails = value;
    else this.set(METADATA, this.#base.has(name) ? `${name}_extracted` : name, value);
  }

  /** Whether the stream or the metadata has the label, so that parsers may not use its name. */
  isTaken(name: string): boolean {
    if (this.#base.has(name)) return true;
    const index = this.#names.length === 0 ? undefined : this.#index.get(name);
    return index !== undefined && this.#kinds[index] === METADATA;
  }

  /** Sets what a parser found, unless one has found it before. */
  setFound(label: string, value: string): void {
    if (this.kindOf(label) !== PARSED) this.set(PARSED, label, value);
  }

  /** The label's value; undefined where there is none, which differs from an empty one. */
  get(name: string): string | undefined {
    const index = this.#names.length === 0 ? undefined : this.#index.get(name);
    if (index !== undefined) return this.#values[index];
    if (this.#deleted.size > 0 && this.#deleted.has(name)) return undefined;
    return this.#base.get(name);
  }

  /** The same, with the labels of an error among them; '' where there is none. */
  value(name: string): string {
    if (name === ERROR) return this.error;
    if (name === ERROR_DETAILS) return this.errorDetails;
    return this.get(name) ?? '';
  }

  kindOf(name: string): LabelKind {
    const index = this.#index.get(name);
    return index === undefined ? STREAM : this.#kinds[index];
  }

  /** A label of a kind that is worth less than one that is there already is not set. */
  set(kind: LabelKind, name: string, value: string): void {
    const index = this.#index.get(name);
    if (index === undefined) {
      this.#index.set(name, this.#names.length);
      this.#names.push(name);
      this.#values.push(value);
      this.#kinds.push(kind);
    } else if (kind >= this.#kinds[index]) {
      this.#values[index] = value;
      this.#kinds[index] = kind;
    }
  }

  delete(name: string): void {
    const index = this.#index.get(name);
    if (index !== undefined) {
      const last = this.#names.length - 1;
      if (index !== last) {
        this.#names[index] = this.#names[last];
        this.#values[index] = this.#values[last];
        this.#kinds[index] = this.#kinds[last];
        this.#index.set(this.#names[index], index);
      }
      this.#index.delete(name);
      this.#names.length = last;
      this.#values.length = last;
      this.#kinds.length = last;
    }
    if (this.#base.has(name)) this.#deleted.add(name);
  }

  fail(error: string, details: string): void {
    this.error = error;
    this.errorDetails = details;
  }

  /** Whether the labels are just those of the stream. */
  get isUnchanged(): boolean {
    return this.#names.length === 0 && this.#deleted.size === 0 && this.error === '';
  }

  /** All labels with those of an error; for templates, and to choose from. */
  toMap(): Map<string, string> {
    const map = new Map(this.#base);
    for (const name of this.#deleted) map.delete(name);
    for (let i = 0; i < this.#names.length; i++) map.set(this.#names[i], this.#values[i]);
    if (this.error !== '') map.set(ERROR, this.error);
    if (this.errorDetails !== '') map.set(ERROR_DETAILS, this.errorDetails);
    return map;
  }

  /** Labels of a kind, as the pipeline leaves them; those of an error are parsed ones. */
  labels(kind: LabelKind): Labels {
    if (this.isUnchanged && this.errorDetails === '') {
      return kind === STREAM ? this.#stream : Labels.empty;
    }
    const entries: (readonly [string, string])[] = [];
    if (kind === STREAM) {
      for (const entry of this.#base) {
        if (!this.#deleted.has(entry[0]) && !this.#index.has(entry[0])) entries.push(entry);
      }
    }
    for (let i = 0; i < this.#names.length; i++) {
      if (this.#kinds[i] === kind) entries.push([this.#names[i], this.#values[i]]);
    }
    if (kind === PARSED && this.error !== '') entries.push([ERROR, this.error]);
    if (kind === PARSED && this.errorDetails !== '') {
      entries.push([ERROR_DETAILS, this.errorDetails]);
    }
    if (kind === STREAM && entries.length === this.#base.size) {
      // Nothing but the stream's own labels, whose object is shared.
      if (entries.every(([name, value]) => this.#base.get(name) === value)) return this.#stream;
    }
    return Labels.fromEntries(entries);
  }

  allLabels(): Labels {
    return this.isUnchanged && this.errorDetails === ''
      ? this.#stream
      : Labels.fromEntries(this.toMap());
  }
}

/** Streams whose labels are kept as maps. */
const BASES_KEPT_MAX = 10_000;

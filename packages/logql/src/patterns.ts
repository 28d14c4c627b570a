/**
 * Patterns of log lines, by the algorithm Drain: lines that have the same punctuation and about the
 * same words are of one pattern, and words that differ among them, or have digits, become `<_>`.
 * He, Zhu, Zheng, Lyu: Drain, an online log parsing approach with fixed depth tree (2017).
 *
 * The tree has a level for the punctuation and one for the first word. What is kept is bounded: of
 * more patterns than that, those that were not seen for longest are forgotten.
 */
import type { LogChunk } from '@tyto/model';

export interface MinedPattern {
  /** As `|>` takes it. */
  readonly pattern: string;
  readonly count: number;
  /** In order of time; `timestampMs` is the beginning of a step. */
  readonly samples: readonly { readonly timestampMs: number; readonly count: number }[];
}

export interface MiningOptions {
  readonly stepMs: number;
  readonly patternsMax?: number | undefined;
}

const PATTERNS_MAX = 300;
/** The part of a pattern's words that a line must share with it. */
const SIMILARITY_MIN = 0.5;
/** Patterns that a line is compared with; more of one shape and first word are joined. */
const SIBLINGS_MAX = 32;
/** What is behind so many characters and words does not tell patterns apart. */
const LINE_LENGTH_MAX = 3000;
const WORDS_MAX = 100;

interface Cluster {
  readonly bucket: string;
  /** Undefined for what differs. */
  readonly words: (string | undefined)[];
  /** What is before each word, and behind the last. */
  readonly separators: readonly string[];
  readonly isCut: boolean;
  readonly counts: Map<number, number>;
  count: number;
  lastUse: number;
}

/** 0: separates words; 1: part of a word; 2: a digit. */
const KINDS = new Uint8Array(128).fill(1);
for (const char of ' \t\r\n\v\f=,;:"\'{}[]()<>|&?!`\\') KINDS[char.charCodeAt(0)] = 0;
for (const char of '0123456789') KINDS[char.charCodeAt(0)] = 2;
for (let code = 0; code < 32; code++) KINDS[code] = 0;

export class PatternMiner {
  readonly #stepMs: number;
  readonly #patternsMax: number;
  readonly #buckets = new Map<string, Cluster[]>();
  #clusterCount = 0;
  #uses = 0;
  /** Of the line that is looked at; used again and again. */
  readonly #words: (string | undefined)[] = [];
  readonly #ends: number[] = [];
  readonly #starts: number[] = [];
  #isCut = false;

  constructor({ stepMs, patternsMax = PATTERNS_MAX }: MiningOptions) {
    this.#stepMs = stepMs;
    this.#patternsMax = patternsMax;
  }

  add(line: string, timestampMs: number): void {
    const shape = this.#split(line);
    if (this.#words.length === 0) return;
    const first = this.#words.find((word) => word !== undefined) ?? '';
    const bucket = `${shape} ${this.#words.length} ${first}`;
    const cluster = this.#similar(bucket) ?? this.#create(bucket, line);
    cluster.count++;
    cluster.lastUse = ++this.#uses;
    const step = Math.floor(timestampMs / this.#stepMs) * this.#stepMs;
    cluster.counts.set(step, (cluster.counts.get(step) ?? 0) + 1);
  }

  /** The most frequent first. */
  patterns(): MinedPattern[] {
    return [...this.#buckets.values()]
      .flat()
      .sort((a, b) => b.count - a.count)
      .map((cluster) => ({
        pattern: textOf(cluster),
        count: cluster.count,
        samples: [...cluster.counts]
          .sort(([a], [b]) => a - b)
          .map(([timestampMs, count]) => ({ timestampMs, count })),
      }));
  }

  /** Fills `#words` with those of the line; gives a hash of what is between them. */
  #split(line: string): number {
    const end = Math.min(line.length, LINE_LENGTH_MAX);
    let hash = 0;
    let at = 0;
    let count = 0;
    while (at < end && count < WORDS_MAX) {
      let kind = 0;
      for (; at < end; at++) {
        const code = line.charCodeAt(at);
        kind = code < 128 ? KINDS[code] : 1;
        if (kind !== 0) break;
        hash = (Math.imul(hash, 31) + code) | 0;
      }
      if (at >= end) break;
      // Between two words there is always something, so that this tells them apart.
      hash = (Math.imul(hash, 31) + 1) | 0;
      const start = at;
      let hasDigit = false;
      for (; at < end; at++) {
        const code = line.charCodeAt(at);
        kind = code < 128 ? KINDS[code] : 1;
        if (kind === 0) break;
        if (kind === 2) hasDigit = true;
      }
      this.#words[count] = hasDigit ? undefined : line.slice(start, at);
      this.#starts[count] = start;
      this.#ends[count] = at;
      count++;
    }
    this.#words.length = count;
    this.#isCut = at < line.length;
    return hash;
  }

  /** The most similar cluster of the bucket, with the words that differ made variable. */
  #similar(bucket: string): Cluster | undefined {
    const siblings = this.#buckets.get(bucket);
    if (siblings === undefined) return undefined;
    const words = this.#words;
    const enough = siblings.length >= SIBLINGS_MAX ? 0 : SIMILARITY_MIN * words.length;
    let best: Cluster | undefined;
    let bestShared = -1;
    for (const cluster of siblings) {
      if (cluster.isCut !== this.#isCut) continue;
      let shared = 0;
      for (let i = 0; i < words.length; i++) if (cluster.words[i] === words[i]) shared++;
      if (shared > bestShared) {
        best = cluster;
        bestShared = shared;
      }
      if (shared === words.length) break;
    }
    if (best === undefined || bestShared < enough) return undefined;
    if (bestShared < words.length) {
      for (let i = 0; i < words.length; i++) {
        if (best.words[i] !== words[i]) best.words[i] = undefined;
      }
    }
    return best;
  }

  #create(bucket: string, line: string): Cluster {
    if (this.#clusterCount >= this.#patternsMax) this.#forgetOldest();
    const count = this.#words.length;
    const separators: string[] = [];
    for (let i = 0; i < count; i++) {
      separators.push(line.slice(i === 0 ? 0 : this.#ends[i - 1], this.#starts[i]));
    }
    separators.push(this.#isCut ? '' : line.slice(this.#ends[count - 1]));
    const cluster: Cluster = {
      bucket,
      words: this.#words.slice(),
      separators,
      isCut: this.#isCut,
      counts: new Map(),
      count: 0,
      lastUse: 0,
    };
    const siblings = this.#buckets.get(bucket);
    if (siblings === undefined) this.#buckets.set(bucket, [cluster]);
    else siblings.push(cluster);
    this.#clusterCount++;
    return cluster;
  }

  #forgetOldest(): void {
    let oldest: Cluster | undefined;
    for (const siblings of this.#buckets.values()) {
      for (const cluster of siblings) {
        if (oldest === undefined || cluster.lastUse < oldest.lastUse) oldest = cluster;
      }
    }
    if (oldest === undefined) return;
    const left = this.#buckets.get(oldest.bucket)?.filter((cluster) => cluster !== oldest) ?? [];
    if (left.length === 0) this.#buckets.delete(oldest.bucket);
    else this.#buckets.set(oldest.bucket, left);
    this.#clusterCount--;
  }
}

/** The patterns of what a store has read. */
export async function minePatterns(
  chunks: AsyncIterable<LogChunk>,
  options: MiningOptions,
): Promise<MinedPattern[]> {
  const miner = new PatternMiner(options);
  for await (const { lines, timestampsNs } of chunks) {
    for (let i = 0; i < lines.length; i++) miner.add(lines[i], Number(timestampsNs[i]) / 1e6);
  }
  return miner.patterns();
}

function textOf({ words, separators, isCut }: Cluster): string {
  let text = '';
  for (let i = 0; i < words.length; i++) {
    // `<word>` would be a capture with a name.
    const isBracketed = separators[i].endsWith('<') && separators[i + 1].startsWith('>');
    text += separators[i] + (isBracketed ? '<_>' : (words[i] ?? '<_>'));
  }
  text += separators[words.length];
  // What was cut off differs; two captures may not stand beside each other.
  if (isCut && !text.endsWith('<_>')) text += '<_>';
  return text;
}

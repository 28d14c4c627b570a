/**
 * Runs of lines that are as the last scrape leads to expect: matched and appended as columns, with
 * no call, object or string per sample. What a run holds is valid until the next one.
 */
import { LineMatcher, RUN_LINES_MAX } from '@tyto/kernels';
import type { MetricAppender } from '@tyto/model';
import type { ExpositionParser } from '@tyto/wire';
import { DROPPED, NOT_FOUND, type SeriesCache } from './seriesCache.ts';

const HASH = 0x23;

/** These serve all targets: a scrape is read without a pause. */
const matcher = new LineMatcher();
const refs = new Float64Array(RUN_LINES_MAX);
const entries = new Int32Array(RUN_LINES_MAX);
const values = new Float64Array(RUN_LINES_MAX);
const results = new Uint8Array(RUN_LINES_MAX);

export class KnownRuns {
  /** Of the samples that relabelling kept: cache entries, values, what became of them. */
  readonly entries = entries;
  readonly values = values;
  readonly results = results;
  kept = 0;
  /** Of the run: samples whose series were in this scrape already. */
  repeated = 0;
  /** Of the run: series that were not in the last good scrape. */
  added = 0;
  readonly #cache: SeriesCache;
  /** Entries that the matcher knows. */
  #known = 0;

  constructor(cache: SeriesCache) {
    this.#cache = cache;
  }

  /** Begins with a body; false when it is to be read without runs. */
  open(body: Uint8Array): boolean {
    this.#known = this.#cache.size;
    return this.#known > 0 && matcher.open(body, this.#cache);
  }

  /** How many lines where the parser stands are known; moves it behind them. */
  match(parser: ExpositionParser, expected: number): number {
    if (expected === NOT_FOUND || expected >= this.#known) return 0;
    const { position } = parser;
    if (parser.bytes[position] === HASH) return 0;
    const count = matcher.match(position, expected);
    if (count > 0) parser.skip(matcher.end, count);
    return count;
  }

  /** Marks the series of a run as seen, and picks the samples to append. The run's last entry. */
  gather(count: number, scrape: number, lastGood: number): number {
    const { seenAt, refs: known } = this.#cache;
    this.repeated = this.added = 0;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const entry = matcher.entries[i];
      const seen = seenAt[entry];
      const ref = known[entry];
      seenAt[entry] = scrape;
      if (ref === DROPPED) continue;
      if (seen === scrape) {
        this.repeated++;
        continue;
      }
      if (seen !== lastGood) this.added++;
      entries[kept] = entry;
      refs[kept] = ref;
      values[kept++] = matcher.values[i];
    }
    this.kept = kept;
    return matcher.entries[count - 1];
  }

  /** Appends what was gathered; returns how many samples need a look at their result. */
  append(appender: MetricAppender, timeMs: number): number {
    return appender.appendRow(timeMs, refs, values, this.kept, results);
  }

  /** Watches what was gathered for staleness, but entries that were set to NOT_FOUND. */
  track(scrape: number): void {
    const { trackedAt, trackedBefore } = this.#cache;
    for (let i = 0; i < this.kept; i++) {
      const entry = entries[i];
      if (entry === NOT_FOUND || trackedAt[entry] === scrape) continue;
      trackedBefore[entry] = trackedAt[entry];
      trackedAt[entry] = scrape;
    }
  }
}

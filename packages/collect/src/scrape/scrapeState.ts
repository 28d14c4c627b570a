/**
 * What one target's scrapes leave behind, and how a body becomes samples: the scrape cache, the
 * series watched for staleness, the metadata. One owner, one scrape at a time.
 *
 * A scrape is `begin`, then `append` of its body or `fail`, then `finish` once it is committed or
 * `abandon` when it is not.
 */
import { TytoError } from '@tyto/base';
import {
  APPENDED,
  type AppendResult,
  DUPLICATE,
  EXEMPLAR_LABEL_CHARACTERS_MAX,
  type FloatHistogram,
  type Labels,
  type MetricAppender,
  type MetricMetadata,
  NO_SERIES,
  OUT_OF_BOUNDS,
  OUT_OF_ORDER,
  REPEATED,
  SERIES_LIMIT,
  type SeriesRef,
  TOO_OLD,
  UNKNOWN_SERIES,
} from '@tyto/model';
import {
  ENTRY_END,
  ENTRY_HELP,
  ENTRY_SAMPLE,
  ENTRY_TYPE,
  ENTRY_UNIT,
  ENTRY_HISTOGRAM,
  ClassicConverter,
  CreatedReader,
  decodeSeries,
  type Entry,
  ExpositionParser,
  type Exemplar,
  type ExpositionReader,
  FamilyParser,
  limitHistogram,
  schemaOfFactor,
} from '@tyto/wire';
import type { ScrapeConfig } from '../config/scrapeConfig.ts';
import { METADATA_COUNT_MAX } from '../limits.ts';
import { KnownRuns } from './knownRuns.ts';
import type { ScrapeFormat } from './negotiation.ts';
import { sampleLabels } from './sampleLabels.ts';
import { DROPPED, NOT_FOUND, SeriesCache } from './seriesCache.ts';

/** Entries that are not seen any more are dropped when they outnumber the others by this. */
const DEAD_ENTRIES_MIN = 1000;
/** Metadata hardly ever changes: it is read when series appear, and every so many scrapes. */
const METADATA_EVERY = 10;

export interface AppendCounts {
  /** Samples in the body. */
  scraped: number;
  /** Samples that relabelling kept. */
  kept: number;
  /** Series that were not there in the last good scrape. */
  added: number;
  outOfOrder: number;
  duplicates: number;
  outOfBounds: number;
  /** Samples of series that the store had no room for. */
  seriesLimit: number;
}

export class SampleLimitError extends TytoError {
  constructor() {
    super('too_large', 'sample limit exceeded');
  }
}

export class ScrapeState {
  readonly metadata = new Map<string, MetricMetadata>();
  readonly #config: ScrapeConfig;
  readonly #targetLabels: Labels;
  readonly #keepsStartTimes: boolean;
  readonly #cache = new SeriesCache();
  readonly #runs: KnownRuns;
  readonly #parsers: Partial<Record<ScrapeFormat, ExpositionReader>> = {};
  /** The number of the current scrape; the first is 2, so that 0 is never the one before. */
  #scrape = 1;
  #lastGood = 0;
  /** Entries that the last good scrape had. */
  #alive = 0;
  #metadataDue = true;
  #appender: MetricAppender | undefined;
  #timeMs = 0;
  counts: AppendCounts = newCounts();
  /** Series that a predecessor with another configuration wrote last. */
  #inherited: readonly SeriesRef[];

  constructor(
    config: ScrapeConfig,
    targetLabels: Labels,
    inherited: readonly SeriesRef[] = [],
    keepsStartTimes = false,
  ) {
    this.#keepsStartTimes = keepsStartTimes;
    this.#config = config;
    this.#targetLabels = targetLabels;
    this.#inherited = inherited;
    this.#runs = new KnownRuns(this.#cache);
  }

  get cachedSeries(): number {
    return this.#cache.size;
  }

  begin(appender: MetricAppender, timeMs: number): void {
    this.#scrape++;
    this.#appender = appender;
    this.#timeMs = timeMs;
    this.counts = newCounts();
  }

  /** Appends all samples of a body and ends the series that are gone. Throws TytoError. */
  append(body: Uint8Array, format: ScrapeFormat): void {
    this.#parsers[format] ??= createReader(format, this.#config, this.#keepsStartTimes);
    const parser = this.#parsers[format];
    const cache = this.#cache;
    const readMetadata = this.#metadataDue || this.#scrape % METADATA_EVERY === 0;
    let previous = NOT_FOUND;
    parser.start(body);
    const runs =
      parser instanceof ExpositionParser && this.#runs.open(body) ? this.#runs : undefined;
    for (;;) {
      const expected = previous === NOT_FOUND ? NOT_FOUND : cache.next[previous];
      const count = runs?.match(parser as ExpositionParser, expected) ?? 0;
      if (count > 0) {
        previous = this.#takeRun(count);
        continue;
      }
      parser.guessBytes = cache.arena;
      parser.guessStart = expected === NOT_FOUND ? 0 : cache.starts[expected];
      parser.guessEnd = expected === NOT_FOUND ? 0 : cache.ends[expected];
      const entry = parser.next();
      if (entry === ENTRY_END) break;
      if (entry !== ENTRY_SAMPLE && entry !== ENTRY_HISTOGRAM) {
        if (readMetadata) this.#readMetadata(parser, entry);
        continue;
      }
      const current = this.#sample(parser, expected, entry);
      if (previous !== NOT_FOUND && current !== NOT_FOUND) cache.next[previous] = current;
      previous = current;
    }
    this.#endVanished(false);
    this.#metadataDue = this.counts.added > 0;
  }

  /** Ends all series of the last scrape: it failed, or there will be none any more. */
  fail(appender: MetricAppender): void {
    this.#appender = appender;
    this.#endVanished(true);
  }

  /** The scrape is stored, `good` or with its stale markers. Keeps the cache within bounds. */
  finish(good: boolean): void {
    if (good) {
      this.#inherited = [];
      this.#lastGood = this.#scrape;
      this.#alive = 0;
      const { size, seenAt } = this.#cache;
      for (let i = 0; i < size; i++) if (seenAt[i] === this.#scrape) this.#alive++;
    }
    if (this.#cache.size > 2 * this.#alive + DEAD_ENTRIES_MIN) this.#cache.compact(this.#lastGood);
  }

  /** Takes back what a failed append has noted about its series. */
  abandon(): void {
    const { size, trackedAt, trackedBefore, seenAt } = this.#cache;
    for (let i = 0; i < size; i++) {
      if (seenAt[i] === this.#scrape) seenAt[i] = 0;
      if (trackedAt[i] === this.#scrape) trackedAt[i] = trackedBefore[i];
    }
    this.counts.added = 0;
  }

  /** The current scrape is not done at all: the state is that of the last one again. */
  cancel(): void {
    this.abandon();
    this.#scrape--;
  }

  /** The series that are alive, for a successor with another configuration. */
  aliveRefs(): SeriesRef[] {
    const refs = new Set(this.#inherited);
    const { size, trackedAt, refs: all } = this.#cache;
    for (let i = 0; i < size; i++) {
      if (all[i] >= 0 && trackedAt[i] === this.#scrape && trackedAt[i] > 0) refs.add(all[i]);
    }
    return [...refs];
  }

  /** Appends the samples of a run of known lines; returns the entry of the last one. */
  #takeRun(count: number): number {
    const runs = this.#runs;
    const { counts } = this;
    const appender = this.#appender as MetricAppender;
    const last = runs.gather(count, this.#scrape, this.#lastGood);
    counts.scraped += count;
    counts.kept += runs.kept + runs.repeated;
    counts.duplicates += runs.repeated;
    counts.added += runs.added;
    const { sampleLimit } = this.#config;
    if (sampleLimit > 0 && counts.kept > sampleLimit) throw new SampleLimitError();
    if (runs.append(appender, this.#timeMs) > 0) {
      for (let i = 0; i < runs.kept; i++) this.#settle(i);
    }
    runs.track(this.#scrape);
    return last;
  }

  /** Sees to what became of a sample of a run. */
  #settle(index: number): void {
    const runs = this.#runs;
    const cache = this.#cache;
    if (runs.results[index] !== UNKNOWN_SERIES) {
      this.#count(runs.results[index] as AppendResult);
      return;
    }
    const entry = runs.entries[index];
    const ref = this.#resolve(decodeSeries(cache.arena, cache.starts[entry], cache.ends[entry]));
    if (ref === NO_SERIES) {
      runs.entries[index] = NOT_FOUND;
      return;
    }
    cache.refs[entry] = ref;
    this.#count((this.#appender as MetricAppender).append(ref, this.#timeMs, runs.values[index]));
  }

  /** Appends the parser's current sample; returns its cache entry, or NOT_FOUND. */
  #sample(parser: ExpositionReader, guess: number, kind: Entry): number {
    const cache = this.#cache;
    this.counts.scraped++;
    let entry = parser.guessed
      ? guess
      : cache.find(parser.bytes, parser.seriesStart, parser.seriesEnd);
    const known = entry !== NOT_FOUND;
    if (!known) {
      const ref = this.#resolve(parser.labels());
      if (ref === NO_SERIES) return NOT_FOUND;
      entry = cache.add(parser.bytes, parser.seriesStart, parser.seriesEnd, ref);
    }
    const ref = cache.refs[entry];
    const again = cache.seenAt[entry] === this.#scrape;
    if (ref !== DROPPED) {
      if (!known || (!again && cache.seenAt[entry] !== this.#lastGood)) this.counts.added++;
      this.#appendSample(parser, entry, again, kind);
    }
    cache.seenAt[entry] = this.#scrape;
    return entry;
  }

  #appendSample(parser: ExpositionReader, entry: number, again: boolean, kind: Entry): void {
    const { counts } = this;
    const cache = this.#cache;
    counts.kept++;
    const { sampleLimit } = this.#config;
    if (sampleLimit > 0 && counts.kept > sampleLimit) throw new SampleLimitError();
    const timed = parser.hasTimestamp && this.#config.honorTimestamps;
    if (again && !timed) {
      counts.duplicates++;
      return;
    }
    const timeMs = timed ? parser.timestampMs : this.#timeMs;
    const histogram = kind === ENTRY_HISTOGRAM ? this.#histogram(parser) : undefined;
    const startMs = this.#keepsStartTimes ? (parser.startTimeMs ?? 0) : 0;
    let result = this.#write(cache.refs[entry], timeMs, parser.value, histogram, startMs);
    if (result === UNKNOWN_SERIES) {
      const ref = this.#resolve(parser.labels());
      if (ref === NO_SERIES) return;
      cache.refs[entry] = ref;
      result = this.#write(ref, timeMs, parser.value, histogram, startMs);
    }
    this.#count(result);
    if (parser.hasExemplar) this.#appendExemplar(parser.exemplar(), cache.refs[entry], timeMs);
    if (histogram !== undefined) {
      for (const exemplar of parser.exemplars?.() ?? []) {
        this.#appendExemplar(exemplar, cache.refs[entry], timeMs);
      }
    }
    if (timed && !this.#config.trackTimestampsStaleness) return;
    if (cache.trackedAt[entry] !== this.#scrape) {
      cache.trackedBefore[entry] = cache.trackedAt[entry];
      cache.trackedAt[entry] = this.#scrape;
    }
  }

  #write(
    ref: SeriesRef,
    timeMs: number,
    value: number,
    histogram: FloatHistogram | undefined,
    startMs: number,
  ): AppendResult {
    const appender = this.#appender as MetricAppender;
    if (histogram === undefined) return appender.append(ref, timeMs, value, startMs);
    return appender.appendHistogram(ref, timeMs, histogram, startMs);
  }

  #histogram(parser: ExpositionReader): FloatHistogram | undefined {
    const { histogramBucketLimit, histogramMinBucketFactor } = this.#config;
    const histogram = parser.histogram?.();
    if (histogram === undefined) return undefined;
    const schemaMax = schemaOfFactor(histogramMinBucketFactor);
    return limitHistogram(histogram, histogramBucketLimit, schemaMax);
  }

  /** An exemplar without a time has that of its sample. What the store refuses is left out. */
  #appendExemplar(exemplar: Exemplar | undefined, ref: SeriesRef, timeMs: number): void {
    if (exemplar === undefined) return;
    const { labels, value, timestampMs = timeMs } = exemplar;
    let characters = 0;
    for (const text of labels.pairs) characters += text.length;
    if (characters > EXEMPLAR_LABEL_CHARACTERS_MAX) return;
    this.#appender?.appendExemplar(ref, { labels, value, timestampMs });
  }

  #count(result: AppendResult): void {
    if (result === APPENDED || result === REPEATED) return;
    if (result === OUT_OF_ORDER) this.counts.outOfOrder++;
    else if (result === DUPLICATE) this.counts.duplicates++;
    else if (result === OUT_OF_BOUNDS || result === TOO_OLD) this.counts.outOfBounds++;
    else if (result === SERIES_LIMIT) this.counts.seriesLimit++;
  }

  /** The store's reference for a series that is not cached; DROPPED, or NO_SERIES. */
  #resolve(written: Labels): SeriesRef {
    const labels = sampleLabels(written, this.#targetLabels, this.#config);
    if (labels === undefined) return DROPPED;
    const ref = (this.#appender as MetricAppender).series(labels);
    if (ref === NO_SERIES) this.counts.seriesLimit++;
    return ref;
  }

  /** Stale markers for series that the last scrape had and this one has not (or, `all`, all). */
  #endVanished(all: boolean): void {
    const { size, trackedAt, refs } = this.#cache;
    const gone = new Set(this.#inherited);
    for (let i = 0; i < size; i++) {
      if (trackedAt[i] === this.#scrape - 1 && refs[i] >= 0) gone.add(refs[i]);
    }
    if (gone.size === 0) return;
    // The same series may be there under other bytes, such as another order of its labels.
    for (let i = 0; i < size && !all; i++) {
      if (trackedAt[i] === this.#scrape) gone.delete(refs[i]);
    }
    // Results do not matter: a series that the store has forgotten is over anyway.
    for (const ref of gone) this.#appender?.appendStale(ref, this.#timeMs);
    if (all) this.#inherited = [];
  }

  #readMetadata(parser: ExpositionReader, entry: Entry): void {
    const name = parser.metadataName();
    const known = this.metadata.get(name);
    if (known === undefined && this.metadata.size >= METADATA_COUNT_MAX) return;
    const before = known ?? { type: 'unknown', help: '', unit: '' };
    if (entry === ENTRY_TYPE) this.metadata.set(name, { ...before, type: parser.metadataType() });
    if (entry === ENTRY_HELP) this.metadata.set(name, { ...before, help: parser.metadataText() });
    if (entry === ENTRY_UNIT) this.metadata.set(name, { ...before, unit: parser.metadataText() });
  }
}

function createReader(
  format: ScrapeFormat,
  { histograms }: ScrapeConfig,
  keepsStartTimes: boolean,
): ExpositionReader {
  if (format === 'protobuf') return new FamilyParser(histograms);
  const reader = histograms.convertsClassic
    ? new ClassicConverter(format, histograms.keepsClassic)
    : new ExpositionParser(format);
  return format === 'openmetrics' && keepsStartTimes ? new CreatedReader(reader) : reader;
}

function newCounts(): AppendCounts {
  return {
    scraped: 0,
    kept: 0,
    added: 0,
    outOfOrder: 0,
    duplicates: 0,
    outOfBounds: 0,
    seriesLimit: 0,
  };
}

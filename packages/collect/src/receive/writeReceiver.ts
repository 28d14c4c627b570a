/**
 * Receives remote write, 1.0 and 2.0. A request is read in columns (`WriteRequestReader`), its
 * series are found by the hash of their labels, and their samples go into the store in runs. Labels
 * are decoded only where a series is not known; histograms, exemplars and metadata as they come.
 *
 * What is refused (too old, out of order, invalid) falls out, the rest is kept, and the answer says
 * so. A request that is malformed is refused as a whole. One appender and one commit a request.
 */
import { type Clock, TytoError } from '@tyto/base';
import {
  FLAG_CONTINUED,
  FLAG_EXTRAS,
  FLAG_METADATA,
  FLAG_UNORDERED,
  RECORD_END,
  RECORD_FIRST_SAMPLE,
  RECORD_FLAGS,
  RECORD_LABELS_END,
  RECORD_LABELS_START,
  RECORD_SAMPLE_COUNT,
  RECORD_START,
  RECORD_WORDS,
  WriteRequestReader,
  type WriteVersion,
} from '@tyto/kernels';
import {
  APPENDED,
  type AppendResult,
  EXEMPLAR_LABEL_CHARACTERS_MAX,
  type Exemplar,
  type Labels,
  type MetricAppender,
  type MetricMetadata,
  NO_SERIES,
  OUT_OF_BOUNDS,
  OUT_OF_ORDER,
  REPEATED,
  type SeriesRef,
  UNKNOWN_SERIES,
} from '@tyto/model';
import {
  decodeFamilyMetadata,
  decodeLabelPairs,
  decodeSeriesExtras,
  type HistogramSample,
  labelsOfPairs,
  type SymbolLookup,
  TextCache,
} from '@tyto/wire';
import {
  METADATA_COUNT_MAX,
  RECEIVED_AHEAD_MS_MAX,
  RECEIVED_SERIES_MAX,
  WRITE_BODY_BYTES_MAX,
} from '../limits.ts';
import { reasonOf, type RefusalReason, Refusals } from './refusals.ts';
import { SentStartTimes } from './sentStartTimes.ts';
import { NOT_KNOWN, SeriesHashTable } from './seriesHashTable.ts';

/** Metadata hardly ever changes: that of known series is read every so many requests. */
const METADATA_EVERY = 100;
/** Series that came in none of two such spans are forgotten when their table is full. */
const EPOCH_MS = 10 * 60_000;
/** Families of these types have series with suffixes. */
const SUFFIXED_TYPES = new Set(['histogram', 'gaugehistogram', 'summary']);

export interface WriteReceiverOptions {
  readonly store: { appender(): MetricAppender };
  readonly clock: Clock;
  /** 16 random bytes that nobody else knows. */
  readonly key: Uint8Array;
  /** Largest decompressed request. */
  readonly bodyBytesMax?: number;
  /** Whether start times, which 2.0 has, are stored with the samples: `st-storage`. */
  readonly keepsStartTimes?: boolean;
}

export interface WriteOutcome {
  /** How many of each were written; what was there already counts. */
  readonly samples: number;
  readonly histograms: number;
  readonly exemplars: number;
  /** Why some were refused, for a person; undefined when none were. */
  readonly refused: string | undefined;
}

/** Totals since the start. */
export interface ReceivedTotals {
  requests: number;
  samples: number;
  histograms: number;
  exemplars: number;
  readonly refused: Record<RefusalReason, number>;
}

export class WriteReceiver {
  readonly totals: ReceivedTotals = {
    requests: 0,
    samples: 0,
    histograms: 0,
    exemplars: 0,
    refused: {
      out_of_order: 0,
      duplicate: 0,
      out_of_bounds: 0,
      too_old: 0,
      series_limit: 0,
      invalid_labels: 0,
      invalid_histogram: 0,
    },
  };
  /** What senders say of metric families. */
  readonly metadata = new Map<string, MetricMetadata>();
  readonly #options: WriteReceiverOptions;
  readonly #reader: WriteRequestReader;
  /** The versions write labels in different ways, so each has hashes of its own. */
  readonly #tables = {
    1: new SeriesHashTable(RECEIVED_SERIES_MAX),
    2: new SeriesHashTable(RECEIVED_SERIES_MAX),
  };

  readonly #texts = new TextCache();
  #epochMs: number;

  constructor(options: WriteReceiverOptions) {
    this.#epochMs = options.clock.nowMs();
    this.#options = options;
    this.#reader = new WriteRequestReader(options.key);
  }

  /** Series that are found without decoding their labels. */
  get knownSeries(): number {
    return this.#tables[1].size + this.#tables[2].size;
  }

  /**
   * Stores a request; its body in pieces, as it came. Resolves when what it keeps is durable.
   * Rejects with TytoError: `bad_data` or `too_large` for the request, others for the store.
   */
  async receive(pieces: readonly Uint8Array[], version: WriteVersion): Promise<WriteOutcome> {
    const { store, clock, bodyBytesMax = WRITE_BODY_BYTES_MAX, keepsStartTimes } = this.#options;
    const reader = this.#reader;
    this.totals.requests++;
    this.#beginEpoch();
    const appender = store.appender();
    const batch = new Batch({
      reader,
      version,
      appender,
      table: this.#tables[version],
      metadata: this.metadata,
      texts: this.#texts,
      readsMetadata: this.totals.requests % METADATA_EVERY === 1,
      aheadMsMax: clock.nowMs() + RECEIVED_AHEAD_MS_MAX,
      keepsStartTimes: keepsStartTimes === true && version === 2,
    });
    try {
      reader.open(pieces, version, bodyBytesMax);
      for (let count = reader.next(); count > 0; count = reader.next()) batch.append(count);
    } catch (error) {
      appender.rollback();
      throw error;
    } finally {
      reader.close();
    }
    await appender.commit();
    return this.#account(batch);
  }

  #beginEpoch(): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#epochMs < EPOCH_MS) return;
    this.#epochMs = nowMs;
    this.#tables[1].beginEpoch();
    this.#tables[2].beginEpoch();
  }

  #account({ samples, histograms, exemplars, refusals }: Batch): WriteOutcome {
    this.totals.samples += samples;
    this.totals.histograms += histograms;
    this.totals.exemplars += exemplars;
    for (const [reason, count] of refusals.counts) this.totals.refused[reason] += count;
    const refused = refusals.isEmpty ? undefined : refusals.message();
    return { samples, histograms, exemplars, refused };
  }
}

interface BatchContext {
  readonly reader: WriteRequestReader;
  readonly version: WriteVersion;
  readonly appender: MetricAppender;
  readonly table: SeriesHashTable;
  readonly metadata: Map<string, MetricMetadata>;
  readonly texts: TextCache;
  /** Whether the metadata of known series is read as well. */
  readonly readsMetadata: boolean;
  readonly aheadMsMax: number;
  readonly keepsStartTimes: boolean;
}

/** One request on its way into an appender. */
class Batch {
  samples = 0;
  histograms = 0;
  exemplars = 0;
  readonly refusals = new Refusals();
  readonly #context: BatchContext;
  readonly #texts: (string | undefined)[] = [];
  readonly #symbols: SymbolLookup | undefined;
  readonly #startTimes: SentStartTimes;

  constructor(context: BatchContext) {
    this.#context = context;
    this.#startTimes = new SentStartTimes(context.reader);
    this.#symbols = context.version === 1 ? undefined : (reference) => this.#symbolText(reference);
  }

  /** Appends the records that the reader has now. */
  append(count: number): void {
    const { reader, table, version, readsMetadata } = this.#context;
    const { records } = reader;
    for (let i = 0; i < count; i++) {
      const at = i * RECORD_WORDS;
      const flags = records[at + RECORD_FLAGS];
      if (version === 1 && (flags & FLAG_METADATA) !== 0) {
        this.#addFamily(at);
        continue;
      }
      let ref = table.find(records, at);
      const isKnown = ref !== NOT_KNOWN;
      if (!isKnown) ref = this.#resolve(at);
      if (this.#context.keepsStartTimes) this.#startTimes.moveTo(at);
      if (ref === NO_SERIES) continue;
      ref = this.#appendSamples(at, ref, flags);
      const isRare = (flags & FLAG_EXTRAS) !== 0;
      const isTold = (flags & FLAG_METADATA) !== 0 && (!isKnown || readsMetadata);
      if (isRare || isTold) this.#appendExtras(at, ref);
    }
  }

  /** Appends a record's samples; gives the reference, which may have been renewed. */
  #appendSamples(at: number, known: SeriesRef, flags: number): SeriesRef {
    const { reader, aheadMsMax } = this.#context;
    const { records, timestamps } = reader;
    const first = records[at + RECORD_FIRST_SAMPLE];
    const count = records[at + RECORD_SAMPLE_COUNT];
    if (count === 0) return known;
    const end = first + count;
    const isPlain = (flags & FLAG_UNORDERED) === 0 && timestamps[end - 1] <= aheadMsMax;
    let ref = known;
    let isRenewed = false;
    for (let i = first; i < end; i++) {
      // One by one until a sample is taken: those behind it are younger, so all of them will be,
      // and the count of what was written is exact.
      const result = timestamps[i] > aheadMsMax ? OUT_OF_BOUNDS : this.#appendRun(ref, i, 1);
      if (result === UNKNOWN_SERIES && !isRenewed) {
        isRenewed = true;
        ref = this.#resolve(at);
        if (ref === NO_SERIES) return ref;
        i--;
        continue;
      }
      if (result !== APPENDED) {
        this.#note(result, 1, at, timestamps[i]);
        continue;
      }
      this.samples++;
      if (!isPlain || i + 1 === end) continue;
      const rest = end - i - 1;
      this.#note(this.#appendRun(ref, i + 1, rest), rest, at, timestamps[i + 1]);
      break;
    }
    return ref;
  }

  #appendRun(ref: SeriesRef, from: number, count: number): AppendResult {
    const { appender, reader } = this.#context;
    if (this.#startTimes.isAnyKnown) return this.#startTimes.append(appender, ref, from, count);
    return appender.appendRun(ref, reader.timestamps, reader.values, from, count);
  }

  /** Counts samples by what the store said of them. */
  #note(result: AppendResult, count: number, at: number, timestampMs: number): void {
    if (result === APPENDED || result === REPEATED) {
      this.samples += count;
      return;
    }
    this.#refuse(result, count, at, timestampMs);
  }

  #refuse(result: AppendResult, count: number, at: number, timestampMs: number): void {
    const reason = reasonOf(result);
    if (reason === undefined) throw new TytoError('internal', `the store answered ${result}`);
    const isAhead = timestampMs > this.#context.aheadMsMax;
    const more = isAhead ? ': timestamp is too far in the future' : '';
    this.refusals.add(reason, count, (words) => `${words}${more} for series ${this.#shown(at)}`);
  }

  /** The store's reference for a series that is not known, or NO_SERIES when it is refused. */
  #resolve(at: number): SeriesRef {
    const { reader, appender, table } = this.#context;
    const { records } = reader;
    const flags = records[at + RECORD_FLAGS];
    const count = records[at + RECORD_SAMPLE_COUNT];
    if (count === 0 && (flags & (FLAG_EXTRAS | FLAG_CONTINUED)) === 0) return NO_SERIES;
    let labels: Labels;
    let ref: SeriesRef;
    try {
      labels = this.#labels(at);
      ref = appender.series(labels);
    } catch (error) {
      if (!(error instanceof TytoError) || error.kind !== 'bad_data') throw error;
      this.refusals.add('invalid_labels', count, () => error.message);
      return NO_SERIES;
    }
    if (ref === NO_SERIES) {
      this.refusals.add('series_limit', count, (words) => `${words}, such as ${labels}`);
      return NO_SERIES;
    }
    table.set(records, at, ref);
    return ref;
  }

  /** Throws TytoError `bad_data`, in Prometheus' words, for labels that no series may have. */
  #labels(at: number): Labels {
    const pairs = this.#pairs(at);
    let labels: Labels;
    try {
      labels = labelsOfPairs(pairs);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const shown = shownPairs(pairs);
      throw new TytoError('bad_data', `invalid labels for series, labels ${shown}, ${what}`);
    }
    if (labels.metricName === '') {
      throw new TytoError('bad_data', `invalid metric name or labels, got ${shownPairs(pairs)}`);
    }
    return labels;
  }

  #pairs(at: number): string[] {
    const { body, records } = this.#context.reader;
    const start = records[at + RECORD_LABELS_START];
    const end = records[at + RECORD_LABELS_END];
    return decodeLabelPairs(body, start, end, this.#symbols, this.#context.texts);
  }

  #shown(at: number): string {
    return shownPairs(this.#pairs(at));
  }

  #symbolText(reference: number): string {
    const { body, symbols, symbolCount } = this.#context.reader;
    if (reference >= symbolCount) {
      throw new TytoError('bad_data', `a reference to the symbol ${reference}, which is not there`);
    }
    let text = this.#texts[reference];
    if (text === undefined) {
      const start = symbols[reference * SYMBOL_WORDS];
      text = this.#context.texts.decode(body, start, symbols[reference * SYMBOL_WORDS + 1]);
      this.#texts[reference] = text;
    }
    return text;
  }

  #appendExtras(at: number, known: SeriesRef): void {
    const { records, body } = this.#context.reader;
    const start = records[at + RECORD_START];
    const extras = decodeSeriesExtras(body, start, records[at + RECORD_END], this.#symbols);
    for (const { message } of extras.badHistograms) {
      const describe = () => `${message} for series ${this.#shown(at)}`;
      this.refusals.add('invalid_histogram', 1, describe);
    }
    let ref = known;
    for (const sample of extras.histograms) ref = this.#appendHistogram(at, ref, sample);
    for (const exemplar of extras.exemplars) this.#appendExemplar(at, ref, exemplar);
    if (extras.metadata !== undefined) this.#addSeriesMetadata(at, extras.metadata);
  }

  #appendHistogram(at: number, known: SeriesRef, sample: HistogramSample): SeriesRef {
    const { appender, aheadMsMax, keepsStartTimes } = this.#context;
    const { timestampMs, histogram } = sample;
    const startTimeMs = keepsStartTimes ? sample.startTimeMs : 0;
    const append = (ref: SeriesRef): AppendResult => {
      if (timestampMs > aheadMsMax) return OUT_OF_BOUNDS;
      if (histogram === undefined) return appender.appendStale(ref, timestampMs);
      return appender.appendHistogram(ref, timestampMs, histogram, startTimeMs);
    };
    let ref = known;
    let result = append(ref);
    if (result === UNKNOWN_SERIES) {
      ref = this.#resolve(at);
      if (ref === NO_SERIES) return known;
      result = append(ref);
    }
    if (result === APPENDED || result === REPEATED) this.histograms++;
    else this.#refuse(result, 1, at, timestampMs);
    return ref;
  }

  /** As in Prometheus, only 2.0 tells its sender of exemplars, and only of those out of order. */
  #appendExemplar(at: number, ref: SeriesRef, exemplar: Exemplar): void {
    const { appender, aheadMsMax, version } = this.#context;
    if (charactersOf(exemplar.labels) > EXEMPLAR_LABEL_CHARACTERS_MAX) return;
    if (exemplar.timestampMs > aheadMsMax) return;
    const result = appender.appendExemplar(ref, exemplar);
    if (result === APPENDED || result === REPEATED) this.exemplars++;
    else if (result === OUT_OF_ORDER && version === 2) {
      this.refusals.addOther(`out of order exemplar for series ${this.#shown(at)}`);
    }
  }

  #addFamily(at: number): void {
    const { records, body } = this.#context.reader;
    const start = records[at + RECORD_START];
    const { family, ...metadata } = decodeFamilyMetadata(body, start, records[at + RECORD_END]);
    this.#addMetadata(family, metadata);
  }

  #addSeriesMetadata(at: number, metadata: MetricMetadata): void {
    const pairs = this.#pairs(at);
    const name = pairs[pairs.indexOf('__name__') + 1] ?? '';
    const isSuffixed = SUFFIXED_TYPES.has(metadata.type);
    this.#addMetadata(isSuffixed ? name.replace(/_(?:bucket|count|sum)$/, '') : name, metadata);
  }

  #addMetadata(family: string, metadata: MetricMetadata): void {
    const known = this.#context.metadata;
    if (family === '' || (known.size >= METADATA_COUNT_MAX && !known.has(family))) return;
    known.set(family, metadata);
  }
}

/** Words of a symbol in the reader's table; the first two are its start and end. */
const SYMBOL_WORDS = 6;

/** As Prometheus prints labels, also those that are no valid set. */
function shownPairs(pairs: readonly string[]): string {
  const shown: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    shown.push(`${pairs[i]}=${JSON.stringify(pairs[i + 1])}`);
  }
  const text = shown.join(', ');
  return `{${text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)} …` : text}}`;
}

const SHOWN_LENGTH_MAX = 1000;

function charactersOf(labels: Labels): number {
  let count = 0;
  for (const text of labels.pairs) count += [...text].length;
  return count;
}

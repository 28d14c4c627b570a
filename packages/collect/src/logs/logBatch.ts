/**
 * The entries of one request as they are decoded, judged one by one: what is too long, too old or
 * has too many labels is left out and told, the rest is what will be stored.
 */
import { type Clock, errorMessage, TytoError } from '@tyto/base';
import { Labels, type LogEntry, type LogStreamEntries } from '@tyto/model';
import { type LogVisitor, parseStreamLabels, utf8Bytes } from '@tyto/wire';
import { LEVEL_LABEL, levelOfLabels, levelOfLine, levelOfSeverity } from './level.ts';
import type { LogLimits } from './logLimits.ts';

/** Why entries were left out: the word of Loki's metrics, and what the sender is told. */
export interface LogRefusal {
  readonly reason: string;
  readonly message: string;
  readonly status: number;
}

export interface BatchStream extends LogStreamEntries {
  readonly entries: LogEntry[];
  /** Of lines and metadata, in UTF-8. */
  bytes: number;
}

/** A stream as its sender names it, judged once. */
interface KnownStream {
  readonly labels: Labels;
  readonly text: string;
  readonly level: string | undefined;
  readonly refusal: LogRefusal | undefined;
}

/** What streams were lately judged to be; forgotten as a whole once there are too many. */
export class KnownStreams {
  readonly #known = new Map<string, KnownStream>();

  get(key: string, judge: () => KnownStream): KnownStream {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const judged = judge();
    if (key.length > KNOWN_LENGTH_MAX) return judged;
    if (this.#known.size >= KNOWN_STREAMS_MAX) this.#known.clear();
    this.#known.set(key, judged);
    return judged;
  }
}

const KNOWN_STREAMS_MAX = 20_000;
const KNOWN_LENGTH_MAX = 4096;
const NS_PER_MS = 1_000_000n;
/** Different complaints that a sender is told. */
const MESSAGES_MAX = 10;
const SERVICE_NAME = 'service_name';
const UNKNOWN_SERVICE = 'unknown_service';
/** Streams that Loki makes of others. */
const DERIVED = ['__aggregated_metric__', '__pattern__'];

export class LogBatch implements LogVisitor {
  streams: BatchStream[] = [];
  readonly refusals = new Map<string, LogRefusal>();
  readonly discarded = new Map<string, { lines: number; bytes: number }>();
  lines = 0;
  bytes = 0;
  metadataBytes = 0;
  /** Streams that were told, whether they were good or not. */
  named = 0;
  /** Why the last entry was left out; undefined where it was not. */
  lastRefusal: LogRefusal | undefined;
  /** Whether complaints were left out. */
  hasMore = false;
  readonly #limits: LogLimits;
  readonly #known: KnownStreams;
  readonly #oldestNs: bigint;
  readonly #newestNs: bigint;
  #stream: KnownStream | undefined;
  #target: BatchStream | undefined;
  /** The last metadata, what became of it, and its bytes. */
  #given = Labels.empty;
  #level = '';
  #metadata = Labels.empty;
  #givenBytes = 0;
  #givenRefusal: LogRefusal | undefined;

  constructor(limits: LogLimits, known: KnownStreams, clock: Clock) {
    this.#limits = limits;
    this.#known = known;
    const nowMs = clock.nowMs();
    const oldestMs = limits.rejectsOldSamples ? nowMs - limits.sampleAgeMsMax : OLDEST_MS;
    this.#oldestNs = BigInt(Math.floor(oldestMs)) * NS_PER_MS;
    this.#newestNs = BigInt(Math.floor(nowMs + limits.aheadMsMax)) * NS_PER_MS;
  }

  streamText(text: string): void {
    this.#open(this.#known.get(text, () => this.#judgeText(text)));
  }

  stream(labels: Labels): void {
    this.#open(this.#known.get(`\0${labels.key}`, () => this.#judge(labels)));
  }

  entry(timestampNs: bigint, line: string, lineBytes: number, metadata: Labels): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#measure(metadata, stream);
    const refusal =
      stream.refusal ?? this.#entryRefusal(timestampNs, lineBytes, stream) ?? this.#givenRefusal;
    this.lastRefusal = refusal;
    if (refusal !== undefined) {
      this.#refuse(refusal, lineBytes + this.#givenBytes);
      return;
    }
    const isCut = lineBytes > this.#limits.lineBytesMax && this.#limits.lineBytesMax > 0;
    const kept = isCut ? cutLine(line, this.#limits.lineBytesMax) : line;
    const keptBytes = isCut ? utf8Bytes(kept) : lineBytes;
    const target = this.#targetOf(stream);
    target.entries.push({
      timestampNs,
      line: kept,
      metadata: this.#limits.discoversLevels ? this.#levelled(metadata, kept, stream) : metadata,
    });
    target.bytes += keptBytes + this.#givenBytes;
    this.lines++;
    this.bytes += keptBytes + this.#givenBytes;
    this.metadataBytes += this.#givenBytes;
  }

  /** Takes back streams that were judged good: all of what is refused is left out. */
  refuseStreams(judge: (stream: BatchStream) => LogRefusal | undefined): void {
    this.streams = this.streams.filter((stream) => {
      const refusal = judge(stream);
      if (refusal === undefined) return true;
      this.#tell(refusal);
      const { entries } = stream;
      this.#discard(refusal.reason, entries.length, stream.bytes);
      this.lines -= entries.length;
      this.bytes -= stream.bytes;
      return false;
    });
  }

  #open(stream: KnownStream): void {
    this.named++;
    this.#stream = stream;
    this.#target = undefined;
    if (stream.refusal !== undefined) this.#tell(stream.refusal);
  }

  #targetOf({ labels }: KnownStream): BatchStream {
    if (this.#target === undefined) {
      this.#target = { labels, entries: [], bytes: 0 };
      this.streams.push(this.#target);
    }
    return this.#target;
  }

  #judgeText(text: string): KnownStream {
    try {
      return this.#judge(parseStreamLabels(text));
    } catch (error) {
      if (!(error instanceof TytoError)) throw error;
      const message = `Error parsing labels '${shown(text)}' with error: ${errorMessage(error)}`;
      return {
        labels: Labels.empty,
        text,
        level: undefined,
        refusal: bad('invalid_labels', message),
      };
    }
  }

  #judge(given: Labels): KnownStream {
    const text = shown(labelsText(given));
    const refusal = labelsRefusal(given, text, this.#limits);
    const labels = refusal === undefined ? this.#withService(given) : given;
    return { labels, text, level: levelOfLabels(labels), refusal };
  }

  #withService(labels: Labels): Labels {
    const names = this.#limits.serviceNameLabels;
    if (names.length === 0 || labels.has(SERVICE_NAME)) return labels;
    if (DERIVED.some((name) => labels.has(name))) return labels;
    const name = names.find((candidate) => labels.has(candidate));
    return labels.with(SERVICE_NAME, name === undefined ? UNKNOWN_SERVICE : labels.get(name));
  }

  #entryRefusal(timestampNs: bigint, bytes: number, stream: KnownStream): LogRefusal | undefined {
    if (timestampNs < this.#oldestNs) {
      const oldest = timeText(this.#oldestNs);
      const what = `has timestamp too old: ${timeText(timestampNs)}`;
      return bad(
        'greater_than_max_sample_age',
        `entry for stream '${stream.text}' ${what}, oldest acceptable timestamp is: ${oldest}`,
      );
    }
    if (timestampNs > this.#newestNs) {
      const what = `has timestamp too new: ${timeText(timestampNs)}`;
      return bad('too_far_in_future', `entry for stream '${stream.text}' ${what}`);
    }
    const { lineBytesMax, truncatesLines } = this.#limits;
    if (lineBytesMax <= 0 || bytes <= lineBytesMax || truncatesLines) return undefined;
    return bad(
      'line_too_long',
      `Max entry size '${lineBytesMax}' bytes exceeded for stream '${stream.text}' while ` +
        `adding an entry with length '${bytes}' bytes`,
    );
  }

  /** Bytes of the metadata and what is wrong with it; told again only where it is another. */
  #measure(metadata: Labels, stream: KnownStream): void {
    if (metadata === this.#given && this.#givenRefusal === undefined) return;
    const { pairs } = metadata;
    let bytes = 0;
    for (let i = 0; i < pairs.length; i++) bytes += utf8Bytes(pairs[i]);
    this.#given = metadata;
    this.#givenBytes = bytes;
    this.#level = '';
    this.#givenRefusal = metadataRefusal(metadata.size, bytes, stream.text, this.#limits);
  }

  #levelled(metadata: Labels, line: string, stream: KnownStream): Labels {
    const level = levelOfEntry(metadata, line, stream.level);
    if (metadata.pairs.length === 0) return onlyLevel(level);
    if (level === this.#level) return this.#metadata;
    this.#level = level;
    this.#metadata = withLevel(metadata, level);
    return this.#metadata;
  }

  #refuse(refusal: LogRefusal, bytes: number): void {
    this.#tell(refusal);
    this.#discard(refusal.reason, 1, bytes);
  }

  #tell(refusal: LogRefusal): void {
    if (this.refusals.size >= MESSAGES_MAX && !this.refusals.has(refusal.message)) {
      this.hasMore = true;
      return;
    }
    this.refusals.set(refusal.message, refusal);
  }

  #discard(reason: string, lines: number, bytes: number): void {
    const discarded = this.discarded.get(reason) ?? { lines: 0, bytes: 0 };
    discarded.lines += lines;
    discarded.bytes += bytes;
    this.discarded.set(reason, discarded);
  }
}

const OLDEST_MS = -8.64e15;

function levelOfEntry(metadata: Labels, line: string, ofStream: string | undefined): string {
  if (metadata.pairs.length > 0) {
    const given = metadata.get(LEVEL_LABEL);
    if (given !== '') return given;
    const level = ofStream ?? levelOfLabels(metadata);
    if (level !== undefined) return level;
    const number = metadata.get('severity_number');
    if (number !== '') return levelOfSeverity(Number(number));
  } else if (ofStream !== undefined) return ofStream;
  return levelOfLine(line);
}

/** Levels are few: entries without other metadata share theirs. */
const levels = new Map<string, Labels>();
const LEVELS_MAX = 1000;

function onlyLevel(level: string): Labels {
  const known = levels.get(level);
  if (known !== undefined) return known;
  if (levels.size >= LEVELS_MAX) levels.clear();
  const labels = Labels.of({ [LEVEL_LABEL]: level });
  levels.set(level, labels);
  return labels;
}

function withLevel(metadata: Labels, level: string): Labels {
  const { pairs } = metadata;
  let at = 0;
  while (at < pairs.length && pairs[at] < LEVEL_LABEL) at += 2;
  if (pairs[at] === LEVEL_LABEL) return metadata;
  return Labels.fromSorted([...pairs.slice(0, at), LEVEL_LABEL, level, ...pairs.slice(at)]);
}

function labelsRefusal(labels: Labels, text: string, limits: LogLimits): LogRefusal | undefined {
  if (labels.size === 0) {
    return bad('missing_labels', 'error at least one label pair is required per stream');
  }
  if (labels.size > limits.labelCountMax) {
    return bad(
      'max_label_names_per_series',
      `entry for stream '${text}' has ${labels.size} label names; limit ${limits.labelCountMax}`,
    );
  }
  for (const [name, value] of labels.entries()) {
    if (name === '') return bad('invalid_labels', `stream '${text}' has a label without a name`);
    if (name.length > limits.labelNameLengthMax) {
      const message = `stream '${text}' has label name too long: '${shown(name)}'`;
      return bad('label_name_too_long', message);
    }
    if (value.length > limits.labelValueLengthMax) {
      const message = `stream '${text}' has label value too long: '${shown(value)}'`;
      return bad('label_value_too_long', message);
    }
  }
  return undefined;
}

function metadataRefusal(
  count: number,
  bytes: number,
  text: string,
  limits: LogLimits,
): LogRefusal | undefined {
  if (count === 0) return undefined;
  if (!limits.allowsMetadata) {
    return bad(
      'disallowed_structured_metadata',
      `stream '${text}' includes structured metadata, but this feature is disallowed; see ` +
        '`limits_config.allow_structured_metadata`',
    );
  }
  if (limits.metadataBytesMax > 0 && bytes > limits.metadataBytesMax) {
    return bad(
      'structured_metadata_too_large',
      `stream '${text}' has structured metadata too large: '${bytes}' bytes, limit: ` +
        `'${limits.metadataBytesMax}' bytes; see \`limits_config.max_structured_metadata_size\``,
    );
  }
  if (limits.metadataCountMax > 0 && count > limits.metadataCountMax) {
    return bad(
      'structured_metadata_too_many',
      `stream '${text}' has too many structured metadata labels: '${count}', limit: ` +
        `'${limits.metadataCountMax}'; see \`limits_config.max_structured_metadata_entries_count\``,
    );
  }
  return undefined;
}

/** At most so many bytes of it, without cutting a character. */
function cutLine(line: string, bytesMax: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of line) {
    bytes += utf8Bytes(character);
    if (bytes > bytesMax) break;
    end += character.length;
  }
  return line.slice(0, end);
}

function bad(reason: string, message: string): LogRefusal {
  return { reason, message, status: 400 };
}

/** Labels as Loki writes them: `{app="shop", env="prod"}`. */
export function labelsText(labels: Labels): string {
  const parts = [...labels.entries()].map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${parts.join(', ')}}`;
}

const SHOWN_LENGTH_MAX = 2048;

function shown(text: string): string {
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}

/** RFC 3339 as far as a date can be; beyond that the number. */
function timeText(timestampNs: bigint): string {
  const ms = Number(timestampNs / NS_PER_MS);
  if (Math.abs(ms) > -OLDEST_MS) return String(timestampNs);
  return new Date(ms).toISOString().replace(/\.000Z$/, 'Z');
}

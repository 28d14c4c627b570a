/**
 * The start times that remote write 2.0 sends with samples. The kernel leaves them out of its
 * columns, so they are read from the messages, and such samples are appended one by one. A series
 * may come in several records, which go through its samples in their order.
 */
import {
  FLAG_CONTINUED,
  RECORD_END,
  RECORD_FIRST_SAMPLE,
  RECORD_FLAGS,
  RECORD_SAMPLE_COUNT,
  RECORD_START,
  type WriteRequestReader,
} from '@tyto/kernels';
import {
  APPENDED,
  type AppendResult,
  bitsOf,
  isStaleBits,
  type MetricAppender,
  type SeriesRef,
} from '@tyto/model';
import { decodeStartTimes } from '@tyto/wire';

export class SentStartTimes {
  readonly #reader: WriteRequestReader;
  /** Of the current series; null where it has none. */
  #startTimes: readonly number[] | null = null;
  /** Which of them belongs to the reader's sample 0; the series' other records came before. */
  #offset = 0;
  /** How many samples the series' records had so far, this one included. */
  #seen = 0;

  constructor(reader: WriteRequestReader) {
    this.#reader = reader;
  }

  /** Whether a sample of the current series has a start time. */
  get isAnyKnown(): boolean {
    return this.#startTimes !== null;
  }

  /** Goes to the record at `at`; records come in their order. Throws TytoError `bad_data`. */
  moveTo(at: number): void {
    const { records, body } = this.#reader;
    if ((records[at + RECORD_FLAGS] & FLAG_CONTINUED) === 0) {
      this.#startTimes = decodeStartTimes(
        body,
        records[at + RECORD_START],
        records[at + RECORD_END],
      );
      this.#seen = 0;
    }
    this.#offset = this.#seen - records[at + RECORD_FIRST_SAMPLE];
    this.#seen += records[at + RECORD_SAMPLE_COUNT];
  }

  /** As a MetricAppender's `appendRun`, with the start times. */
  append(appender: MetricAppender, ref: SeriesRef, from: number, count: number): AppendResult {
    const { timestamps, values } = this.#reader;
    const bits = bitsOf(values);
    let answer: AppendResult = APPENDED;
    for (let i = from; i < from + count; i++) {
      const startTimeMs = this.#startTimes?.[this.#offset + i] ?? 0;
      const result = isStaleBits(bits, i)
        ? appender.appendStale(ref, timestamps[i])
        : appender.append(ref, timestamps[i], values[i], startTimeMs);
      if (answer === APPENDED) answer = result;
    }
    return answer;
  }
}

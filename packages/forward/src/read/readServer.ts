/** Answers remote read out of a store. */
import { TytoError } from '@tyto/base';
import { decodeSnappy, encodeSnappy } from '@tyto/kernels';
import {
  createMatcher,
  Labels,
  type Matcher,
  METRIC_NAME,
  type MetricQuerier,
  SampleColumns,
  type SeriesSelection,
} from '@tyto/model';
import { comparePairs, type EncodedChunk, encodeChunks, orderedPairs } from '@tyto/promblock';
import { ProtobufWriter } from '@tyto/wire';
import { READ_FRAME_BYTES_MAX, READ_REQUEST_BYTES_MAX } from '../limits.ts';
import {
  CHUNKS_TYPE,
  decodeReadRequest,
  encodeFrame,
  type ReadQuery,
  SAMPLES_TYPE,
  writeReadSeries,
} from './messages.ts';

export interface ReadServerOptions {
  readonly store: MetricQuerier;
  /** The most samples of an answer that is held as a whole. */
  readonly sampleLimit: number;
  externalLabels(): Labels;
}

export type ReadAnswer =
  | { readonly type: 'samples'; readonly body: Uint8Array }
  | { readonly type: 'chunks'; readonly frames: AsyncIterable<Uint8Array> };

/** Series after which other work gets its turn. */
const TURN_SERIES = 100;

export class ReadServer {
  readonly #options: ReadServerOptions;

  constructor(options: ReadServerOptions) {
    this.#options = options;
  }

  /** Takes a request as it comes. Rejects with TytoError. */
  async answer(request: Uint8Array, signal: AbortSignal): Promise<ReadAnswer> {
    const { queries, answerTypes } = decodeReadRequest(
      decodeSnappy(request, READ_REQUEST_BYTES_MAX),
    );
    const wanted = answerTypes.length === 0 ? [SAMPLES_TYPE] : answerTypes;
    const type = wanted.find((known) => known === SAMPLES_TYPE || known === CHUNKS_TYPE);
    if (type === undefined) {
      throw new TytoError(
        'bad_data',
        `server does not support any of the requested response types: ${wanted.join(', ')}`,
      );
    }
    const selections = await Promise.all(queries.map((query) => this.#select(query, signal)));
    if (type === CHUNKS_TYPE) return { type: 'chunks', frames: this.#frames(selections, signal) };
    return { type: 'samples', body: await this.#samples(selections, signal) };
  }

  async #select(query: ReadQuery, signal: AbortSignal): Promise<SeriesSelection> {
    const external = this.#options.externalLabels();
    const matchers = query.matchers.map((matcher) => withoutExternal(matcher, external));
    // What asks for external labels only asks for everything.
    if (matchers.every((matcher) => matcher.matches(''))) {
      matchers.push(createMatcher('!=', METRIC_NAME, ''));
    }
    const { minTimeMs, maxTimeMs } = query;
    return await this.#options.store.select({ matchers, minTimeMs, maxTimeMs, signal });
  }

  async #samples(selections: readonly SeriesSelection[], signal: AbortSignal): Promise<Uint8Array> {
    const writer = new ProtobufWriter(64 * 1024);
    let samples = 0;
    for (const selection of selections) {
      const result = writer.begin(1);
      for await (const { labels, columns } of this.#series(selection, signal)) {
        samples += columns.length;
        if (samples > this.#options.sampleLimit) {
          throw new TytoError(
            'bad_data',
            `exceeded sample limit (${this.#options.sampleLimit}); ask for STREAMED_XOR_CHUNKS`,
          );
        }
        writeReadSeries(writer, labels, columns);
      }
      writer.end(result);
    }
    return encodeSnappy(writer.finish());
  }

  async *#frames(
    selections: readonly SeriesSelection[],
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    for (const [index, selection] of selections.entries()) {
      for await (const { labels, columns } of this.#series(selection, signal)) {
        let chunks: EncodedChunk[] = [];
        let bytes = 0;
        for (const chunk of encodeChunks(columns)) {
          if (bytes + chunk.data.length > READ_FRAME_BYTES_MAX) {
            yield encodeFrame(index, labels, chunks);
            chunks = [];
            bytes = 0;
          }
          chunks.push(chunk);
          bytes += chunk.data.length;
        }
        if (chunks.length > 0) yield encodeFrame(index, labels, chunks);
      }
    }
  }

  /** In Prometheus' order of labels, with external labels; columns are valid until the next. */
  async *#series(selection: SeriesSelection, signal: AbortSignal) {
    const external = this.#options.externalLabels();
    const all = Array.from({ length: selection.size }, (_, index) => {
      const labels = withExternal(selection.labels(index), external);
      return { index, labels, pairs: orderedPairs(labels) };
    });
    all.sort((a, b) => comparePairs(a.pairs, b.pairs));
    const columns = new SampleColumns();
    let count = 0;
    for (const { index, labels } of all) {
      if (signal.aborted) throw new TytoError('canceled', 'the reader went away');
      if (++count % TURN_SERIES === 0) await new Promise((resolve) => setImmediate(resolve));
      columns.clear();
      selection.readInto(index, columns);
      if (columns.length > 0) yield { labels, columns };
    }
  }
}

/** External labels are not stored: what asks for ours asks for series without such a label. */
function withoutExternal(matcher: Matcher, external: Labels): Matcher {
  const { type, name, value } = matcher;
  const isOurs = type === '=' && value !== '' && external.get(name) === value;
  return isOurs ? createMatcher('=', name, '') : matcher;
}

function withExternal(labels: Labels, external: Labels): Labels {
  if (external.size === 0) return labels;
  return Labels.fromEntries([...external.entries(), ...labels.entries()]);
}

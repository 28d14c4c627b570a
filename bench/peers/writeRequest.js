/**
 * Remote write 1.0: a protobuf `WriteRequest`, compressed with snappy. The same series are sent
 * again and again with other samples, so their request is encoded once, with the places of
 * timestamps and values remembered; each body patches those and compresses.
 */
import { compress } from 'snappyjs';

/** A double with its tag, then a varint of 6 bytes with its tag. */
const SAMPLE_BYTES = 16;
/** Milliseconds since the epoch have 36 to 42 bits from 1971 to 2109: always 6 bytes. */
const TIMESTAMP_BYTES = 6;

const encoder = new TextEncoder();

function varintBytes(value) {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function fieldBytes(length) {
  return 1 + varintBytes(length) + length;
}

/** A `WriteRequest` of some series with the same number of samples each. */
export class WriteRequest {
  #bytes;
  #view;
  #at = 0;
  /** Where the samples of each series begin. */
  #starts;
  #samplesPerSeries;

  /**
   * @param {readonly import('./series.js').LabelPairs[]} allLabels
   * @param {number} samplesPerSeries
   */
  constructor(allLabels, samplesPerSeries) {
    this.#samplesPerSeries = samplesPerSeries;
    this.#starts = new Uint32Array(allLabels.length);
    const encoded = allLabels.map((labels) =>
      labels.map(([name, value]) => [encoder.encode(name), encoder.encode(value)]),
    );
    const sizes = encoded.map((labels) => {
      let size = samplesPerSeries * fieldBytes(SAMPLE_BYTES);
      for (const [name, value] of labels) {
        size += fieldBytes(fieldBytes(name.length) + fieldBytes(value.length));
      }
      return size;
    });
    this.#bytes = new Uint8Array(sizes.reduce((sum, size) => sum + fieldBytes(size), 0));
    this.#view = new DataView(this.#bytes.buffer);
    encoded.forEach((labels, series) => {
      this.#field(1, sizes[series]);
      for (const [name, value] of labels) {
        this.#field(1, fieldBytes(name.length) + fieldBytes(value.length));
        this.#text(1, name);
        this.#text(2, value);
      }
      this.#starts[series] = this.#at;
      for (let i = 0; i < samplesPerSeries; i++) {
        this.#field(2, SAMPLE_BYTES);
        this.#bytes[this.#at] = (1 << 3) | 1;
        this.#bytes[this.#at + 9] = 2 << 3;
        this.#at += SAMPLE_BYTES;
      }
    });
  }

  /**
   * @param {number} series
   * @param {number} sample
   * @param {number} timestampMs
   * @param {number} value
   */
  set(series, sample, timestampMs, value) {
    const at = this.#starts[series] + sample * fieldBytes(SAMPLE_BYTES) + 3;
    this.#view.setFloat64(at, value, true);
    let rest = timestampMs;
    for (let i = 0; i < TIMESTAMP_BYTES; i++) {
      const high = Math.floor(rest / 128);
      this.#bytes[at + 9 + i] = rest - high * 128 + (i < TIMESTAMP_BYTES - 1 ? 128 : 0);
      rest = high;
    }
  }

  get sampleCount() {
    return this.#starts.length * this.#samplesPerSeries;
  }

  /** The body as it goes over the wire. The caller owns it. */
  compressed() {
    return compress(this.#bytes);
  }

  #field(number, length) {
    this.#bytes[this.#at++] = (number << 3) | 2;
    let rest = length;
    while (rest >= 128) {
      this.#bytes[this.#at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  #text(number, bytes) {
    this.#field(number, bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}

/** `tyto tsdb analyze`: which labels make a block large, in the words of promtool. */
import { TytoError } from '@tyto/base';
import { type Labels, METRIC_NAME, SampleColumns } from '@tyto/model';
import {
  chunkSampleCount,
  openPrometheusBlocks,
  orderedPairs,
  type PrometheusBlock,
  type ReportDamage,
} from '@tyto/promblock';
import { BlockReader, nodeDisk } from '@tyto/tsdb';
import { kindOf } from './database.ts';
import { goDuration } from './goText.ts';
import type { Output } from './output.ts';
import { type BlockFigures, type TytoBlock, tytoBlocks, tytoFigures } from './tytoBlocks.ts';

/** What Prometheus fills a chunk of floats with; the bars show parts of it. */
const FULL_CHUNK_SAMPLES = 120;
const BARS = 10;

interface SeriesFigures {
  readonly labels: Labels;
  /** From the first sample to the last. */
  readonly coveredMs: number;
}

/** Counters that grow with every series of a block. */
class Counts {
  readonly #spanMs: number;
  readonly #uncoveredByName = new Map<string, number>();
  readonly #uncoveredByPair = new Map<string, number>();
  readonly #seriesByPair = new Map<string, number>();
  readonly #seriesByMetric = new Map<string, number>();
  readonly #values = new Map<string, Set<string>>();
  #entries = 0;
  seriesCount = 0;

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  add({ labels, coveredMs }: SeriesFigures): void {
    const uncovered = this.#spanMs - coveredMs;
    this.seriesCount++;
    const pairs = orderedPairs(labels);
    for (let i = 0; i < pairs.length; i += 2) {
      const [name, value] = [pairs[i], pairs[i + 1]];
      const pair = `${name}=${value}`;
      increase(this.#uncoveredByName, name, uncovered);
      increase(this.#uncoveredByPair, pair, uncovered);
      increase(this.#seriesByPair, pair, 1);
      if (name === METRIC_NAME) increase(this.#seriesByMetric, value, 1);
      const values = this.#values.get(name);
      if (values === undefined) this.#values.set(name, new Set([value]));
      else values.add(value);
      this.#entries++;
    }
  }

  write(limit: number, output: Output): void {
    const inSeries = ([key, ms]: [string, number]): [string, number] => [
      key,
      Math.floor(ms / Math.max(1, this.#spanMs)),
    ];
    const textLength = (values: Set<string>) =>
      [...values].reduce((sum, value) => sum + Buffer.byteLength(value), 0);
    const values = [...this.#values];
    output.line(`Series: ${this.seriesCount}`);
    output.line(`Label names: ${values.length}`);
    output.line(`Postings (unique label pairs): ${this.#seriesByPair.size}`);
    output.line(`Postings entries (total label pairs): ${this.#entries}`);
    const lists: [string, [string, number][]][] = [
      ['Label pairs most involved in churning', [...this.#uncoveredByPair].map(inSeries)],
      ['Label names most involved in churning', [...this.#uncoveredByName].map(inSeries)],
      ['Most common label pairs', [...this.#seriesByPair]],
      [
        'Label names with highest cumulative label value length',
        values.map(([name, all]) => [name, textLength(all)]),
      ],
      ['Highest cardinality labels', values.map(([name, all]) => [name, all.size])],
      ['Highest cardinality metric names', [...this.#seriesByMetric]],
    ];
    for (const [title, entries] of lists) {
      output.line(`\n${title}:`);
      entries.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
      for (const [key, count] of entries.slice(0, limit)) output.line(`${count} ${key}`);
    }
  }
}

/** Without a name the newest block; rejects with TytoError `not_found` where there is none. */
export async function analyze(
  directory: string,
  name: string | undefined,
  limit: number,
  output: Output,
  report: ReportDamage,
): Promise<void> {
  if (kindOf(directory) === 'tyto') {
    const block = choose(tytoBlocks(directory), (one) => one.name, name, directory);
    await analyzeTyto(block, limit, output, report);
    return;
  }
  const blocks = openPrometheusBlocks(directory, report);
  const block = choose(blocks, ({ meta }) => meta.ulid, name, directory);
  try {
    await analyzePrometheus(block, limit, output, report);
  } finally {
    block.release();
  }
}

function choose<T>(
  blocks: readonly T[],
  nameOf: (block: T) => string,
  name: string | undefined,
  directory: string,
): T {
  const found = name === undefined ? blocks.at(-1) : blocks.find((block) => nameOf(block) === name);
  if (found !== undefined) return found;
  const what = name === undefined ? 'has no blocks' : `has no block ${name}`;
  throw new TytoError('not_found', `${directory} ${what}`);
}

function writeHead(name: string, spanMs: number, output: Output): void {
  output.line(`Block ID: ${name}`);
  output.line(`Duration: ${goDuration(spanMs)}`);
}

async function analyzePrometheus(
  block: PrometheusBlock,
  limit: number,
  output: Output,
  report: ReportDamage,
): Promise<void> {
  const spanMs = block.meta.maxTimeMs - block.meta.minTimeMs;
  const counts = new Counts(spanMs);
  const fullness = new Array<number>(BARS).fill(0);
  const sizes = { chunks: 0, samples: 0, bytes: 0 };
  writeHead(block.meta.ulid, spanMs, output);
  for await (const { labels, chunks, chunk } of block.series()) {
    const last = chunks.at(-1);
    counts.add({ labels, coveredMs: (last?.maxTimeMs ?? 0) - (chunks[0]?.minTimeMs ?? 0) });
    for (const place of chunks) {
      const raw = chunk(place);
      if (raw === undefined) continue;
      const samples = samplesOf(block, place.ref, raw, report);
      fullness[Math.min(BARS - 1, Math.floor((samples * BARS) / FULL_CHUNK_SAMPLES))]++;
      sizes.chunks++;
      sizes.samples += samples;
      sizes.bytes += raw.data.length;
    }
  }
  counts.write(limit, output);
  writeSizes(sizes, output);
  output.line('\nFullness: samples in chunks (100% is 120 samples)');
  fullness.forEach((count, i) => {
    const percent = sizes.chunks === 0 ? 0 : Math.round((100 * count) / sizes.chunks);
    output.line(`${String((i + 1) * BARS).padStart(7)}%: ${'#'.repeat(percent)}`);
  });
}

function samplesOf(
  block: PrometheusBlock,
  ref: number,
  raw: { readonly encoding: number; readonly data: Uint8Array },
  report: ReportDamage,
): number {
  try {
    return chunkSampleCount(raw.encoding, raw.data);
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    report({ ...block.chunks.place(ref), what: error.message });
    return 0;
  }
}

async function analyzeTyto(
  block: TytoBlock,
  limit: number,
  output: Output,
  report: ReportDamage,
): Promise<void> {
  const figures: BlockFigures | undefined = tytoFigures(block, report);
  const reader = await BlockReader.open(nodeDisk, block.path);
  try {
    const spanMs = block.maxTimeMs - block.minTimeMs;
    const counts = new Counts(spanMs);
    const columns = new SampleColumns();
    writeHead(block.name, spanMs, output);
    for (let series = 0; series < reader.seriesCount; series++) {
      columns.clear();
      reader.readInto(series, -Infinity, Infinity, columns);
      const { timestamps, length } = columns;
      const coveredMs = length === 0 ? 0 : timestamps[length - 1] - timestamps[0];
      counts.add({ labels: reader.labels(series), coveredMs });
    }
    counts.write(limit, output);
    if (figures === undefined) return;
    const bytes = await nodeDisk.size(`${block.path}/chunks`);
    writeSizes({ chunks: figures.chunkCount, samples: figures.sampleCount, bytes }, output);
  } finally {
    reader.close();
  }
}

function writeSizes(
  { chunks, samples, bytes }: { chunks: number; samples: number; bytes: number },
  output: Output,
): void {
  const average = (sum: number, count: number) => (count === 0 ? 0 : sum / count).toFixed(2);
  output.line('\nChunks:');
  output.line(`${chunks} chunks, ${samples} samples, ${bytes} bytes`);
  output.line(
    `${average(samples, chunks)} samples a chunk, ${average(bytes, samples)} bytes a sample`,
  );
}

function increase(map: Map<string, number>, key: string, by: number): void {
  map.set(key, (map.get(key) ?? 0) + by);
}

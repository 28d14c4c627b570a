/** `tyto tsdb dump` and `dump-openmetrics`: samples as text, as promtool writes them. */
import { METRIC_NAME, SampleColumns } from '@tyto/model';
import { orderedPairs, type ReportDamage } from '@tyto/promblock';
import { type MatcherSets, openDatabase } from './database.ts';
import { goFloat, goHistogram, goLabels } from './goText.ts';
import type { Output } from './output.ts';

export interface DumpRequest {
  readonly directory: string;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly matcherSets: MatcherSets;
  readonly format: 'plain' | 'openmetrics';
}

export async function dump(
  request: DumpRequest,
  output: Output,
  report: ReportDamage,
): Promise<void> {
  const { directory, minTimeMs, maxTimeMs, matcherSets, format } = request;
  const database = await openDatabase(directory, report);
  const columns = new SampleColumns();
  try {
    for await (const series of database.series(minTimeMs, maxTimeMs, matcherSets)) {
      columns.clear();
      series.readInto(minTimeMs, maxTimeMs, columns);
      const pairs = orderedPairs(series.labels);
      if (format === 'plain') writePlain(goLabels(pairs), columns, output);
      else writeOpenMetrics(pairs, columns, output);
      if (output.isFull) await output.flush();
    }
  } finally {
    await database.close();
  }
  if (format === 'openmetrics') output.line('# EOF');
}

function writePlain(labels: string, columns: SampleColumns, output: Output): void {
  for (let i = 0; i < columns.length; i++) {
    const histogram = columns.histograms?.[i];
    const value = histogram === undefined ? goFloat(columns.values[i]) : goHistogram(histogram);
    output.line(`${labels} ${value} ${columns.timestamps[i]}`);
  }
}

/** OpenMetrics has no native histograms; they are left out, as promtool leaves them out. */
function writeOpenMetrics(pairs: readonly string[], columns: SampleColumns, output: Output): void {
  const at = pairs.findIndex((text, i) => i % 2 === 0 && text === METRIC_NAME);
  const name = at < 0 ? '' : pairs[at + 1];
  const rest = at < 0 ? pairs : [...pairs.slice(0, at), ...pairs.slice(at + 2)];
  const series = seriesText(name, rest);
  for (let i = 0; i < columns.length; i++) {
    if (columns.histograms?.[i] !== undefined) continue;
    const seconds = (columns.timestamps[i] / 1000).toFixed(3);
    output.line(`${series} ${goFloat(columns.values[i])} ${seconds}`);
  }
}

const CLASSIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** A series in OpenMetrics' notation; names of other alphabets are quoted, the metric's inside. */
function seriesText(name: string, pairs: readonly string[]): string {
  const isClassic = name === '' || CLASSIC_NAME.test(name);
  const inside = isClassic ? [] : [quote(name)];
  for (let i = 0; i < pairs.length; i += 2) {
    const label = CLASSIC_NAME.test(pairs[i]) ? pairs[i] : quote(pairs[i]);
    inside.push(`${label}=${quote(pairs[i + 1])}`);
  }
  return `${isClassic ? name : ''}{${inside.join(',')}}`;
}

/** Only these three have escapes in OpenMetrics. */
function quote(text: string): string {
  const escaped = text.replace(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`));
  return `"${escaped}"`;
}

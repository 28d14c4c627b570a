/** Names of series as PromQL writes them, and results as text to take away. */

import type { LabelMap, MatrixSeriesJson, VectorSeries } from '@tyto/api';

const CLASSIC_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const CLASSIC_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** `up{instance="a", job="b"}`; names outside the classic alphabet are quoted. */
export function formatSeries(labels: LabelMap): string {
  const name = labels.__name__ ?? '';
  const parts = Object.entries(labels)
    .filter(([label]) => label !== '__name__')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => formatPair(label, value));
  if (CLASSIC_METRIC.test(name)) {
    return parts.length === 0 ? name : `${name}{${parts.join(', ')}}`;
  }
  return `{${[...(name === '' ? [] : [JSON.stringify(name)]), ...parts].join(', ')}}`;
}

export function formatPair(label: string, value: string): string {
  return `${CLASSIC_LABEL.test(label) ? label : JSON.stringify(label)}=${JSON.stringify(value)}`;
}

/** Orders series by their labels, so that lists keep their order when the server's differs. */
export function compareLabelMaps(a: LabelMap, b: LabelMap): number {
  const [first, second] = [labelText(a), labelText(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

function labelText(labels: LabelMap): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}\u0001${value}`);
  return pairs.sort().join('\u0000');
}

/** The labels that all of several series share; none of a single one. */
export function commonLabels(all: readonly LabelMap[]): LabelMap {
  const [first] = all;
  if (first === undefined || all.length < 2) return {};
  return Object.fromEntries(
    Object.entries(first).filter(([label, value]) => all.every((one) => one[label] === value)),
  );
}

/** A series' labels without those that it shares with the others; all of them if none is left. */
export function ownLabels(labels: LabelMap, common: LabelMap): LabelMap {
  const own = Object.entries(labels).filter(([label]) => common[label] === undefined);
  return own.length === 0 ? labels : Object.fromEntries(own);
}

/** Of many series: what tells them apart, their common labels left out. */
export function distinctNames(all: readonly LabelMap[]): string[] {
  const common = commonLabels(all);
  return all.map((labels) => formatSeries(ownLabels(labels, common)));
}

export function vectorToCsv(result: readonly VectorSeries[]): string {
  const names = labelNames(result);
  const rows = result.map((one) => [
    ...names.map((name) => one.metric[name] ?? ''),
    String((one.value ?? one.histogram)?.[0] ?? ''),
    one.value?.[1] ?? JSON.stringify(one.histogram?.[1] ?? ''),
  ]);
  return toCsv([[...names, 'timestamp', 'value'], ...rows]);
}

export function matrixToCsv(result: readonly MatrixSeriesJson[]): string {
  const names = labelNames(result);
  const rows = result.flatMap((one) => {
    const labels = names.map((name) => one.metric[name] ?? '');
    return (one.values ?? []).map(([time, value]) => [...labels, String(time), value]);
  });
  return toCsv([[...names, 'timestamp', 'value'], ...rows]);
}

function labelNames(result: readonly { readonly metric: LabelMap }[]): string[] {
  return [...new Set(result.flatMap((one) => Object.keys(one.metric)))].sort();
}

function toCsv(rows: readonly (readonly string[])[]): string {
  return `${rows.map((row) => row.map(csvField).join(',')).join('\n')}\n`;
}

/** Quoted where RFC 4180 asks for it, and where a spreadsheet would run it as a formula. */
function csvField(text: string): string {
  const isNumber = text !== '' && Number.isFinite(Number(text));
  const safe = !isNumber && /^[=+\-@]/.test(text) && !/^[+-]Inf$/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

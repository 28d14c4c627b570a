/**
 * `tyto tsdb create-blocks-from rules`: what recording rules would have written, as blocks that
 * Prometheus and `tyto tsdb import --overlap` read. The rules are asked of a server, two hours at a
 * time, at the times at which their groups run.
 */
import { mkdir } from 'node:fs/promises';
import { evaluationTimeMs, parseRuleFile, type RuleGroupConfig } from '@tyto/alerting';
import { TytoError, yaml } from '@tyto/base';
import { Labels, METRIC_NAME, SampleColumns } from '@tyto/model';
import {
  comparePairs,
  makeUlid,
  orderedPairs,
  PrometheusBlockWriter,
  type PrometheusBlockMeta,
} from '@tyto/promblock';
import { parseExpr, walkExpr } from '@tyto/syntax';
import { BLOCK_RANGE_MS } from '@tyto/tsdb';
import { readConfigFile } from '../../config/load.ts';
import type { ApiClient } from '../apiClient.ts';
import { windowStart } from './database.ts';

export interface BackfillRequest {
  readonly api: ApiClient;
  readonly files: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  /** Of groups that state none. */
  readonly intervalMs: number;
  readonly target: string;
  nowMs(): number;
  random(count: number): Uint8Array;
  done(block: PrometheusBlockMeta): void;
  warn(message: string): void;
}

interface BackfilledSeries {
  readonly labels: Labels;
  readonly pairs: readonly string[];
  readonly columns: SampleColumns;
}

type Recorded = Extract<RuleGroupConfig['rules'][number], { kind: 'recording' }>;

/** Rejects with TytoError for files that are no rules, and for what the server refuses. */
export async function backfillRules(request: BackfillRequest): Promise<void> {
  const { startMs, endMs, target } = request;
  const groups = await loadGroups(request);
  await mkdir(target, { recursive: true });
  for (let window = windowStart(startMs); window <= endMs; window += BLOCK_RANGE_MS) {
    const series = new Map<string, BackfilledSeries>();
    for (const { group, rules } of groups) {
      const intervalMs = group.intervalMs || request.intervalMs;
      const fromMs = evaluationTimeMs(group, intervalMs, Math.max(window, startMs));
      const toMs = Math.min(window + BLOCK_RANGE_MS - 1, endMs);
      if (fromMs > toMs) continue;
      for (const rule of rules) await evaluate(rule, fromMs, toMs, intervalMs, request, series);
    }
    await writeBlock(window, series, request);
  }
}

async function loadGroups(
  request: BackfillRequest,
): Promise<{ group: RuleGroupConfig; rules: Recorded[] }[]> {
  const loaded: { group: RuleGroupConfig; rules: Recorded[] }[] = [];
  for (const file of request.files) {
    const { groups, problems } = parseRuleFile(await readConfigFile(file), file);
    if (yaml.hasErrors(problems)) throw new TytoError('bad_data', yaml.formatProblems(problems));
    for (const group of groups) {
      const rules = group.rules.filter((rule) => rule.kind === 'recording');
      const others = group.rules.length - rules.length;
      if (others > 0) {
        request.warn(`${file}: ${group.name}: ${others} alerting rules are not evaluated`);
      }
      warnOfChains(group.name, rules, request);
      loaded.push({ group, rules });
    }
  }
  return loaded;
}

/** The server knows nothing yet of what the other rules are to record. */
function warnOfChains(group: string, rules: readonly Recorded[], request: BackfillRequest): void {
  const records = new Set(rules.map(({ record }) => record));
  for (const { record, expr } of rules) {
    const names: string[] = [];
    walkExpr(parseExpr(expr), (node) => {
      if (node.kind === 'vector') names.push(node.name);
    });
    const used = names.find((name) => name !== record && records.has(name));
    if (used === undefined) continue;
    const what = `${record} asks for ${used}, which the server must have already`;
    request.warn(`${group}: ${what}; backfill that one first`);
  }
}

interface MatrixJson {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly (readonly [seconds: number, value: string])[];
  readonly histograms?: readonly unknown[];
}

async function evaluate(
  rule: Recorded,
  fromMs: number,
  toMs: number,
  intervalMs: number,
  request: BackfillRequest,
  found: Map<string, BackfilledSeries>,
): Promise<void> {
  const { data, warnings } = await request.api.post('/api/v1/query_range', [
    ['query', rule.expr],
    ['start', String(fromMs / 1000)],
    ['end', String(toMs / 1000)],
    ['step', String(intervalMs / 1000)],
  ]);
  for (const warning of warnings) request.warn(`${rule.record}: ${warning}`);
  for (const { metric, values = [], histograms = [] } of matrixOf(data, rule)) {
    if (histograms.length > 0) {
      const what = 'native histograms are left out: the API does not tell them exactly';
      request.warn(`${rule.record}: ${what}`);
    }
    const labels = Labels.fromEntries([
      ...Object.entries(metric),
      ...rule.labels.entries(),
      [METRIC_NAME, rule.record],
    ]);
    let series = found.get(labels.key);
    if (series === undefined) {
      series = { labels, pairs: orderedPairs(labels), columns: new SampleColumns(16) };
      found.set(labels.key, series);
    }
    append(series.columns, values, rule);
  }
}

function matrixOf(data: unknown, rule: Recorded): readonly MatrixJson[] {
  const { resultType, result } = (data ?? {}) as { resultType?: unknown; result?: unknown };
  if (resultType === 'matrix' && Array.isArray(result)) return result as MatrixJson[];
  throw new TytoError('execution', `${rule.record}: the result is no matrix but ${resultType}`);
}

/** Of rules that write one series the first one counts. */
function append(
  columns: SampleColumns,
  values: NonNullable<MatrixJson['values']>,
  rule: Recorded,
): void {
  const lastMs = columns.length === 0 ? -Infinity : columns.timestamps[columns.length - 1];
  for (const [seconds, text] of values) {
    const timestampMs = Math.round(seconds * 1000);
    if (!(timestampMs > lastMs)) {
      throw new TytoError('execution', `${rule.record}: two rules make the same series`);
    }
    columns.push(timestampMs, floatOf(text));
  }
}

function floatOf(text: string): number {
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}

async function writeBlock(
  window: number,
  found: ReadonlyMap<string, BackfilledSeries>,
  request: BackfillRequest,
): Promise<void> {
  if (found.size === 0) return;
  const ulid = makeUlid(request.nowMs(), request.random(16));
  const range = { ulid, minTimeMs: window, maxTimeMs: window + BLOCK_RANGE_MS };
  const writer = new PrometheusBlockWriter(request.target, range);
  try {
    await writer.open();
    const ordered = [...found.values()].sort((a, b) => comparePairs(a.pairs, b.pairs));
    for (const { labels, columns } of ordered) await writer.add(labels, columns);
    const meta = await writer.finish();
    if (meta !== undefined) request.done(meta);
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

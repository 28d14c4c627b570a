/** The state of one host: its signals over the last hour, its filesystems. */

import { type Answered, parseSampleValue, type QueryData, type VectorSeries } from '@tyto/api';
import { type Column, lastValue, toColumns } from '../lib/chartData.ts';
import {
  diskSpaceQueries,
  hostSignals,
  type SignalId,
  strainQueries,
  timeToFull,
} from '../lib/hostSignals.ts';
import type { Strain } from '../lib/verdict.ts';
import { api } from './connection.ts';
import { type Polled, usePoll } from './poll.ts';
import { serverNowMs } from './serverClock.ts';

const HOUR_SECONDS = 3600;
const STEP_SECONDS = 15;
const HOST_INTERVAL_MS = 10_000;
const HOSTS_INTERVAL_MS = 30_000;

/** Signals drawn as curves; of the others the present value is enough. */
const CURVES: ReadonlySet<SignalId> = new Set(['cpu', 'memory', 'diskBusy', 'receive', 'transmit']);

export interface HostName {
  readonly job: string;
  readonly instance: string;
  /** What the machine calls itself, or undefined. */
  readonly nodename: string | undefined;
}

export interface SignalState {
  readonly value: number | undefined;
  readonly column: Column;
}

export interface Filesystem {
  readonly mountpoint: string;
  readonly device: string;
  readonly availableBytes: number;
  readonly sizeBytes: number;
  readonly usedRatio: number;
  /** Until it is full at the pace of the last hour; undefined when that is not soon. */
  readonly fullInMs: number | undefined;
}

export interface HostState {
  readonly times: readonly number[];
  readonly signals: Readonly<Partial<Record<SignalId, SignalState>>>;
  readonly memoryAvailableBytes: number | undefined;
  readonly filesystems: readonly Filesystem[];
}

/** Hosts that sent metrics in the last quarter of an hour. */
export function useHosts(): Polled<readonly HostName[]> {
  return usePoll('hosts', loadHosts, { intervalMs: HOSTS_INTERVAL_MS });
}

export function useHost(host: HostName | undefined, window: string): Polled<HostState> {
  const key = host === undefined ? undefined : `host ${host.job} ${host.instance} ${window}`;
  return usePoll(key, (signal) => loadHost(host ?? NO_HOST, window, signal), {
    intervalMs: HOST_INTERVAL_MS,
  });
}

/** Hosts at their limit, in one line each. */
export function useStrains(): Polled<readonly Strain[]> {
  return usePoll('strains', loadStrains, { intervalMs: HOST_INTERVAL_MS });
}

async function loadStrains(signal: AbortSignal): Promise<readonly Strain[]> {
  const found = await Promise.all(
    strainQueries().map(async ([id, query]) => {
      const answer = await api.query({ query }, { signal });
      return vectorOf(answer).map((one) => ({
        id,
        instance: one.metric.instance ?? '',
        job: one.metric.job ?? '',
        value: numberOf(one),
      }));
    }),
  );
  return found.flat().sort((a, b) => b.value - a.value || compare(a.instance, b.instance));
}

const NO_HOST: HostName = { job: '', instance: '', nodename: undefined };

async function loadHosts(signal: AbortSignal): Promise<readonly HostName[]> {
  const [loads, names] = await Promise.all([
    api.query({ query: 'max by (job, instance) (last_over_time(node_load1[15m]))' }, { signal }),
    api.query({ query: 'last_over_time(node_uname_info[15m])' }, { signal }),
  ]);
  const nodenames = new Map(
    vectorOf(names).map(({ metric }) => [`${metric.job}\u0000${metric.instance}`, metric.nodename]),
  );
  return vectorOf(loads)
    .map(({ metric }) => {
      const job = metric.job ?? '';
      const instance = metric.instance ?? '';
      return { job, instance, nodename: nodenames.get(`${job}\u0000${instance}`) };
    })
    .sort((a, b) => compare(a.job, b.job) || compare(a.instance, b.instance));
}

async function loadHost(host: HostName, window: string, signal: AbortSignal): Promise<HostState> {
  const end = Math.floor(serverNowMs() / 1000 / STEP_SECONDS) * STEP_SECONDS;
  const start = end - HOUR_SECONDS;
  const signals: Partial<Record<SignalId, SignalState>> = {};
  const loadCurve = async (id: SignalId, query: string) => {
    const answer = await api.queryRange({ query, start, end, step: STEP_SECONDS }, { signal });
    const column = toColumns(answer.data.result, start, end, STEP_SECONDS).values[0] ?? [];
    signals[id] = { value: lastValue(column.slice(-3)), column };
  };
  const loadValue = async (id: SignalId, query: string) => {
    signals[id] = { value: firstValue(await api.query({ query }, { signal })), column: [] };
  };
  const matchers = `job=${JSON.stringify(host.job)},instance=${JSON.stringify(host.instance)}`;
  const memory = `sum(node_memory_MemAvailable_bytes{${matchers}})`;
  const [filesystems, available] = await Promise.all([
    loadFilesystems(host, signal),
    api.query({ query: memory }, { signal }),
    ...hostSignals(host.job, host.instance, window).map((one) =>
      CURVES.has(one.id) ? loadCurve(one.id, one.expr) : loadValue(one.id, one.expr),
    ),
  ]);
  const times = toColumns([], start, end, STEP_SECONDS).times;
  return { times, signals, memoryAvailableBytes: firstValue(available), filesystems };
}

async function loadFilesystems(host: HostName, signal: AbortSignal): Promise<Filesystem[]> {
  const queries = diskSpaceQueries(host.job, host.instance);
  const [available, size, perSecond] = await Promise.all([
    api.query({ query: queries.available }, { signal }),
    api.query({ query: queries.size }, { signal }),
    api.query({ query: queries.perSecond }, { signal }),
  ]);
  const sizes = byFilesystem(vectorOf(size));
  const paces = byFilesystem(vectorOf(perSecond));
  const byDevice = new Map<string, Filesystem>();
  for (const one of vectorOf(available)) {
    const sizeBytes = sizes.get(keyOf(one));
    if (sizeBytes === undefined) continue;
    const availableBytes = numberOf(one);
    const found: Filesystem = {
      mountpoint: one.metric.mountpoint ?? '',
      device: one.metric.device ?? '',
      availableBytes,
      sizeBytes,
      usedRatio: 1 - availableBytes / sizeBytes,
      fullInMs: timeToFull(availableBytes, paces.get(keyOf(one)) ?? 0),
    };
    // One device mounted many times is one disk; the shortest path is what people call it.
    const known = byDevice.get(found.device);
    if (known === undefined || found.mountpoint.length < known.mountpoint.length) {
      byDevice.set(found.device, found);
    }
  }
  return [...byDevice.values()].sort((a, b) => b.usedRatio - a.usedRatio);
}

function byFilesystem(result: readonly VectorSeries[]): Map<string, number> {
  return new Map(result.map((one) => [keyOf(one), numberOf(one)]));
}

function keyOf({ metric }: VectorSeries): string {
  return `${metric.device}\u0000${metric.mountpoint}`;
}

function vectorOf(answer: Answered<QueryData>): readonly VectorSeries[] {
  return answer.data.resultType === 'vector' ? answer.data.result : [];
}

function numberOf(one: VectorSeries): number {
  return one.value === undefined ? Number.NaN : parseSampleValue(one.value[1]);
}

function firstValue(answer: Answered<QueryData>): number | undefined {
  const [first] = vectorOf(answer);
  const value = first === undefined ? Number.NaN : numberOf(first);
  return Number.isFinite(value) ? value : undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

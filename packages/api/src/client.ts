/**
 * The typed client of the HTTP contract. Every method takes an optional abort signal and timeout
 * and rejects with `ApiError` only. Answers of `/api/v1` keep their warnings and infos beside the
 * data. Bodies are trusted to have the shape that the contract gives them once the envelope fits.
 */

import { systemClock } from '@tyto/base';
import type {
  AlertGroup,
  AlertmanagerStatus,
  NotifiedAlert,
  NotifiedAlertFilter,
  PostableSilence,
  ReceiverRef,
  Silence,
} from './alertmanager.ts';
import { ApiError, errorTypeOfStatus } from './apiError.ts';
import type {
  AlertsData,
  BuildInfo,
  ConfigData,
  Envelope,
  FeaturesData,
  FlagsData,
  LabelMap,
  MatrixData,
  MetadataData,
  QueryData,
  RelabelStepsData,
  RulesData,
  RuntimeInfo,
  StatusNotification,
  TargetsData,
  TsdbBlocksData,
  TsdbStatus,
} from './prometheus.ts';
import {
  type CallOptions,
  type Exchange,
  type Parameters,
  parseJson,
  perform,
  readExchange,
  type Transport,
} from './transport.ts';

/** A little more than Prometheus' own query timeout of 2 minutes would never be waited for. */
const TIMEOUT_MS_DEFAULT = 30_000;

export interface Answered<Data> {
  readonly data: Data;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

export interface InstantQueryRequest {
  readonly query: string;
  /** Seconds since the epoch; absent means the server's now. */
  readonly time?: number | undefined;
  readonly timeout?: string | undefined;
  readonly limit?: number | undefined;
  readonly stats?: 'all' | undefined;
}

export interface RangeQueryRequest {
  readonly query: string;
  /** Seconds. */
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly timeout?: string | undefined;
  readonly limit?: number | undefined;
  readonly stats?: 'all' | undefined;
}

export interface LabelsRequest {
  readonly match?: readonly string[] | undefined;
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  readonly limit?: number | undefined;
}

export interface RulesRequest {
  readonly type?: 'alert' | 'record' | undefined;
  readonly exclude_alerts?: boolean | undefined;
  /** Groups on a page; the token is that of the page before. */
  readonly group_limit?: number | undefined;
  readonly group_next_token?: string | undefined;
}

export interface TargetsRequest {
  readonly state?: 'active' | 'dropped' | 'any' | undefined;
  readonly scrapePool?: string | undefined;
}

export interface ApiClient {
  query(r: InstantQueryRequest, o?: CallOptions): Promise<Answered<QueryData>>;
  queryRange(r: RangeQueryRequest, o?: CallOptions): Promise<Answered<MatrixData>>;
  series(r: LabelsRequest, o?: CallOptions): Promise<Answered<readonly LabelMap[]>>;
  labelNames(r?: LabelsRequest, o?: CallOptions): Promise<Answered<readonly string[]>>;
  labelValues(
    name: string,
    r?: LabelsRequest,
    o?: CallOptions,
  ): Promise<Answered<readonly string[]>>;
  metadata(o?: CallOptions): Promise<Answered<MetadataData>>;
  targets(r?: TargetsRequest, o?: CallOptions): Promise<Answered<TargetsData>>;
  /** `labels` are those of a target before relabelling. */
  relabelSteps(
    scrapePool: string,
    labels: LabelMap,
    o?: CallOptions,
  ): Promise<Answered<RelabelStepsData>>;
  scrapePoolConfig(scrapePool: string, o?: CallOptions): Promise<Answered<ConfigData>>;
  rules(r?: RulesRequest, o?: CallOptions): Promise<Answered<RulesData>>;
  alerts(o?: CallOptions): Promise<Answered<AlertsData>>;
  buildInfo(o?: CallOptions): Promise<Answered<BuildInfo>>;
  runtimeInfo(o?: CallOptions): Promise<Answered<RuntimeInfo>>;
  config(o?: CallOptions): Promise<Answered<ConfigData>>;
  flags(o?: CallOptions): Promise<Answered<FlagsData>>;
  tsdbStatus(o?: CallOptions): Promise<Answered<TsdbStatus>>;
  tsdbBlocks(o?: CallOptions): Promise<Answered<TsdbBlocksData>>;
  features(o?: CallOptions): Promise<Answered<FeaturesData>>;
  notifications(o?: CallOptions): Promise<Answered<readonly StatusNotification[]>>;
  readonly alertmanager: AlertmanagerClient;
}

export interface AlertmanagerClient {
  status(o?: CallOptions): Promise<AlertmanagerStatus>;
  alerts(filter?: NotifiedAlertFilter, o?: CallOptions): Promise<readonly NotifiedAlert[]>;
  groups(filter?: NotifiedAlertFilter, o?: CallOptions): Promise<readonly AlertGroup[]>;
  receivers(o?: CallOptions): Promise<readonly ReceiverRef[]>;
  silences(filter?: readonly string[], o?: CallOptions): Promise<readonly Silence[]>;
  saveSilence(silence: PostableSilence, o?: CallOptions): Promise<string>;
  expireSilence(id: string, o?: CallOptions): Promise<void>;
}

export interface ClientOptions extends Omit<Transport, 'clock'> {
  /** Where the API lives, with a slash at its end: `https://host/prefix/`. */
  readonly baseUrl: string;
  readonly clock?: Transport['clock'];
  readonly timeoutMs?: number;
  /** Told of the outcome of every call to `/api/v1`, for showing whether the server is reached. */
  readonly observe?: (error: ApiError | undefined) => void;
}

interface Caller {
  v1<Data>(
    path: string,
    parameters: Parameters,
    takesPost: boolean,
    options: CallOptions | undefined,
  ): Promise<Answered<Data>>;
  v2<Data>(exchange: Exchange, options: CallOptions | undefined): Promise<Data>;
  readonly v2Root: string;
}

export function createApiClient(options: ClientOptions): ApiClient {
  const caller = createCaller(options);
  const get = <Data>(path: string, parameters: Parameters, o: CallOptions | undefined) =>
    caller.v1<Data>(path, parameters, false, o);
  const ask = <Data>(path: string, parameters: Parameters, o: CallOptions | undefined) =>
    caller.v1<Data>(path, parameters, true, o);
  return {
    query: (r, o) => ask('query', { ...r }, o),
    queryRange: (r, o) => ask('query_range', { ...r }, o),
    series: (r, o) => ask('series', matching(r), o),
    labelNames: (r, o) => ask('labels', matching(r), o),
    labelValues: (name, r, o) =>
      get(`label/${encodeURIComponent(escapeLabelName(name))}/values`, matching(r), o),
    metadata: (o) => get('metadata', {}, o),
    targets: (r, o) => get('targets', { ...r }, o),
    relabelSteps: (scrapePool, labels, o) =>
      get('targets/relabel_steps', { scrapePool, labels: JSON.stringify(labels) }, o),
    scrapePoolConfig: (scrapePool, o) => get('scrape_pools/config', { scrapePool }, o),
    rules: (r, o) => get('rules', { ...r }, o),
    alerts: (o) => get('alerts', {}, o),
    buildInfo: (o) => get('status/buildinfo', {}, o),
    runtimeInfo: (o) => get('status/runtimeinfo', {}, o),
    config: (o) => get('status/config', {}, o),
    flags: (o) => get('status/flags', {}, o),
    tsdbStatus: (o) => get('status/tsdb', {}, o),
    tsdbBlocks: (o) => get('status/tsdb/blocks', {}, o),
    features: (o) => get('features', {}, o),
    notifications: (o) => get('notifications', {}, o),
    alertmanager: createAlertmanagerClient(caller),
  };
}

function createAlertmanagerClient(caller: Caller): AlertmanagerClient {
  const read = <Data>(path: string, parameters: Parameters, o: CallOptions | undefined) =>
    caller.v2<Data>(readExchange(caller.v2Root + path, parameters, false), o);
  return {
    status: (o) => read('status', {}, o),
    alerts: (filter, o) => read('alerts', { ...filter }, o),
    groups: (filter, o) => read('alerts/groups', { ...filter }, o),
    receivers: (o) => read('receivers', {}, o),
    silences: (filter, o) => read('silences', { filter }, o),
    async saveSilence(silence, o) {
      const url = `${caller.v2Root}silences`;
      const body = JSON.stringify(silence);
      const answer = await caller.v2<{ silenceID: string }>({ url, method: 'POST', body }, o);
      return answer.silenceID;
    },
    async expireSilence(id, o) {
      const url = `${caller.v2Root}silence/${encodeURIComponent(id)}`;
      await caller.v2<unknown>({ url, method: 'DELETE' }, o);
    },
  };
}

function createCaller(options: ClientOptions): Caller {
  const transport: Transport = { ...options, clock: options.clock ?? systemClock };
  const limits = (o: CallOptions | undefined) => ({
    signal: o?.signal,
    timeoutMs: o?.timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS_DEFAULT,
  });
  return {
    v2Root: `${options.baseUrl}api/v2/`,
    async v1<Data>(
      path: string,
      parameters: Parameters,
      takesPost: boolean,
      o: CallOptions | undefined,
    ): Promise<Answered<Data>> {
      const exchange = readExchange(`${options.baseUrl}api/v1/${path}`, parameters, takesPost);
      try {
        const answer = await perform(transport, exchange, limits(o));
        const opened = openEnvelope<Data>(parseJson(answer), answer.status);
        options.observe?.(undefined);
        return opened;
      } catch (error) {
        if (error instanceof ApiError) options.observe?.(error);
        throw error;
      }
    },
    async v2<Data>(exchange: Exchange, o: CallOptions | undefined): Promise<Data> {
      const answer = await perform(transport, exchange, limits(o));
      if (answer.ok && answer.body.trim() === '') return undefined as Data;
      const value = parseJson(answer);
      if (!answer.ok) throw alertmanagerError(value, answer.status);
      return value as Data;
    },
  };
}

/** The data of an envelope, or its error thrown as `ApiError`. */
function openEnvelope<Data>(value: unknown, status: number): Answered<Data> {
  if (typeof value !== 'object' || value === null || !('status' in value)) {
    throw new ApiError('bad_response', 'The answer is not one of the Prometheus API', { status });
  }
  const envelope = value as Envelope<Data>;
  const warnings = envelope.warnings ?? [];
  if (envelope.status === 'error') {
    throw new ApiError(envelope.errorType, envelope.error, { status, warnings });
  }
  return { data: envelope.data, warnings, infos: envelope.infos ?? [] };
}

/** Alertmanager answers with a string, its router with `{code, message}`. */
function alertmanagerError(value: unknown, status: number): ApiError {
  const type = errorTypeOfStatus(status);
  if (typeof value === 'string') return new ApiError(type, value, { status });
  if (typeof value === 'object' && value !== null && 'message' in value) {
    return new ApiError(type, String(value.message), { status });
  }
  return new ApiError(type, `Status ${status}`, { status });
}

function matching(r: LabelsRequest | undefined): Parameters {
  return { 'match[]': r?.match, start: r?.start, end: r?.end, limit: r?.limit };
}

/** Names outside the classic alphabet travel in the `U__` escaping of the API. */
function escapeLabelName(name: string): string {
  if (/^(?!U__)[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return name;
  let escaped = 'U__';
  for (const character of name) {
    if (character === '_') escaped += '__';
    else if (/[a-zA-Z0-9]/.test(character)) escaped += character;
    else escaped += `_${(character.codePointAt(0) ?? 0).toString(16)}_`;
  }
  return escaped;
}

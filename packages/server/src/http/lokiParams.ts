/** Parameters of Loki's HTTP API. Errors are its words, as far as clients look for them. */
import { parseDuration, TytoError } from '@tyto/base';
import { parseTimeNs } from '@tyto/wire';
import type { Params } from './params.ts';

const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;
const LIMIT_DEFAULT = 100;
const UINT32_MAX = 2 ** 32 - 1;
const SINCE_MS_DEFAULT = 3_600_000;
/** A range query has at least a point in so many parts of its range, where it does not say. */
const STEPS_DEFAULT = 250n;
const POINTS_MAX = 11_000n;
/** The widest times that 64 bits of nanoseconds hold: 1677 to 2262. */
const TIME_NS_MAX = 2n ** 63n - 1n;

export interface LokiRange {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** A time as seconds with decimals, as a whole number of seconds or nanoseconds, or RFC 3339. */
export function parseLokiTime(text: string): bigint {
  const timestampNs = timeOf(text);
  if (timestampNs === undefined || timestampNs > TIME_NS_MAX || timestampNs < -TIME_NS_MAX) {
    throw bad(`cannot parse "${text}" to a valid timestamp`);
  }
  return timestampNs;
}

function timeOf(text: string): bigint | undefined {
  if (/^-?\d{1,19}$/.test(text)) {
    return text.length <= 10 ? BigInt(text) * NS_PER_SECOND : BigInt(text);
  }
  const decimal = /^(-?)(\d{1,12})\.(\d{1,30})$/.exec(text);
  if (decimal === null) return parseTimeNs(text);
  // To the millisecond, as in Loki: more is noise of the sender's floats.
  const ms = Math.round(Number(`0.${decimal[3]}`) * 1000);
  const ns = BigInt(decimal[2]) * NS_PER_SECOND + BigInt(ms) * NS_PER_MS;
  return decimal[1] === '-' ? -ns : ns;
}

/** Nanoseconds of a number of seconds or a duration in Prometheus' notation. */
export function parseLokiDuration(text: string): bigint {
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  const ms = isNumber ? Number(text) * 1000 : parseDuration(text);
  if (ms === undefined || !(Math.abs(ms) * 1e6 < 2 ** 63)) {
    throw bad(`cannot parse "${text}" to a valid duration`);
  }
  return BigInt(Math.round(ms * 1e6));
}

/** [start, end], where one is not given: the end is now, the start `since`, an hour, before it. */
function rangeOf(params: Params, nowMs: number, sinceMs = SINCE_MS_DEFAULT): LokiRange {
  const nowNs = BigInt(Math.floor(nowMs)) * NS_PER_MS;
  const [start, end, since] = ['start', 'end', 'since'].map((name) => params.text(name));
  const endNs = end === '' ? nowNs : named('end', () => parseLokiTime(end));
  const sinceNs =
    since === '' ? BigInt(sinceMs) * NS_PER_MS : named('since', () => parseLokiDuration(since));
  const fromNs = endNs < nowNs ? endNs : nowNs;
  const startNs = start === '' ? fromNs - sinceNs : named('start', () => parseLokiTime(start));
  return { startNs, endNs };
}

/** As `rangeOf`, where an end before the start is refused. */
export function orderedRangeOf(params: Params, nowMs: number, sinceMs?: number): LokiRange {
  const range = rangeOf(params, nowMs, sinceMs);
  if (range.endNs < range.startNs) throw bad('end timestamp must not be before start time');
  return range;
}

/** The distance of points of a range query, checked against its range. */
export function stepOf(params: Params, { startNs, endNs }: LokiRange): bigint {
  const text = params.text('step');
  const stepNs = text === '' ? defaultStep(startNs, endNs) : parseLokiDuration(text);
  if (stepNs <= 0n) {
    throw bad(
      'zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  if ((endNs - startNs) / stepNs > POINTS_MAX) {
    throw bad(
      'exceeded maximum resolution of 11,000 points per time series. ' +
        'Try increasing the value of the step parameter',
    );
  }
  return stepNs;
}

/** Whole seconds, at least one. */
function defaultStep(startNs: bigint, endNs: bigint): bigint {
  const seconds = (endNs - startNs) / STEPS_DEFAULT / NS_PER_SECOND;
  return (seconds > 1n ? seconds : 1n) * NS_PER_SECOND;
}

export function intervalOf(params: Params): bigint {
  const text = params.text('interval');
  const intervalNs = text === '' ? 0n : parseLokiDuration(text);
  if (intervalNs < 0n) throw bad('interval must be >= 0');
  return intervalNs;
}

export function directionOf(params: Params): 'forward' | 'backward' {
  const text = params.text('direction').toLowerCase();
  if (text === '' || text === 'backward') return 'backward';
  if (text === 'forward') return 'forward';
  throw bad(`invalid direction '${params.text('direction')}'`);
}

/** A positive number of 32 bits. */
export function limitOf(params: Params, name = 'limit', fallback = LIMIT_DEFAULT): number {
  const limit = countOf(params, name, fallback);
  if (limit <= 0) throw bad(`${name} must be a positive value`);
  return limit;
}

/** A number of 32 bits, at least 0. */
export function countOf(params: Params, name: string, fallback: number): number {
  const text = params.text(name);
  if (text === '') return fallback;
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    throw bad(`${name}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const count = Number(text);
  if (count < 0) throw bad(`${name} must be a positive value`);
  if (count > UINT32_MAX) throw bad(`${name} must be at most ${UINT32_MAX}`);
  return count;
}

/** The query, which must be there. */
export function queryOf(params: Params): string {
  const query = params.text('query');
  if (query === '') throw bad('query parameter is required: query={…}');
  return query;
}

function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    throw bad(`could not parse '${name}' parameter: ${error.message}`);
  }
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}

/** Parameters of the Prometheus API: times, durations, selectors, limits. Errors are its words. */
import { errorMessage, parseDuration, TytoError } from '@tyto/base';
import type { Matcher } from '@tyto/model';
import { parseSelector } from '@tyto/syntax';
import type { FastifyRequest } from 'fastify';

/** The longest answer of a range query, per series, as in Prometheus. */
const POINTS_MAX = 11_000;
const TIME_MS_MAX = 8.64e15;
/** Selectors of one request; each is a search through all series. */
const SELECTORS_MAX = 200;

/** The widest range of time that the store can be asked for. */
export const ALWAYS = { minTimeMs: -TIME_MS_MAX, maxTimeMs: TIME_MS_MAX };

/** The first and the last time of Prometheus, which clients send for "always". */
const BOUNDS: ReadonlyMap<string, number> = new Map([
  ['-292273086-05-16T16:47:06Z', -TIME_MS_MAX],
  ['292277025-08-18T07:12:54.999999999Z', TIME_MS_MAX],
]);

/** Milliseconds of a Unix time in seconds (with decimals) or an RFC 3339 text. */
export function parseTime(text: string, name: string, about = ''): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const ms = Math.round(Number(text) * 1000);
    if (Math.abs(ms) <= TIME_MS_MAX) return ms;
  } else if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) {
    const ms = Date.parse(text);
    if (!Number.isNaN(ms)) return ms;
  }
  const bound = BOUNDS.get(text);
  if (bound !== undefined) return bound;
  throw invalid(name, `${about}cannot parse "${text}" to a valid timestamp`);
}

/** Milliseconds of a duration as a number of seconds or in Prometheus' notation. */
export function parseDurationParam(text: string, name: string): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const ms = Number(text) * 1000;
    if (Math.abs(ms) <= TIME_MS_MAX) return ms;
  }
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw invalid(name, `cannot parse "${text}" to a valid duration`);
}

export class Params {
  readonly #params: URLSearchParams;

  constructor(params: URLSearchParams) {
    this.#params = params;
  }

  text(name: string): string {
    return this.#params.get(name) ?? '';
  }

  /** The same but for one name. */
  without(name: string): Params {
    return new Params(new URLSearchParams([...this.#params].filter(([key]) => key !== name)));
  }

  all(name: string): string[] {
    return this.#params.getAll(name);
  }

  time(name: string, fallbackMs: number): number {
    const text = this.text(name);
    return text === '' ? fallbackMs : parseTime(text, name, `Invalid time value for '${name}': `);
  }

  requiredTime(name: string): number {
    return parseTime(this.text(name), name);
  }

  duration(name: string): number | undefined {
    const text = this.text(name);
    return text === '' ? undefined : parseDurationParam(text, name);
  }

  /** A count; 0, which is also the default, means no limit. */
  limit(name: string): number {
    const text = this.text(name);
    if (text === '') return 0;
    if (!/^[+-]?\d{1,15}$/.test(text)) {
      throw invalid(name, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
    if (Number(text) < 0) throw invalid(name, 'limit must be non-negative');
    return Number(text);
  }

  /** A count of which 0 means none; undefined where nothing is said. */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    if (!/^[+-]?\d{1,15}$/.test(text)) throw new TytoError('bad_data', `${name} must be a number`);
    return Number(text) < 0 ? undefined : Number(text);
  }

  flag(name: string, fallback: boolean): boolean {
    const text = this.text(name).toLowerCase();
    return text === '' ? fallback : text === 'true' || text === '1';
  }

  /** One of the words that Go takes for a boolean; false where there is none. */
  boolean(name: string): boolean {
    const text = this.text(name);
    if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
    if (/^(|0|f|F|FALSE|false|False)$/.test(text)) return false;
    throw invalid(name, `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  }

  /** The lists of matchers of all `match[]`. */
  matcherSets(name = 'match[]'): Matcher[][] {
    const texts = this.all(name);
    if (texts.length > SELECTORS_MAX) throw invalid(name, `more than ${SELECTORS_MAX} of them`);
    return texts.map((text) => {
      const matchers = [...parseSelector(text)];
      if (matchers.every((matcher) => matcher.matches(''))) {
        throw new TytoError('bad_data', 'match[] must contain at least one non-empty matcher');
      }
      return matchers;
    });
  }

  /** As `matcherSets`, of which there must be one. */
  requiredMatcherSets(): Matcher[][] {
    if (this.all('match[]').length === 0) {
      throw new TytoError('bad_data', 'no match[] parameter provided');
    }
    return named('match[]', () => this.matcherSets());
  }

  /** Start, end and step of a range query, checked against each other. */
  range(): { startMs: number; endMs: number; stepMs: number } {
    const startMs = this.requiredTime('start');
    const endMs = this.requiredTime('end');
    if (endMs < startMs) throw invalid('end', 'end timestamp must not be before start time');
    const stepMs = parseDurationParam(this.text('step'), 'step');
    if (stepMs <= 0) {
      throw invalid(
        'step',
        'zero or negative query resolution step widths are not accepted. Try a positive integer',
      );
    }
    if ((endMs - startMs) / stepMs > POINTS_MAX) {
      throw new TytoError(
        'bad_data',
        `exceeded maximum resolution of ${POINTS_MAX.toLocaleString('en')} points per timeseries. ` +
          'Try decreasing the query resolution (?step=XX)',
      );
    }
    return { startMs, endMs, stepMs };
  }
}

/** Parameters of the address and, before them, those of the form in the body of a POST. */
export function paramsOf(request: FastifyRequest): Params {
  const query = request.url.indexOf('?');
  const params = new URLSearchParams(query < 0 ? '' : request.url.slice(query + 1));
  if (!(request.body instanceof URLSearchParams)) return new Params(params);
  return new Params(new URLSearchParams([...request.body, ...params]));
}

/** Says of `bad_data` which parameter it was. */
export function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof TytoError && error.kind === 'bad_data'
      ? invalid(name, errorMessage(error))
      : error;
  }
}

/** The error of a parameter, in the words in which all of them are told. */
export function invalid(name: string, reason: string): TytoError {
  return new TytoError('bad_data', `invalid parameter "${name}": ${reason}`);
}

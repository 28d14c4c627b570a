/**
 * What is posted to Alertmanager's API, checked as its OpenAPI file has it: a body of the wrong
 * shape is answered with 422 and which field it is, one that says something wrong with 400.
 */
import type { PostedAlert, Silence, SilenceMatcher } from '@tyto/alerting';
import { TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';

/** Alertmanager's numbers of what can be wrong with a shape. */
const WRONG_TYPE = 601;
const REQUIRED = 602;
const TOO_FEW = 612;

/** A body or parameter that the OpenAPI file does not allow. */
export class ShapeError extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface ParsedAlerts {
  readonly alerts: readonly PostedAlert[];
  /** Why others of the same body are not taken. */
  readonly refused: readonly string[];
}

/**
 * Alerts as Prometheus posts them. A missing start is now, a missing end comes after `resolveMs`.
 * Throws ShapeError for a body that is no list of alerts.
 */
export function parseAlerts(
  body: unknown,
  nowMs: number,
  resolveMs: number,
  isLabelName: (name: string) => boolean,
): ParsedAlerts {
  const items = listOf(body, 'alerts');
  const alerts: PostedAlert[] = [];
  const refused: string[] = [];
  items.forEach((item, i) => {
    const alert = readAlert(item, String(i), nowMs, resolveMs);
    const reason = problemOf(alert, isLabelName);
    if (reason === undefined) alerts.push(alert);
    else refused.push(reason);
  });
  return { alerts, refused };
}

function readAlert(item: unknown, place: string, nowMs: number, resolveMs: number): PostedAlert {
  const alert = recordOf(item, 'alerts');
  if (alert.labels === undefined || alert.labels === null) throw required(`${place}.labels`);
  const labels = Labels.of(textsOf(alert.labels, 'labels', 'alerts'));
  const annotations = Labels.of(textsOf(alert.annotations, 'annotations', 'alerts'));
  const generatorUrl = textOf(alert.generatorURL, 'alerts');
  if (generatorUrl !== '' && !isUri(generatorUrl)) {
    const message = `${place}.generatorURL in body must be of type uri: ${quoted(generatorUrl)}`;
    throw new ShapeError(422, WRONG_TYPE, message);
  }
  const endsAtMs = timeOf(alert.endsAt, 'alerts');
  // Alertmanager takes the end for the beginning, even one that is ahead; its documents say now.
  const startsAtMs = timeOf(alert.startsAt, 'alerts') ?? Math.min(nowMs, endsAtMs ?? nowMs);
  if (endsAtMs !== undefined) return { labels, annotations, startsAtMs, endsAtMs, generatorUrl };
  const endMs = nowMs + resolveMs;
  return { labels, annotations, startsAtMs, endsAtMs: endMs, generatorUrl, isTimeout: true };
}

function problemOf(
  { labels, annotations, startsAtMs, endsAtMs }: PostedAlert,
  isLabelName: (name: string) => boolean,
): string | undefined {
  if (endsAtMs < startsAtMs) return 'start time must be before end time';
  if (labels.size === 0) return 'at least one label pair required';
  for (const [what, set] of [
    ['invalid label set', labels],
    ['invalid annotations', annotations],
  ] as const) {
    const { pairs } = set;
    for (let i = 0; i < pairs.length; i += 2) {
      if (!isLabelName(pairs[i])) return `${what}: invalid name ${quoted(pairs[i])}`;
      if (!pairs[i + 1].isWellFormed()) return `${what}: invalid value ${quoted(pairs[i + 1])}`;
    }
  }
  return undefined;
}

/** A silence as `amtool` and pages post it. Throws ShapeError, or TytoError `bad_data`. */
export function parseSilence(body: unknown, nowMs: number): Omit<Silence, 'updatedAtMs'> {
  const silence = recordOf(body, 'silence');
  for (const field of ['comment', 'createdBy', 'endsAt', 'matchers', 'startsAt']) {
    if (silence[field] === undefined || silence[field] === null) throw required(field);
  }
  const startsAtMs = timeOf(silence.startsAt, 'silence') ?? nowMs;
  const endsAtMs = timeOf(silence.endsAt, 'silence') ?? 0;
  const matchers = listOf(silence.matchers, 'silence').map(readMatcher);
  if (matchers.length === 0) {
    throw new ShapeError(422, TOO_FEW, 'matchers in body should have at least 1 items');
  }
  const bad = (reason: string) => new TytoError('bad_data', `Failed to create silence: ${reason}`);
  if (startsAtMs >= endsAtMs) throw bad('start time must be before end time');
  if (endsAtMs < nowMs) throw bad("end time can't be in the past");
  const annotations = textsOf(silence.annotations, 'annotations', 'silence');
  return {
    id: textOf(silence.id, 'silence'),
    matchers,
    startsAtMs,
    endsAtMs,
    createdBy: textOf(silence.createdBy, 'silence'),
    comment: textOf(silence.comment, 'silence'),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

function readMatcher(item: unknown, i: number): SilenceMatcher {
  const matcher = recordOf(item, 'silence');
  for (const field of ['isRegex', 'name', 'value']) {
    if (matcher[field] === undefined || matcher[field] === null) {
      throw required(`matchers.${i}.${field}`);
    }
  }
  return {
    name: textOf(matcher.name, 'silence'),
    value: textOf(matcher.value, 'silence'),
    isRegex: flagOf(matcher.isRegex),
    isEqual: matcher.isEqual === undefined || matcher.isEqual === null || flagOf(matcher.isEqual),
  };
}

/** Throws ShapeError for what is no id of a silence. */
export function checkSilenceId(id: string): void {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(id)) return;
  throw new ShapeError(422, WRONG_TYPE, `silenceID in path must be of type uuid: ${quoted(id)}`);
}

function required(field: string): ShapeError {
  return new ShapeError(422, REQUIRED, `${field} in body is required`);
}

/** Of a body that is no JSON of the kind that is asked for. */
function unreadable(body: string, reason: string): ShapeError {
  return new ShapeError(400, 400, `parsing ${body} body from "" failed, because ${reason}`);
}

function listOf(value: unknown, body: string): readonly unknown[] {
  if (value === undefined || value === null) throw required(body);
  if (Array.isArray(value)) return value;
  throw unreadable(body, `json: cannot unmarshal ${kindOf(value)} into a list`);
}

function recordOf(value: unknown, body: string): Record<string, unknown> {
  if (value === undefined || value === null) throw required(body);
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw unreadable(body, `json: cannot unmarshal ${kindOf(value)} into an object`);
}

function textsOf(value: unknown, field: string, body: string): Record<string, string> {
  const record = recordOf(value ?? {}, body);
  for (const name in record) {
    const text = record[name];
    if (typeof text === 'string') continue;
    throw unreadable(body, `json: cannot unmarshal ${kindOf(text)} into ${field} of type string`);
  }
  return record as Record<string, string>;
}

function textOf(value: unknown, body: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw unreadable(body, `json: cannot unmarshal ${kindOf(value)} into a string`);
}

function flagOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw unreadable('silence', `json: cannot unmarshal ${kindOf(value)} into a bool`);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function isUri(text: string): boolean {
  return URL.canParse(text) || (text.startsWith('/') && URL.canParse(text, 'http://host'));
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

const ZERO_TIME_MS = -62_135_596_800_000;

/** Milliseconds of an RFC 3339 text; undefined for an absent one and for Go's zero time. */
function timeOf(value: unknown, body: string): number | undefined {
  const text = textOf(value, body);
  if (text === '') return undefined;
  const isTime = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(text);
  const ms = isTime ? Date.parse(text.replace(/(\.\d{3})\d+/, '$1')) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw unreadable(body, `parsing time ${quoted(text)}: write for example 2026-01-31T15:04:05Z`);
  }
  return ms <= ZERO_TIME_MS ? undefined : ms;
}

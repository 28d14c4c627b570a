/** ExportLogsServiceRequest as JSON, told to the same visitor as the protobuf one. */
import { LABEL_COUNT_MAX } from './limits.ts';
import { parseJson } from './logVisitor.ts';
import { textOf, tooMany } from './otlpAttributes.ts';
import {
  anyValue,
  bad,
  identifier,
  type Json,
  list,
  number,
  object,
  optionalObject,
  string,
} from './otlpJson.ts';
import type { OtlpLogVisitor, OtlpPair } from './otlpLogs.ts';

const NONE = /^0*$/;

/** Throws TytoError `bad_data` for a malformed request, and what visiting throws. */
export function walkOtlpLogsJson(text: string, visitor: OtlpLogVisitor): void {
  for (const item of list(object(parseJson(text), 'the request'), 'resourceLogs')) {
    const resource = object(item, 'resourceLogs');
    visitor.resource(pairsOf(optionalObject(resource, 'resource')));
    for (const scope of list(resource, 'scopeLogs')) {
      walkScope(object(scope, 'scopeLogs'), visitor);
    }
  }
}

function walkScope(scopeLogs: Json, visitor: OtlpLogVisitor): void {
  const scope = optionalObject(scopeLogs, 'scope');
  visitor.scope({
    name: string(scope, 'name'),
    version: string(scope, 'version'),
    attributes: pairsOf(scope),
  });
  for (const item of list(scopeLogs, 'logRecords'))
    visitRecord(object(item, 'logRecords'), visitor);
}

function visitRecord(json: Json, visitor: OtlpLogVisitor): void {
  visitor.record({
    timeNs: nanoseconds(json, 'timeUnixNano'),
    observedNs: nanoseconds(json, 'observedTimeUnixNano'),
    severityNumber: severityOf(json),
    severityText: string(json, 'severityText'),
    body: textOf(anyValue(json.body, 0)),
    attributes: pairsOf(json),
    flags: number(json, 'flags'),
    traceId: identified(json, 'traceId', 32),
    spanId: identified(json, 'spanId', 16),
  });
}

/** A number, or the name of one, `SEVERITY_NUMBER_INFO2`, as protobuf's JSON allows. */
function severityOf(json: Json): number {
  const { severityNumber: given } = json;
  if (typeof given !== 'string' || /^\d+$/.test(given)) return number(json, 'severityNumber');
  const match = /^SEVERITY_NUMBER_(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)([2-4]?)$/.exec(given);
  if (match === null) return 0;
  const base = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].indexOf(match[1]) * 4;
  return base + Number(match[2] || 1);
}

function pairsOf(json: Json): OtlpPair[] {
  const items = list(json, 'attributes');
  if (items.length > LABEL_COUNT_MAX) throw tooMany();
  return items.map((item) => {
    const pair = object(item, 'attributes');
    return [string(pair, 'key'), anyValue(pair.value, 0)];
  });
}

function nanoseconds(json: Json, name: string): bigint {
  const value = json[name] ?? '0';
  if (typeof value === 'string' && /^\d{1,19}$/.test(value)) return BigInt(value);
  if (typeof value === 'number' && value >= 0 && value < 2 ** 63) {
    return BigInt(Math.floor(value));
  }
  throw bad(`${name} is no number of nanoseconds`);
}

/** One of zeros is none. */
function identified(json: Json, name: string, length: number): string {
  const text = identifier(json, name, length);
  return NONE.test(text) ? '' : text;
}

/** What answers OpenTelemetry's exporters: Export…ServiceResponse, or google.rpc.Status. */
import { ProtobufWriter } from './protobufWriter.ts';

export type OtlpEncoding = 'protobuf' | 'json';

/** What was sent, in the words of the answer. */
export type OtlpSignal = 'DataPoints' | 'LogRecords';

/** A message is told where something was rejected, or is worth knowing. */
export function encodeOtlpResponse(
  rejected: number,
  message: string,
  encoding: OtlpEncoding,
  signal: OtlpSignal = 'DataPoints',
): Uint8Array {
  const isPartial = rejected > 0 || message !== '';
  if (encoding === 'json') {
    const partialSuccess = { [`rejected${signal}`]: String(rejected), errorMessage: message };
    return encoder.encode(JSON.stringify(isPartial ? { partialSuccess } : {}));
  }
  const writer = new ProtobufWriter(64);
  if (isPartial) {
    const partial = writer.begin(1);
    writer.int64(1, rejected);
    writer.string(2, message);
    writer.end(partial);
  }
  return writer.finish();
}

/** `code` is one of gRPC's. */
export function encodeOtlpStatus(
  code: number,
  message: string,
  encoding: OtlpEncoding,
): Uint8Array {
  if (encoding === 'json') return encoder.encode(JSON.stringify({ code, message }));
  const writer = new ProtobufWriter(64);
  writer.uint32(1, code);
  writer.string(2, message);
  return writer.finish();
}

const encoder = new TextEncoder();

/** What answers OpenTelemetry's exporters: ExportMetricsServiceResponse, or google.rpc.Status. */
import { ProtobufWriter } from './protobufWriter.ts';

export type OtlpEncoding = 'protobuf' | 'json';

/** A message is told where something was rejected, or is worth knowing. */
export function encodeOtlpResponse(
  rejectedPoints: number,
  message: string,
  encoding: OtlpEncoding,
): Uint8Array {
  const isPartial = rejectedPoints > 0 || message !== '';
  if (encoding === 'json') {
    const partialSuccess = { rejectedDataPoints: String(rejectedPoints), errorMessage: message };
    return encoder.encode(JSON.stringify(isPartial ? { partialSuccess } : {}));
  }
  const writer = new ProtobufWriter(64);
  if (isPartial) {
    const partial = writer.begin(1);
    writer.int64(1, rejectedPoints);
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

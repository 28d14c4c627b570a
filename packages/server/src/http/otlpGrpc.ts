/**
 * OpenTelemetry's protocol over gRPC: the methods Export of metrics and logs. A call is a stream of
 * HTTP/2; its message, and that of the answer, is behind a byte that tells whether it is compressed
 * and four of its length; the outcome is in the trailers.
 */
import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { errorMessage, type Logger, TytoError } from '@tyto/base';
import type { LogOutcome } from '@tyto/collect';
import { encodeOtlpResponse } from '@tyto/wire';
import { errorBody, statusOfError } from './envelope.ts';
import { BodyRefusal, type HeldBodies, type HeldBody } from './heldBodies.ts';
import { grpcCode } from './otlpApi.ts';
import type { OtlpBodies } from './otlpBodies.ts';

export interface OtlpGrpcOptions {
  readonly logger: Logger;
  readonly otlpBodies: OtlpBodies;
  readonly receivedBodies: HeldBodies;
  readonly heldLogBodies: HeldBodies;
  /** Logs of a message, and whose they are by the header X-Scope-OrgID. */
  receiveLogs(
    message: Uint8Array,
    isCompressed: boolean,
    tenant: string | readonly string[] | undefined,
  ): Promise<LogOutcome>;
}

const EXPORT_METRICS = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
const EXPORT_LOGS = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
const METHODS: readonly (string | undefined)[] = [EXPORT_METRICS, EXPORT_LOGS];
const FRAME_BYTES = 5;
/** Calls of one connection that run at once. */
const STREAMS_MAX = 32;
/** A connection over which nothing came for so long is closed; exporters open another. */
const IDLE_MS_MAX = 10 * 60_000;
const MESSAGE_LENGTH_MAX = 1000;
const TYPE = 'application/grpc';
const OK = 0;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;

/** A call that ends with one of gRPC's codes. */
class CallError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export class OtlpGrpcServer {
  readonly #options: OtlpGrpcOptions;
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(options: OtlpGrpcOptions) {
    this.#options = options;
    this.#server = createServer({ settings: { maxConcurrentStreams: STREAMS_MAX } });
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.setTimeout(IDLE_MS_MAX, () => session.destroy());
      session.once('close', () => this.#sessions.delete(session));
      session.on('error', (error: unknown) => this.#complain(error));
    });
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', (error: unknown) => this.#complain(error));
      void this.#answer(stream, headers);
    });
  }

  /** Rejects with the system's error when the port is taken. */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve());
    });
  }

  close(): void {
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
  }

  /** What a peer does to a connection ends that, and nothing else. */
  #complain(error: unknown): void {
    this.#options.logger.debug('a connection of gRPC failed', { error: errorMessage(error) });
  }

  async #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    if (!String(headers['content-type'] ?? '').startsWith(TYPE)) {
      stream.respond({ ':status': 415 }, { endStream: true });
      return;
    }
    try {
      const answer = await this.#call(stream, headers);
      if (stream.destroyed) return;
      stream.respond({ ':status': 200, 'content-type': TYPE }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(OK) }));
      stream.end(framed(answer));
    } catch (error) {
      this.#fail(stream, error);
    }
  }

  async #call(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<Uint8Array> {
    const { otlpBodies, receivedBodies, heldLogBodies, logger } = this.#options;
    const path = headers[':path'];
    if (headers[':method'] !== 'POST' || !METHODS.includes(path)) {
      throw new CallError(UNIMPLEMENTED, `there is no method ${path}`);
    }
    const iterator = (options: { destroyOnReturn: boolean }) => stream.iterator(options);
    const bodies = path === EXPORT_LOGS ? heldLogBodies : receivedBodies;
    const held = await bodies.read({ headers, iterator });
    try {
      const { message, isCompressed } = unframed(held);
      const compression = headers['grpc-encoding'] ?? 'identity';
      if (isCompressed && compression !== 'gzip') {
        throw new CallError(UNIMPLEMENTED, `the compression ${compression} is not known`);
      }
      if (path === EXPORT_LOGS) return await this.#exportLogs(message, isCompressed, headers);
      const outcome = await otlpBodies.receive(message, isCompressed, 'protobuf');
      const { rejectedPoints, message: reason } = outcome;
      if (rejectedPoints > 0) {
        logger.warn('data points of OpenTelemetry were rejected', { rejectedPoints, reason });
      }
      return encodeOtlpResponse(rejectedPoints, reason, 'protobuf');
    } finally {
      held.release();
    }
  }

  async #exportLogs(
    body: Uint8Array,
    isCompressed: boolean,
    headers: IncomingHttpHeaders,
  ): Promise<Uint8Array> {
    const tenant = headers['x-scope-orgid'];
    const outcome = await this.#options.receiveLogs(body, isCompressed, tenant);
    const { status, refusedLines } = outcome;
    if (status === 429) throw new CallError(RESOURCE_EXHAUSTED, outcome.message);
    // An empty request is none that failed.
    const message = status === 422 ? '' : outcome.message;
    return encodeOtlpResponse(refusedLines, message, 'protobuf', 'LogRecords');
  }

  #fail(stream: ServerHttp2Stream, error: unknown): void {
    const isRetried =
      error instanceof TytoError && (error.kind === 'io' || error.kind === 'internal');
    const status = isRetried ? 503 : statusOfError(error);
    const code = error instanceof CallError ? error.code : grpcCode(status);
    const isOurs = !(error instanceof CallError || error instanceof BodyRefusal);
    if (status >= 500 && isOurs) {
      const fields = { error: errorMessage(error) };
      this.#options.logger.error('a request of OpenTelemetry failed', fields);
    }
    if (stream.destroyed || stream.headersSent) return;
    const isTold = error instanceof CallError || error instanceof BodyRefusal;
    const message = isTold ? error.message : errorBody(error).error;
    stream.respond(
      {
        ':status': 200,
        'content-type': TYPE,
        'grpc-accept-encoding': 'gzip,identity',
        'grpc-status': String(code),
        'grpc-message': encodeURIComponent(message.slice(0, MESSAGE_LENGTH_MAX).toWellFormed()),
      },
      { endStream: true },
    );
    // The rest of a body that is not wanted is not read.
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

function unframed({ pieces }: HeldBody): { message: Uint8Array; isCompressed: boolean } {
  const body = Buffer.concat(pieces);
  const length = body.length < FRAME_BYTES ? -1 : body.readUInt32BE(1);
  if (length !== body.length - FRAME_BYTES || body[0] > 1) {
    throw new CallError(UNIMPLEMENTED, 'expected exactly one message, framed as gRPC has it');
  }
  return { message: body.subarray(FRAME_BYTES), isCompressed: body[0] === 1 };
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME_BYTES + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, FRAME_BYTES);
  return frame;
}

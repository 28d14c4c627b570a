/**
 * Asking ClickHouse: the engine behind its socket or a server, through one client. Errors come as
 * TytoError, with ClickHouse's own words where they help.
 */
import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError, createClient } from '@clickhouse/client';
import { type ErrorKind, errorCode, errorMessage, TytoError } from '@tyto/base';
import { ANSWER_BYTES_MAX, QUERY_BYTES_MAX, QUERY_SECONDS_MAX } from './limits.ts';

export interface ClickHouseOptions {
  /** `http(s)://user:password@host:port/database`. */
  readonly url: string;
  /** The engine's socket, in place of the URL's host. */
  readonly socketPath?: string | undefined;
}

/** What was asked since the start. */
export interface AskTotals {
  queries: number;
  inserts: number;
  /** Of both; those that the caller ended are no failures. */
  failures: number;
  running: number;
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** Codes of ClickHouse's exceptions by what they mean for who asked. */
const KINDS: Readonly<Record<string, ErrorKind>> = {
  158: 'too_large',
  159: 'timeout',
  160: 'timeout',
  202: 'unavailable',
  203: 'unavailable',
  241: 'too_large',
  252: 'unavailable',
  307: 'too_large',
  394: 'canceled',
  396: 'too_large',
  74: 'io',
  75: 'io',
  76: 'io',
};
/** What to do, where ClickHouse's words do not say it. */
const ADVICE: Readonly<Record<string, string>> = {
  159: 'the query takes too long; ask for a shorter time or fewer streams',
  241: 'the query needs too much memory; ask for a shorter time, or group by fewer values',
  396: 'the answer is too large; add a LIMIT, or group',
};
/** ClickHouse reserves what it will write before it begins. */
const NOT_ENOUGH_SPACE = '243';
const CONNECTION_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ENOTFOUND']);

export class ClickHouse {
  readonly #client: ClickHouseClient;
  readonly #totals: AskTotals = { queries: 0, inserts: 0, failures: 0, running: 0 };

  constructor({ url, socketPath }: ClickHouseOptions) {
    this.#client = createClient({
      url,
      request_timeout: (QUERY_SECONDS_MAX + 5) * 1000,
      max_open_connections: 64,
      compression: { request: false, response: false },
      // The engine has this by default; queries name all streams that they read.
      ...(socketPath === undefined
        ? { clickhouse_settings: { max_query_size: String(QUERY_BYTES_MAX) } }
        : {}),
      // The client logs every failed request by itself, and callers tell what matters.
      log: { level: 127 as never },
      ...(socketPath === undefined
        ? {}
        : { http_agent: new Agent({ socketPath, keepAlive: true, maxSockets: 64 } as object) }),
    });
  }

  get totals(): Readonly<AskTotals> {
    return this.#totals;
  }

  /** Runs a statement that has no answer. */
  async command(sql: string, options: AskOptions = {}): Promise<void> {
    await this.query(sql, options);
  }

  /** The whole answer, in the format that the query names. */
  async query(sql: string, options: AskOptions = {}): Promise<Buffer> {
    return this.#ask('queries', options.signal, async () => {
      const { stream } = await this.#client.exec({ query: sql, ...given(options, true) });
      return readWhole(stream);
    });
  }

  /** Rows of a query without FORMAT, as arrays of JSON; numbers of 64 bits are texts. */
  async rows<T extends readonly unknown[]>(sql: string, options: AskOptions = {}): Promise<T[]> {
    const text = await this.query(
      `${sql} SETTINGS output_format_json_quote_64bit_integers = 1 FORMAT JSONCompactEachRow`,
      options,
    );
    const lines = text.toString('utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
  }

  /** The answer as it comes; who asked reads it or destroys it. */
  async stream(sql: string, options: AskOptions = {}): Promise<Readable> {
    return this.#ask('queries', options.signal, async () => {
      const { stream } = await this.#client.exec({ query: sql, ...given(options, false) });
      return stream;
    });
  }

  /** `sql` is `INSERT INTO … FORMAT …`, `body` the data. Resolves when it is stored. */
  async insert(sql: string, body: readonly Buffer[], options: AskOptions = {}): Promise<void> {
    await this.#ask('inserts', options.signal, async () => {
      const { stream } = await this.#client.exec({
        query: sql,
        values: Readable.from(body, { objectMode: false }),
        ...given(options, true),
      });
      return readWhole(stream);
    });
  }

  async isThere(): Promise<boolean> {
    const result = await this.#client.ping();
    return result.success;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** An answer that comes in pieces counts as running until its first piece. */
  async #ask<T>(
    kind: 'queries' | 'inserts',
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const totals = this.#totals;
    totals[kind]++;
    totals.running++;
    try {
      return await within(signal, work);
    } catch (error) {
      if (!(error instanceof TytoError && error.kind === 'canceled')) totals.failures++;
      throw error;
    } finally {
      totals.running--;
    }
  }
}

function given({ signal, settings }: AskOptions, isWhole: boolean) {
  return {
    ...(signal === undefined ? {} : { abort_signal: signal }),
    clickhouse_settings: {
      ...settings,
      // An answer that is sent at its end has a status, also when it fails in the middle.
      ...(isWhole ? { wait_end_of_query: 1 as const } : {}),
    },
  };
}

async function readWhole(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > ANSWER_BYTES_MAX) {
      stream.destroy();
      throw new TytoError('too_large', 'the answer is too large; narrow the query');
    }
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

async function within<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const isEnded = () => signal?.aborted === true;
  if (isEnded()) throw new TytoError('canceled', 'the query was ended');
  try {
    return await work();
  } catch (error) {
    throw isEnded() ? new TytoError('canceled', 'the query was ended') : tytoError(error);
  }
}

function tytoError(error: unknown): TytoError {
  if (error instanceof TytoError) return error;
  if (error instanceof ClickHouseError) {
    const message = shortMessage(error.message);
    if (error.code === NOT_ENOUGH_SPACE || isNoSpace(error.message)) {
      const advice = 'make room, or keep logs for a shorter time';
      const text = `log store: the disk is full; ${advice} (${message})`;
      return new TytoError('io', text, { cause: error });
    }
    const advice = ADVICE[error.code];
    const text = advice === undefined ? message : `${advice} (${message})`;
    return new TytoError(KINDS[error.code] ?? 'execution', `log store: ${text}`, { cause: error });
  }
  const code = errorCode(error);
  const message = errorMessage(error);
  if (/timeout/i.test(message)) {
    return new TytoError('timeout', 'the log store took too long', { cause: error });
  }
  const isGone = code === undefined || CONNECTION_CODES.has(code);
  return new TytoError(
    isGone ? 'unavailable' : 'io',
    `the log store does not answer (${message}); try again`,
    { cause: error },
  );
}

function isNoSpace(message: string): boolean {
  return message.includes('No space left on device') || message.includes('Disk quota exceeded');
}

/** Without the stack and version that ClickHouse adds. */
function shortMessage(message: string): string {
  return message
    .replace(/\(version [^)]*\)\.?/, '')
    .trim()
    .slice(0, 500);
}

/** The number of ClickHouse's exception behind an error, where there is one. */
export function clickHouseCode(error: unknown): number | undefined {
  const cause = error instanceof TytoError ? error.cause : error;
  return cause instanceof ClickHouseError ? Number(cause.code) : undefined;
}

/** A text as a literal of ClickHouse's SQL. */
export function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`;
}

/**
 * ClickHouse's HTTP interface over chDB, as far as `@clickhouse/client` and curl need it: queries
 * by GET and POST, settings and `param_` in the URL, inserts with a body, exceptions with their
 * codes. https://clickhouse.com/docs/interfaces/http
 *
 * chDB takes binary data from files only, so the body of an insert goes to a file of its own first.
 */
import { createWriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errorCode, errorMessage } from '@tyto/base';
import { QUERY_BYTES_MAX } from '../limits.ts';
import type { EngineQuery, Sessions } from './sessions.ts';

/** Parameters of the URL that are no settings. */
const NO_SETTINGS = new Set([
  'query',
  'query_id',
  'session_id',
  'database',
  'default_format',
  'wait_end_of_query',
  'enable_http_compression',
  'compress',
  'decompress',
  'user',
  'password',
  'role',
]);
const SETTING_NAME = /^[a-z][a-z0-9_]{0,99}$/;
/** `INSERT INTO t (…) SETTINGS … FORMAT Name`, with nothing behind it: the data is the body. */
const INSERT = /^\s*(insert\s+into\s.*?)(\ssettings\s.*?)?\sformat\s+([a-z0-9]+)\s*$/is;
const FORMAT = /\sformat\s+(\w+)\s*$/i;
/** Formats without a beginning or an end: chDB writes those around every piece. */
const PIECEWISE = new Set([
  'csv',
  'jsoncompacteachrow',
  'jsoneachrow',
  'native',
  'rowbinary',
  'tabseparated',
  'tsv',
]);
const CODE = /Code: (\d+)/;
/** Codes of ClickHouse for what happens outside of it. */
const NOT_ENOUGH_SPACE = 243;
const BAD_ARGUMENTS = 36;
const TOO_MANY_SIMULTANEOUS_QUERIES = 202;

export interface HttpInterfaceOptions {
  readonly sessions: Sessions;
  /** Holds the bodies of inserts while they are read. Private to this user. */
  readonly spoolDirectory: string;
}

/** A problem with the request itself, told as ClickHouse would. */
class RequestError extends Error {}

export function createHttpInterface(options: HttpInterfaceOptions): Server {
  let count = 0;
  return createServer((request, response) => {
    count++;
    answer(options, request, response, `tyto-${count}`).catch((error: unknown) =>
      fail(response, error),
    );
  });
}

async function answer(
  options: HttpInterfaceOptions,
  request: IncomingMessage,
  response: ServerResponse,
  mark: string,
): Promise<void> {
  const url = readUrl(request);
  if (url.pathname === '/ping') {
    request.resume();
    response.end('Ok.\n');
    return;
  }
  if (url.pathname !== '/') throw new RequestError(`there is no ${url.pathname}`);
  const statement = url.searchParams.get('query') ?? '';
  const insert = request.method === 'POST' ? INSERT.exec(statement) : null;
  let isOver = false;
  response.once('close', () => {
    if (!isOver) options.sessions.kill(mark).catch(() => undefined);
  });
  try {
    if (insert !== null) await runInsert(options, request, response, url, insert, mark);
    else {
      const body = request.method === 'GET' ? '' : await readText(request);
      const sql = `${statement}${statement !== '' && body !== '' ? '\n' : ''}${body}`;
      await runQuery(options.sessions, response, queryOf(url, sql, mark), url);
    }
  } finally {
    isOver = true;
  }
}

async function runQuery(
  sessions: Sessions,
  response: ServerResponse,
  query: EngineQuery,
  url: URL,
): Promise<void> {
  const format = FORMAT.exec(query.sql)?.[1] ?? query.format;
  const isWhole =
    url.searchParams.get('wait_end_of_query') === '1' ||
    Object.keys(query.parameters).length > 0 ||
    !PIECEWISE.has(format.toLowerCase());
  if (isWhole || !/^\s*(select|with)\b/i.test(query.sql)) {
    const result = await sessions.run(query);
    begin(response, query.format);
    response.end(result.bytes());
    return;
  }
  await sessions.stream(query, async (bytes) => {
    begin(response, query.format);
    if (response.destroyed) return false;
    if (!response.write(bytes)) await drained(response);
    return !response.destroyed;
  });
  begin(response, query.format);
  response.end();
}

/** The settings of the URL are written into the statement, so that its session stays usable. */
async function runInsert(
  { sessions, spoolDirectory }: HttpInterfaceOptions,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  [, head, settings, format]: RegExpExecArray,
  mark: string,
): Promise<void> {
  const path = join(spoolDirectory, `${mark}.insert`);
  try {
    await pipeline(request, createWriteStream(path, { mode: 0o600 }));
    const file = path.replace(/[\\']/g, '\\$&');
    const sql = `${head} FROM INFILE '${file}'${settings ?? ''} FORMAT ${format}`;
    await sessions.run(queryOf(url, sql, mark));
    begin(response, 'Null');
    response.end();
  } finally {
    await unlink(path).catch(() => undefined);
  }
}

function queryOf(url: URL, sql: string, mark: string): EngineQuery {
  const settings = new Map<string, string>();
  const parameters: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) parameters[name.slice(6)] = value;
    else if (!NO_SETTINGS.has(name)) {
      if (!SETTING_NAME.test(name)) throw new RequestError(`${name} is no setting`);
      settings.set(name, value);
    }
  }
  const format = url.searchParams.get('default_format') ?? 'TabSeparated';
  if (!/^\w{1,50}$/.test(format)) throw new RequestError('default_format is no format');
  if (sql.trim() === '') throw new RequestError('the query is empty');
  return { sql, format, mark, settings, parameters };
}

function readUrl(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', 'http://engine');
  } catch {
    throw new RequestError('the URL of the request is not valid');
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > QUERY_BYTES_MAX) throw new RequestError('the query is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function begin(response: ServerResponse, format: string): void {
  if (response.headersSent) return;
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'x-clickhouse-format': format,
    'x-clickhouse-server-display-name': 'tyto',
  });
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go);
      response.off('close', go);
      resolve();
    };
    response.on('drain', go);
    response.on('close', go);
  });
}

/** Before the first byte an exception is an answer; behind it only the connection can tell. */
function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const message = errorMessage(error).replace(/^Query failed: /, '');
  const code = codeOf(error, message);
  const status = error instanceof RequestError ? 400 : code === NOT_ENOUGH_SPACE ? 507 : 500;
  // What was not read of the request would be taken for the next one.
  response.writeHead(status, { 'x-clickhouse-exception-code': String(code), connection: 'close' });
  const isComplete = CODE.test(message);
  response.end(isComplete ? message : `Code: ${code}. DB::Exception: ${message}. (TYTO)`);
}

function codeOf(error: unknown, message: string): number {
  if (error instanceof RequestError) return BAD_ARGUMENTS;
  const codes = CODE.exec(message);
  if (codes !== null) return Number(codes[1]);
  if (errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT') return NOT_ENOUGH_SPACE;
  return message.includes('too many queries') ? TOO_MANY_SIMULTANEOUS_QUERIES : 1000;
}

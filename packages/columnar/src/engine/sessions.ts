/**
 * chDB's sessions: one for each query that runs, since queries in one session run one after
 * another. Those without settings of their own are used again; a session that was given settings
 * is closed, as they would stay.
 */
import { createRequire } from 'node:module';
import { errorCode, TytoError } from '@tyto/base';
import { QUERIES_MAX, QUERIES_WAITING_MAX } from '../limits.ts';

/** The part of chDB's session that is used. */
interface Session {
  queryAsync(sql: string, options: { format: string }): Promise<Answer>;
  queryBindAsync(sql: string, values: object, options: { format: string }): Promise<Answer>;
  queryStream(sql: string, options: { format: string }): AsyncIterable<{ raw(): Uint8Array }>;
  close(): void;
}

interface Answer {
  readonly rowsRead: number;
  readonly bytesRead: number;
  bytes(): Uint8Array;
}

interface ChdbModule {
  Session: new (path: string, options: { connectionArgs: readonly string[] }) => Session;
}

export interface EngineQuery {
  readonly sql: string;
  readonly format: string;
  /** A mark in the text of the query, by which it can be ended. */
  readonly mark: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly parameters: Readonly<Record<string, string>>;
}

export class Sessions {
  readonly #module: ChdbModule;
  readonly #directory: string;
  readonly #arguments: readonly string[];
  /** Keeps the database open, and ends queries. */
  readonly #control: Session;
  readonly #free: Session[] = [];
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(directory: string, connectionArguments: readonly string[]) {
    this.#module = loadChdb();
    this.#directory = directory;
    this.#arguments = connectionArguments;
    this.#control = this.#open();
  }

  get running(): number {
    return this.#running;
  }

  /** The whole answer. */
  async run(query: EngineQuery): Promise<Answer> {
    return this.#withSession(query, async (session, sql) =>
      Object.keys(query.parameters).length === 0
        ? await session.queryAsync(sql, { format: query.format })
        : await session.queryBindAsync(sql, query.parameters, { format: query.format }),
    );
  }

  /** The answer in pieces; `take` resolves when the next may come, false when none is wanted. */
  async stream(query: EngineQuery, take: (bytes: Uint8Array) => Promise<boolean>): Promise<void> {
    await this.#withSession(query, async (session, sql) => {
      for await (const piece of session.queryStream(sql, { format: query.format })) {
        if (!(await take(piece.raw()))) return;
      }
    });
  }

  /** Ends the queries with the mark. It is only asked to; the query fails a little later. */
  async kill(mark: string): Promise<void> {
    const condition = `position(query, ${quote(`/* ${mark} */`)}) = 1`;
    await this.#control.queryAsync(
      `KILL QUERY WHERE ${condition} AND query_id != queryID() ASYNC`,
      { format: 'Null' },
    );
  }

  close(): void {
    for (const session of this.#free) session.close();
    this.#control.close();
  }

  async #withSession<T>(
    query: EngineQuery,
    work: (session: Session, sql: string) => Promise<T>,
  ): Promise<T> {
    await this.#enter();
    let session: Session | undefined;
    try {
      const isPlain = query.settings.size === 0;
      session = (isPlain ? this.#free.pop() : undefined) ?? this.#open();
      if (!isPlain) await session.queryAsync(setStatement(query.settings), { format: 'Null' });
      const answer = await work(session, `/* ${query.mark} */ ${query.sql}`);
      if (isPlain) {
        this.#free.push(session);
        session = undefined;
      }
      return answer;
    } finally {
      session?.close();
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running >= QUERIES_MAX) {
      if (this.#waiting.length >= QUERIES_WAITING_MAX) {
        throw new TytoError('unavailable', 'too many queries wait for the log store; ask later');
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }

  #open(): Session {
    return new this.#module.Session(this.#directory, { connectionArgs: this.#arguments });
  }
}

/** A text as a literal of ClickHouse's SQL. */
function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** Names are checked where they come in. */
function setStatement(settings: ReadonlyMap<string, string>): string {
  // Settings that forbid to change settings come last.
  const ordered = [...settings].sort(
    ([a], [b]) => Number(a === 'readonly') - Number(b === 'readonly'),
  );
  return `SET ${ordered.map(([name, value]) => `${name} = ${settingValue(value)}`).join(', ')}`;
}

function settingValue(value: string): string {
  return /^-?\d{1,19}$/.test(value) || value.startsWith('{') ? value : quote(value);
}

function loadChdb(): ChdbModule {
  try {
    return createRequire(import.meta.url)('chdb') as ChdbModule;
  } catch (error) {
    const isMissing = errorCode(error) === 'MODULE_NOT_FOUND';
    const reason = isMissing ? 'the package chdb is not installed' : String(error);
    throw new TytoError(
      'unavailable',
      `logs need ClickHouse, and ${reason}: run "npm install chdb", or name a server`,
      { cause: error },
    );
  }
}

/** Lines to standard output, in pieces and no faster than they are taken. */
import { once } from 'node:events';
import { errorCode, TytoError } from '@tyto/base';

const BUFFER_CHARACTERS = 64 * 1024;

export class Output {
  readonly #stream: NodeJS.WritableStream;
  #buffered: string[] = [];
  #size = 0;

  /** Whether nobody reads any more, as after `| head`. */
  isClosed = false;

  constructor(stream: NodeJS.WritableStream = process.stdout) {
    this.#stream = stream;
    stream.on('error', (error: Error) => {
      if (errorCode(error) !== 'EPIPE') throw error;
      this.isClosed = true;
    });
  }

  /** Whether enough waits that `flush` should be awaited. */
  get isFull(): boolean {
    return this.#size >= BUFFER_CHARACTERS;
  }

  line(text: string): void {
    this.#buffered.push(text, '\n');
    this.#size += text.length + 1;
  }

  /** Rejects with TytoError `canceled` once nobody reads any more. */
  async flush(): Promise<void> {
    const text = this.#buffered.join('');
    this.#buffered = [];
    this.#size = 0;
    if (text !== '' && !this.isClosed && !this.#stream.write(text)) {
      await once(this.#stream, 'drain').catch(() => undefined);
    }
    if (this.isClosed) throw new TytoError('canceled', 'nobody reads the output any more');
  }
}

/** A column is at least so wide, as promtool's. */
const COLUMN_MIN = 13;

/** Rows as columns, two blanks apart, the last one as it is. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) =>
    Math.max(COLUMN_MIN - 2, ...rows.map((row) => [...row[i]].length)),
  );
  return rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] + 2))).join(''),
  );
}

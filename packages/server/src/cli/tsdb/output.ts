/** Lines to standard output, in pieces and no faster than they are taken. */
import { once } from 'node:events';

const BUFFER_CHARACTERS = 64 * 1024;

export class Output {
  readonly #stream: NodeJS.WritableStream;
  #buffered: string[] = [];
  #size = 0;

  constructor(stream: NodeJS.WritableStream = process.stdout) {
    this.#stream = stream;
  }

  /** Whether enough waits that `flush` should be awaited. */
  get isFull(): boolean {
    return this.#size >= BUFFER_CHARACTERS;
  }

  line(text: string): void {
    this.#buffered.push(text, '\n');
    this.#size += text.length + 1;
  }

  async flush(): Promise<void> {
    const text = this.#buffered.join('');
    this.#buffered = [];
    this.#size = 0;
    if (text !== '' && !this.#stream.write(text)) await once(this.#stream, 'drain');
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

/**
 * The journal of a process that will be killed: a line of JSON for each event, handed to the
 * system before the process goes on. The one that killed it reads what had been promised.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';

export type CrashEvent =
  | { readonly kind: 'open' }
  /** A commit of this batch begins; of the slots `refused` the store took no sample. */
  | { readonly kind: 'try'; readonly batch: number; readonly refused: readonly number[] }
  | { readonly kind: 'acknowledged'; readonly batch: number }
  | { readonly kind: 'failed'; readonly batch: number; readonly error: string }
  /** Bytes went to a file of the log, while batches from `from` to `to` were under way. */
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly position: number;
      readonly length: number;
      readonly from: number;
      readonly to: number;
    }
  /** A file was forced to the disk up to this size. */
  | { readonly kind: 'synced'; readonly path: string; readonly size: number }
  /** All that was acknowledged before the nth acknowledgement has been forced to the disk. */
  | { readonly kind: 'durable'; readonly acknowledgements: number }
  | { readonly kind: 'full' }
  | { readonly kind: 'space' }
  /** What the process itself found wrong. */
  | { readonly kind: 'problem'; readonly text: string };

export class CrashJournal {
  readonly #descriptor: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'a');
  }

  write(event: CrashEvent): void {
    writeSync(this.#descriptor, `${JSON.stringify(event)}\n`);
  }
}

/** All events; a last line that the kill cut off is left out. */
export function readJournal(path: string): CrashEvent[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as CrashEvent);
}

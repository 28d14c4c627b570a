/**
 * How far a queue was sent, so that a start goes on from there. A round of sending is planned here
 * before its first request leaves, and each answered request is noted: a start after a crash makes
 * the same requests once more, without those that were answered. A receiver has therefore all of
 * such a request already, or nothing, and never half of it.
 *
 * Lines of `crc32 json`. A torn or damaged line is the end of what is read.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorMessage, type Logger } from '@tyto/base';
import type { AppendFile, Disk } from '@tyto/tsdb';
import { POSITION_BYTES_MAX } from '../limits.ts';

/** Between two records of a queue. */
export interface QueuePosition {
  readonly segment: number;
  readonly offset: number;
}

/** Everything that decides which sample is in which request. */
export interface RoundPlan {
  readonly from: QueuePosition;
  readonly to: QueuePosition;
  readonly shards: number;
  readonly samplesPerSendMax: number;
  /** Older samples are left out. */
  readonly oldestMs: number;
}

export interface FoundPosition {
  /** Undefined for a queue that was never sent from. */
  readonly position: QueuePosition | undefined;
  /** The round that was under way, and the numbers of its answered requests. */
  readonly plan: RoundPlan | undefined;
  readonly answered: ReadonlySet<number>;
}

type Line =
  | { readonly plan: RoundPlan }
  | { readonly answered: number }
  | { readonly done: QueuePosition };

const NAME = 'position';

export class PositionLog {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #logger: Logger;
  #file: AppendFile | undefined;
  #bytes: number;
  #last: Promise<void> = Promise.resolve();
  #isBroken = false;

  private constructor(disk: Disk, directory: string, logger: Logger, bytes: number) {
    this.#disk = disk;
    this.#directory = directory;
    this.#logger = logger;
    this.#bytes = bytes;
  }

  static async open(
    disk: Disk,
    directory: string,
    logger: Logger,
  ): Promise<{ log: PositionLog; found: FoundPosition }> {
    const names = await disk.list(directory);
    const path = join(directory, NAME);
    const text = names.includes(NAME) ? new TextDecoder().decode(await disk.readFile(path)) : '';
    const found = readLines(text);
    const log = new PositionLog(disk, directory, logger, text.length);
    // What was read is written anew: nothing may follow a torn line.
    await log.#run(() => log.#rewrite(linesOf(found)));
    return { log, found };
  }

  /** Resolves when the plan survives the death of the process, or cannot be written. */
  plan(plan: RoundPlan): Promise<void> {
    return this.#append({ plan });
  }

  answered(request: number): Promise<void> {
    return this.#append({ answered: request });
  }

  done(position: QueuePosition): Promise<void> {
    if (this.#bytes < POSITION_BYTES_MAX) return this.#append({ done: position });
    return this.#run(() => this.#rewrite([{ done: position }]));
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file?.close();
    this.#file = undefined;
  }

  #append(line: Line): Promise<void> {
    return this.#run(async () => {
      this.#file ??= await this.#disk.openAppend(join(this.#directory, NAME));
      const bytes = encodeLine(line);
      await this.#file.write(bytes);
      this.#bytes += bytes.length;
    });
  }

  async #rewrite(lines: readonly Line[]): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    const path = join(this.#directory, NAME);
    const temporary = `${path}.tmp`;
    await this.#disk.remove(temporary);
    const file = await this.#disk.openAppend(temporary);
    const bytes = Buffer.concat(lines.map(encodeLine));
    try {
      await file.write(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#disk.rename(temporary, path);
    this.#bytes = bytes.length;
  }

  /** One after the other. A disk that refuses costs repeated requests after a crash, no more. */
  #run(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work).then(
      () => {
        this.#isBroken = false;
      },
      (error: unknown) => {
        // A torn line would hide what follows it: the next `done` begins anew.
        this.#bytes = POSITION_BYTES_MAX;
        if (this.#isBroken) return;
        this.#isBroken = true;
        this.#logger.warn('the position of a remote write queue cannot be written', {
          directory: this.#directory,
          error: errorMessage(error),
        });
      },
    );
    return this.#last;
  }
}

function encodeLine(line: Line): Uint8Array {
  const text = JSON.stringify(line);
  return Buffer.from(`${crc32(text).toString(16).padStart(8, '0')} ${text}\n`);
}

function readLines(text: string): FoundPosition {
  let position: QueuePosition | undefined;
  let plan: RoundPlan | undefined;
  let answered = new Set<number>();
  // Without the part behind the last line feed: it is torn, or nothing.
  for (const row of text.split('\n').slice(0, -1)) {
    const json = row.slice(9);
    if (row.slice(0, 8) !== crc32(json).toString(16).padStart(8, '0')) break;
    const line = JSON.parse(json) as Line;
    if ('plan' in line) {
      plan = line.plan;
      position = line.plan.from;
      answered = new Set();
    } else if ('done' in line) {
      plan = undefined;
      position = line.done;
      answered = new Set();
    } else answered.add(line.answered);
  }
  return { position, plan, answered };
}

function linesOf({ position, plan, answered }: FoundPosition): Line[] {
  if (plan === undefined) return position === undefined ? [] : [{ done: position }];
  return [{ plan }, ...[...answered].map((request) => ({ answered: request }))];
}

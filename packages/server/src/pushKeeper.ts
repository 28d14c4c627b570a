/** Keeps pushed metrics in a file of the data directory, so that they survive a restart. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, errorCode, errorMessage, type Logger, type Timer } from '@tyto/base';
import { decodePushed, encodePushed, type PushGateway } from '@tyto/collect';

/** Changes within this time are written together; a crash costs no more than them. */
const DELAY_MS = 1000;

export class PushKeeper {
  readonly #pushes: PushGateway;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #writtenVersion = 0;

  constructor(pushes: PushGateway, dataDirectory: string, clock: Clock, logger: Logger) {
    this.#pushes = pushes;
    this.#directory = join(dataDirectory, 'pushed');
    this.#clock = clock;
    this.#logger = logger;
  }

  get #path(): string {
    return join(this.#directory, 'groups');
  }

  /** Reads the file, where there is one. A damaged one is put aside, and said so. */
  async restore(): Promise<void> {
    try {
      this.#pushes.restore(decodePushed(await readFile(this.#path)));
      this.#writtenVersion = this.#pushes.version;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      const aside = `${this.#path}.damaged`;
      const reason = errorMessage(error);
      this.#logger.error('pushed metrics cannot be read; they are put aside', { aside, reason });
      await rename(this.#path, aside);
    }
  }

  /** To be called after each change. */
  changed(): void {
    this.#timer ??= this.#clock.schedule(DELAY_MS, () => {
      this.#timer = undefined;
      this.#write();
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#writing = this.#writing
      .then(() => this.#writeNow())
      .catch((error: unknown) => {
        const reason = errorMessage(error);
        this.#logger.error('pushed metrics cannot be written to disk', { reason });
      });
  }

  async #writeNow(): Promise<void> {
    const { version } = this.#pushes;
    if (version === this.#writtenVersion) return;
    await mkdir(this.#directory, { recursive: true });
    const draft = `${this.#path}.new`;
    const file = await open(draft, 'w');
    try {
      await file.writeFile(encodePushed(this.#pushes.save()));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.#path);
    this.#writtenVersion = version;
  }
}

/** A disk that dies: after so many operations all others fail, as when the process has ended. */
import { type AppendFile, type Disk, nodeDisk } from '../disk.ts';

export class CrashingDisk implements Disk {
  /** Operations that still succeed. */
  left = Infinity;

  readonly openRead = nodeDisk.openRead;
  readonly makeDirectory = this.#counted(nodeDisk.makeDirectory);
  readonly list = this.#counted(nodeDisk.list);
  readonly readFile = this.#counted(nodeDisk.readFile);
  readonly rename = this.#counted(nodeDisk.rename);
  readonly link = this.#counted(nodeDisk.link);
  readonly remove = this.#counted(nodeDisk.remove);
  readonly size = this.#counted(nodeDisk.size);
  readonly syncDirectory = this.#counted(nodeDisk.syncDirectory);

  async openAppend(path: string): Promise<AppendFile> {
    this.#count();
    const file = await nodeDisk.openAppend(path);
    return {
      close: file.close,
      sync: this.#counted(file.sync),
      truncate: this.#counted(file.truncate),
      write: async (bytes) => {
        // The last write that begins is torn.
        if (this.left === 0) await file.write(bytes.subarray(0, bytes.length / 2));
        this.#count();
        await file.write(bytes);
      },
    };
  }

  #counted<A extends unknown[], T>(run: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
    return async (...args) => {
      this.#count();
      return run(...args);
    };
  }

  #count(): void {
    if (this.left <= 0) {
      this.left = -1;
      throw new Error('the process has ended');
    }
    this.left--;
  }
}

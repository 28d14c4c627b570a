/**
 * The real disk, watched: it tells the journal what was written and what was forced, gets full,
 * and may kill the process in the middle of an operation.
 */
import { writeSync } from 'node:fs';
import { type AppendFile, type Disk, nodeDisk } from '@tyto/tsdb';

export interface CrashDiskOptions {
  /** The operation in which the process is killed; none: it is killed from outside. */
  readonly killAtOperation: number | undefined;
  readonly freeBytes: number | undefined;
  readonly fullMs: number;
  /** Bytes begin to go to a file. */
  writing(path: string, position: number, length: number): void;
  /** A file was forced to the disk, up to this size. */
  synced(path: string, size: number): void;
  removed(path: string): void;
  renamed(from: string, to: string): void;
  /** The disk is full now, or has space again. */
  filled(isFull: boolean): void;
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal comes at once; nothing else runs meanwhile.
  for (;;) writeSync(2, '');
}

export function crashDisk(options: CrashDiskOptions): Disk {
  let operations = 0;
  let freeBytes = options.freeBytes ?? Infinity;
  let isFull = false;
  const isFatal = () => ++operations === options.killAtOperation;
  const taken = (length: number) => {
    const bytes = Math.min(length, freeBytes);
    freeBytes -= bytes;
    if (bytes < length && !isFull) {
      isFull = true;
      options.filled(true);
      setTimeout(() => {
        freeBytes = Infinity;
        options.filled(false);
      }, options.fullMs);
    }
    return bytes;
  };

  const openAppend = async (path: string): Promise<AppendFile> => {
    if (isFatal()) die();
    const file = await nodeDisk.openAppend(path);
    let size = await nodeDisk.size(path);
    let writtenBytes = size;
    return {
      close: () => file.close(),
      async write(bytes) {
        options.writing(path, size, bytes.length);
        if (isFatal()) {
          await file.write(bytes.subarray(0, Math.floor(bytes.length / 2)));
          die();
        }
        const length = taken(bytes.length);
        size += length;
        await file.write(bytes.subarray(0, length));
        writtenBytes = size;
        if (length === bytes.length) return;
        const text = 'ENOSPC: no space left on device, write';
        throw Object.assign(new Error(text), { code: 'ENOSPC' });
      },
      async sync() {
        const forced = writtenBytes;
        if (isFatal()) die();
        await file.sync();
        options.synced(path, forced);
      },
      async truncate(to) {
        if (isFatal()) die();
        await file.truncate(to);
        size = writtenBytes = Math.min(size, to);
      },
    };
  };

  return {
    ...nodeDisk,
    openAppend,
    async rename(from, to) {
      if (isFatal()) die();
      await nodeDisk.rename(from, to);
      options.renamed(from, to);
    },
    async remove(path) {
      if (isFatal()) die();
      await nodeDisk.remove(path);
      options.removed(path);
    },
  };
}

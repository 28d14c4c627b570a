/** The disk as a parameter, so that tests can break it. `nodeDisk` is the real one. */
import { closeSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '@tyto/base';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';

export interface AppendFile {
  /** Writes all bytes at the end, or rejects having written any part of them. */
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

export interface ReadFile {
  /** Fills `target` from `position`; returns fewer bytes only at the end of the file. */
  readSync(target: Uint8Array, position: number): number;
  close(): void;
}

export interface Disk {
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory, sorted; empty when there is no such directory. */
  list(path: string): Promise<string[]>;
  readFile(path: string): Promise<Uint8Array>;
  openRead(path: string): ReadFile;
  /** Opens for appending; creates the file when it is absent. */
  openAppend(path: string): Promise<AppendFile>;
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second name; where the system cannot, copies it. */
  link(from: string, to: string): Promise<void>;
  /** Removes a file or a whole directory; nothing happens when it is absent. */
  remove(path: string): Promise<void>;
  size(path: string): Promise<number>;
  /** Makes renames and new names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

export const nodeDisk: Disk = {
  makeDirectory,
  async list(path) {
    try {
      return (await readdir(path)).sort((a, b) => (a < b ? -1 : 1));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  },
  readFile: (path) => readFile(path),
  openRead(path) {
    const descriptor = openSync(path, 'r');
    return {
      readSync: (target, position) => readFully(descriptor, target, position),
      close: () => closeSync(descriptor),
    };
  },
  async openAppend(path) {
    const handle = await open(path, 'a');
    return {
      async write(bytes) {
        let written = 0;
        while (written < bytes.length) {
          const result = await handle.write(bytes, written, bytes.length - written);
          written += result.bytesWritten;
        }
      },
      sync: () => handle.datasync(),
      truncate: (size) => handle.truncate(size),
      close: () => handle.close(),
    };
  },
  rename,
  async link(from, to) {
    try {
      await link(from, to);
    } catch (error) {
      if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EXDEV', 'EMLINK'].includes(errorCode(error) ?? '')) {
        throw error;
      }
      await copyFile(from, to);
    }
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
  async size(path) {
    const stats = await stat(path);
    if (!stats.isDirectory()) return stats.size;
    const names = await readdir(path);
    const sizes = await Promise.all(names.map((name) => nodeDisk.size(`${path}/${name}`)));
    return sizes.reduce((sum, size) => sum + size, 0);
  },
  async syncDirectory(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

function readFully(descriptor: number, target: Uint8Array, position: number): number {
  let read = 0;
  while (read < target.length) {
    const count = readSync(descriptor, target, read, target.length - read, position + read);
    if (count === 0) break;
    read += count;
  }
  return read;
}

/**
 * Makes a directory and those above it, one at a time: where none can be made, as in /proc,
 * Node.js' own recursion never ends.
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    // Somebody else may have made it meanwhile.
    await mkdir(path).catch(async (again: unknown) => {
      if (errorCode(again) !== 'EEXIST') throw again;
    });
  }
}

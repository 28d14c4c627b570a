/** A disk that fails when told to: for tests of what the engine does then. */
import { type AppendFile, type Disk, nodeDisk } from '../disk.ts';

export class FaultyDisk implements Disk {
  readonly makeDirectory = nodeDisk.makeDirectory;
  readonly list = nodeDisk.list;
  readonly readFile = nodeDisk.readFile;
  readonly openRead = nodeDisk.openRead;
  readonly rename = nodeDisk.rename;
  readonly link = nodeDisk.link;
  readonly remove = nodeDisk.remove;
  readonly size = nodeDisk.size;
  readonly syncDirectory = nodeDisk.syncDirectory;
  /** Bytes that the disk still takes; a write beyond them is torn and fails with ENOSPC. */
  freeBytes = Infinity;
  /** Whether forcing and cutting files fails. */
  failsSync = false;
  failsTruncate = false;

  async openAppend(path: string): Promise<AppendFile> {
    const file = await nodeDisk.openAppend(path);
    return {
      close: file.close,
      sync: async () => {
        if (this.failsSync) throw new Error('EIO: i/o error, fdatasync');
        await file.sync();
      },
      truncate: async (size) => {
        if (this.failsTruncate) throw new Error('EIO: i/o error, ftruncate');
        await file.truncate(size);
      },
      write: async (bytes) => {
        const taken = Math.min(bytes.length, this.freeBytes);
        this.freeBytes -= taken;
        await file.write(bytes.subarray(0, taken));
        if (taken < bytes.length) {
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
            code: 'ENOSPC',
          });
        }
      },
    };
  }
}

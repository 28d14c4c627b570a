/**
 * One process per data directory. The lock file names its owner; a lock whose owner is gone, or
 * whose process id now belongs to another process, is taken over.
 */
import { readFileSync } from 'node:fs';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, TytoError } from '@tyto/base';

export interface DirectoryLock {
  release(): Promise<void>;
}

/** Throws TytoError `unavailable` when another living process has the directory. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = join(directory, 'lock');
  const owner = `${process.pid} ${processStat(process.pid).startedAt}\n`;
  // Written apart and linked into place, so that nobody ever reads a lock without its owner.
  const draft = join(directory, `lock-${process.pid}`);
  await writeFile(draft, owner);
  try {
    for (let attempt = 0; attempt < 10; attempt++) {
      if (await takeLock(draft, path, directory)) return { release: () => release(path, owner) };
    }
  } finally {
    await unlink(draft);
  }
  throw new TytoError('unavailable', `cannot lock the data directory ${directory}`);
}

/** False when a lock of a dead owner was in the way and has been removed. */
async function takeLock(draft: string, path: string, directory: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  const owner = await readFile(path, 'utf8').catch(() => '');
  const [pid, start] = owner.trim().split(' ');
  if (isAlive(Number(pid), start)) {
    throw new TytoError(
      'unavailable',
      `the data directory ${directory} is in use by process ${pid}; ` +
        'stop that one, or choose another directory with --storage.tsdb.path',
    );
  }
  // Moved aside before it is removed: somebody else may have taken over the same dead lock first,
  // and then what was moved is theirs and goes back.
  const aside = `${draft}-stale`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readFile(aside, 'utf8').catch(() => owner);
  if (moved !== owner) await link(aside, path).catch(() => undefined);
  await unlink(aside).catch(() => undefined);
  return false;
}

async function release(path: string, owner: string): Promise<void> {
  const current = await readFile(path, 'utf8').catch(() => '');
  if (current === owner) await unlink(path);
}

function isAlive(pid: number, start: string | undefined): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
  const { state, startedAt } = processStat(pid);
  // A zombie has died; only its parent does not know yet.
  if (state === 'Z' || state === 'X') return false;
  return start === undefined || start === startedAt;
}

/** The state letter and the start of a process in the kernel's units; '' where it has no /proc. */
function processStat(pid: number): { state: string; startedAt: string } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], startedAt: fields[19] };
  } catch {
    return { state: '', startedAt: '' };
  }
}

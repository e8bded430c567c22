// One process at a time: a lock file with the owner's process id, taken over when that process is gone.

import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { DataError } from '../errors.ts';
import { errorCode } from './paths.ts';

/**
 * Runs `task` while holding the lock file `path`.
 * @throws DataError where a living process, or one on another machine, holds it
 */
export async function withLock<T>(path: string, what: string, task: () => Promise<T>): Promise<T> {
  const mine = `${process.pid} ${hostname()}`;
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(mine).finally(() => file.close());
      break;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      const owner = await readFile(path, 'utf8').catch(() => '');
      if (attempt > 0 || !isGone(owner)) {
        throw new DataError(`${what}: another process (${owner || 'unknown'}) is at it; if it is not, delete ${path}`, {
          cause: error,
        });
      }
      await rm(path, { force: true });
    }
  }
  try {
    return await task();
  } finally {
    await rm(path, { force: true });
  }
}

function isGone(owner: string): boolean {
  const [pid, host] = owner.split(' ');
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0); // signal 0 only asks
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

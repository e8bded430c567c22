// One process at a time: a lock file with the owner's process id, waited for, and taken over when that process is gone.

import { open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataError } from '../errors.ts';
import { errorCode } from './paths.ts';

/** How a lock is waited for. */
export interface LockOptions {
  /** Told again and again while another process is at it. */
  readonly onWait?: (() => void | Promise<void>) | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

const POLL_MS = 200;
/** A lock without an owner in it: its process was killed between making and writing it. */
const ABANDONED_MS = 10_000;

/**
 * Runs `task` while holding the lock file `path`; waits while a living process of this machine holds it.
 * @throws DataError where one on another machine holds it, of which nobody here knows whether it lives
 */
export async function withLock<T>(
  path: string,
  what: string,
  task: () => Promise<T>,
  { onWait, signal }: LockOptions = {},
): Promise<T> {
  while (!(await take(path))) {
    const owner = await readFile(path, 'utf8').catch(() => undefined);
    // Let go of meanwhile.
    if (owner === undefined) continue;
    const state = await stateOf(owner, path);
    if (state === 'elsewhere') {
      throw new DataError(`${what}: another process (${owner}) is at it; if it is not, delete ${path}`);
    }
    if (state === 'gone') {
      await takeAway(path, owner);
      continue;
    }
    await onWait?.();
    await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
  try {
    return await task();
  } finally {
    await rm(path, { force: true });
  }
}

/** Makes the file, with this process in it; false where it is there already. */
async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(`${process.pid} ${hostname()}`).finally(() => file.close());
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a dead owner's lock. Of several processes that found it only one may: another could have taken it anew by then. */
async function takeAway(path: string, owner: string): Promise<void> {
  const guard = `${path}.break`;
  if (!(await take(guard))) {
    if ((await ageOf(guard)) > ABANDONED_MS) await rm(guard, { force: true });
    await sleep(POLL_MS);
    return;
  }
  try {
    if ((await readFile(path, 'utf8').catch(() => undefined)) === owner) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function stateOf(owner: string, path: string): Promise<'alive' | 'gone' | 'elsewhere'> {
  if (owner === '') return (await ageOf(path)) > ABANDONED_MS ? 'gone' : 'alive';
  const [pid, host] = owner.split(' ');
  if (host !== hostname()) return 'elsewhere';
  try {
    process.kill(Number(pid), 0); // signal 0 only asks
    return 'alive';
  } catch (error) {
    return errorCode(error) === 'ESRCH' ? 'gone' : 'alive';
  }
}

/** Milliseconds since it was written; 0 where it is gone. */
async function ageOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found ? Date.now() - found.mtimeMs : 0;
}

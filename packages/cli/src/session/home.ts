// THAW_HOME: where weights and data sets lie, and a second place for what must be written when that one is read-only.
import { stat, mkdir, access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import envPaths from 'env-paths';
import type { Io } from '../io.ts';

export interface Homes {
  /** Weights and data sets are looked for here first. */
  readonly home: string;
  /** What is downloaded or cached goes here; `home` itself where that can be written. */
  readonly cacheHome: string;
  /** Both, without repetition, in the order of looking. */
  readonly all: readonly string[];
  /** Whether THAW_HOME was set. */
  readonly named: boolean;
}

/** THAW_HOME of the environment, else the platform's cache folder. */
export async function findHomes({ env, cwd }: Pick<Io, 'env' | 'cwd'>): Promise<Homes> {
  const fallback = envPaths('thaw', { suffix: '' }).cache;
  const named = env['THAW_HOME'];
  const home = named ? resolve(cwd, named) : fallback;
  const cacheHome = (await canWrite(home)) ? home : fallback;
  return { home, cacheHome, all: [...new Set([home, cacheHome])], named: Boolean(named) };
}

/** Whether a folder can be written, or made. A folder without any write bit counts as read-only, for root too. */
export async function canWrite(folder: string): Promise<boolean> {
  try {
    const found = await stat(folder).catch(() => undefined);
    if (found === undefined) await mkdir(folder, { recursive: true });
    else if ((found.mode & 0o222) === 0) return false;
    await access(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

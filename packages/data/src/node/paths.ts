// Reading folders and files, with errors that say what to do.

import { readdir, stat } from 'node:fs/promises';
import type { Dirent, Stats } from 'node:fs';
import { DataError } from '../errors.ts';

/** The `code` of a system error (ENOENT, EACCES, ...), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** In words, why a file or folder could not be read. */
export function explain(error: unknown): string {
  const code = errorCode(error);
  switch (code) {
    case 'ENOENT':
      return 'does not exist';
    case 'ENOTDIR':
      return 'is not a folder';
    case 'EISDIR':
      return 'is a folder, not a file';
    case 'EACCES':
    case 'EPERM':
      return 'may not be accessed by this user; check its permissions';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'has no room: the disk is full or the quota used up';
    case 'EROFS':
      return 'is on a read-only file system';
    case 'ELOOP':
      return 'is a symbolic link that leads back to itself';
    case 'EMFILE':
      return 'cannot be opened: too many files are open; raise the limit with `ulimit -n`';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** Entries of a folder that are not hidden, in code-unit order of their names: the same everywhere. */
export async function visibleEntries(path: string): Promise<Dirent[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw new DataError(`${path}: the folder ${explain(error)}`, { cause: error });
  });
  return entries
    .filter((entry) => !entry.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** What is at a path, links followed, or null where there is nothing or it cannot be seen. */
export async function statOrNull(path: string): Promise<Stats | null> {
  return stat(path).catch(() => null);
}

/** Runs `task` on every item, at most `limit` at a time; results in the items' order. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  task: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      const item = items[index];
      if (item !== undefined) results[index] = await task(item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

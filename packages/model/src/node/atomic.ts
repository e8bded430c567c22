// Files written whole: a temporary name in the same folder, flushed to the disk, renamed.
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A file could not be written; what was there before is untouched. `code` and `path` are those of the system's error. */
export class WriteError extends Error {
  /** Of the class. */
  override readonly name = 'WriteError';

  constructor(
    /** The file that was to be written. */
    readonly path: string,
    /** The system's: ENOSPC, EROFS, EACCES, ... */
    readonly code: string,
    cause: unknown,
  ) {
    super(`${path} could not be written (${code}); what was there before is untouched.`, { cause });
  }
}

/**
 * Writes a file whole: under a temporary name, flushed to the disk, then renamed. Folders are made.
 * @throws WriteError with the system's code: a full disk, a folder that cannot be written; the temporary file is gone then
 */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  await writeWhole(path, bytes, () => Promise.resolve());
}

/** writeAtomically, keeping the file that is there as `before`: at every moment one of the two is whole. */
export async function replaceAtomically(path: string, before: string, bytes: Uint8Array): Promise<void> {
  await writeWhole(path, bytes, () =>
    rename(path, before).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    }),
  );
}

async function writeWhole(path: string, bytes: Uint8Array, beforeRename: () => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await beforeRename();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const code = codeOf(error);
    throw code === undefined ? error : new WriteError(path, code, error);
  }
  await syncFolder(dirname(path));
}

/** So that the new name outlives a power cut, too; not every system lets a folder be opened for that. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/** Temporary names as writeAtomically makes them: the file's, the process's id. */
const TEMPORARY = /\.(\d+)\.tmp$/;
/** Other machines may write into the same folder: their processes are not known here, but none writes one file for so long. */
const ABANDONED_MS = 60 * 60 * 1000;

/**
 * Removes the temporary files of processes that were killed while they wrote.
 * @param name those of this file alone; default: of every file in the folder
 */
export async function removeAbandoned(folder: string, name?: string): Promise<void> {
  for (const file of await readdir(folder).catch(() => [])) {
    const process = TEMPORARY.exec(file)?.[1];
    if (process === undefined || (name !== undefined && !file.startsWith(`${basename(name)}.`))) continue;
    const path = join(folder, file);
    const { mtimeMs = Infinity } = (await stat(path).catch(() => undefined)) ?? {};
    if (isRunning(Number(process)) && Date.now() - mtimeMs < ABANDONED_MS) continue;
    await rm(path, { force: true }).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  try {
    // Signal 0 only asks.
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

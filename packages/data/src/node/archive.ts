// Unpacks a data set's .tar.gz beside its final place and moves it there whole.

import { mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as tar from 'tar';
import { DataError } from '../errors.ts';
import { errorCode, explain, statOrNull } from './paths.ts';

/**
 * Unpacks `folder` of `archive` to `destination`, which must not exist or is left as it is.
 * Only plain files and folders below `folder` are unpacked.
 * @throws DataError where the archive is damaged or lacks one of `required`
 */
export async function unpack(
  archive: string,
  folder: string,
  destination: string,
  required: readonly string[],
): Promise<void> {
  const parent = dirname(destination);
  await mkdir(parent, { recursive: true });
  const temporary = await mkdtemp(join(parent, `.${basename(destination)}-`));
  try {
    try {
      await tar.extract({
        file: archive,
        cwd: temporary,
        strict: true,
        preserveOwner: false,
        filter: (path, entry) =>
          path.replace(/^\.\//, '').startsWith(`${folder}/`) &&
          'type' in entry &&
          (entry.type === 'File' || entry.type === 'OldFile' || entry.type === 'Directory'),
      });
    } catch (error) {
      throw new DataError(`${archive}: cannot be unpacked: ${explain(error)}; delete the file and download it again`, {
        cause: error,
      });
    }
    for (const name of required) {
      if (!(await statOrNull(join(temporary, folder, name)))?.isFile()) {
        throw new DataError(`${archive}: has no ${folder}/${name}; it is not the archive that was expected`);
      }
    }
    await syncFiles(join(temporary, folder));
    await rename(join(temporary, folder), destination).catch((error: unknown) => {
      // Another process was faster: its folder is as good.
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
    });
  } finally {
    // After an error the extraction may still be writing for a moment; its remains must not hide that error.
    await rm(temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }).catch(() => undefined);
  }
}

async function syncFiles(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = await open(join(entry.parentPath, entry.name), 'r+');
    await file.sync().finally(() => file.close());
  }
}

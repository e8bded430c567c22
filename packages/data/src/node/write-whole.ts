// A file that is there whole or not at all.

import { open, rename } from 'node:fs/promises';

/** Writes beside the file, and moves it into place. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(`${path}.${process.pid}.part`, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.${process.pid}.part`, path);
}

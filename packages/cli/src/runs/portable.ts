// A data set's name or path as a run folder keeps it: it holds wherever the run is gone on with.
import { resolve } from 'node:path';
import { DATASET_NAMES } from '@thaw/data/node';
import { exists } from './folder.ts';

/** A path becomes absolute; the name of a known data set stays, unless a folder has that name. */
export async function portableData(data: string, cwd: string): Promise<string> {
  const isKnown = DATASET_NAMES.some((name) => name === data);
  const isPath = /[\\/]/.test(data) || (!isKnown && (await exists(resolve(cwd, data))));
  return isPath ? resolve(cwd, data) : data;
}

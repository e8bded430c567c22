// Where things lie in the workspace.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Private tools of this checkout (pnpm) and the stamps of what is done; never committed. */
export const TOOLS = join(ROOT, '.tools');
/** The packages, in build order. */
export const PACKAGES = ['kernels', 'data', 'model', 'bench', 'mpi', 'cli'];

/** @param {string[]} parts */
export function inRoot(...parts) {
  return join(ROOT, ...parts);
}

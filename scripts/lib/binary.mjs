// Finds the programs that the workspace's dependencies bring.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { inRoot } from './paths.mjs';
import { StepError } from './process.mjs';

/**
 * The file of a package's command, so that it runs in this Node and needs no shell.
 * @param {string} packageName
 * @param {string} file relative to the package
 */
export function binary(packageName, file) {
  const require = createRequire(inRoot('package.json'));
  try {
    return join(require.resolve(`${packageName}/package.json`), '..', file);
  } catch {
    throw new StepError(`${packageName} is not installed; remove node_modules and run this again.`);
  }
}

// What differs between a package in the workspace and the same package published: nothing of how it is built, and where it
// comes from.
import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';

/** The address of the repository that this is a clone of; undefined where it is of no other machine. */
function origin() {
  try {
    const url = execFileSync('git', ['remote', 'get-url', 'origin'], { encoding: 'utf8', stdio: 'pipe' }).trim();
    return /^(https?|ssh|git(\+\w+)?):\/\/|^\w+@/.test(url) ? url : undefined;
  } catch {
    return undefined;
  }
}

export const hooks = {
  /** @param {Record<string, any>} manifest @param {string} folder */
  beforePacking({ scripts: _, devDependencies: __, ...manifest }, folder) {
    const url = origin();
    if (url) manifest.repository = { type: 'git', url, directory: `packages/${basename(folder)}` };
    for (const entry of Object.values({ ...manifest.exports, ...manifest.imports }))
      if (typeof entry === 'object') delete entry['thaw-source'];
    return manifest;
  },
};

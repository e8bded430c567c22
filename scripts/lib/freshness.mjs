// Tells which packages must be built again: those whose files changed since their last build, by path, size and time.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pages } from './entries.mjs';
import { inRoot, PACKAGES, TOOLS } from './paths.mjs';

const STAMPS = join(TOOLS, 'built');

/** The packages that have sources and whose `dist` is missing or older than they are. @returns {string[]} */
export function stalePackages() {
  return PACKAGES.filter((name) => existsSync(inRoot('packages', name, 'src')) && !isFresh(name));
}

/** Remembers that a package is built from its files as they were when `fingerprint` was taken. @param {string} name @param {string} fingerprint */
export function markBuilt(name, fingerprint) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), fingerprint);
}

/** A hash of what a package's build reads. @param {string} name */
export function buildFingerprint(name) {
  const folder = inRoot('packages', name);
  const builder = [inRoot('scripts', 'build.mjs'), ...filesUnder(inRoot('scripts', 'lib')), inRoot('pnpm-lock.yaml')];
  const hash = createHash('sha256');
  // The script of a page holds what it imports of the packages below.
  const below = pages(folder).length > 0 ? PACKAGES.slice(0, PACKAGES.indexOf(name)) : [];
  const sources = [...below, name].flatMap((one) => filesUnder(inRoot('packages', one, 'src')));
  for (const path of [...sources, join(folder, 'package.json'), ...builder]) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest('hex');
}

/** @param {string} name */
function isFresh(name) {
  const stamp = join(STAMPS, name);
  if (!existsSync(inRoot('packages', name, 'dist')) || !existsSync(stamp)) return false;
  return readFileSync(stamp, 'utf8') === buildFingerprint(name);
}

/** @param {string} folder @returns {string[]} */
function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

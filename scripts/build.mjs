// Builds packages to dist/: every entry of package.json's "exports" and "bin", bundled as ES modules for Node >= 20 and
// browsers, with source maps and declarations.
//   node scripts/build.mjs [--no-types] [package ...]     without names: the package in the current folder, else all
import { readFileSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { bundle } from './lib/bundle.mjs';
import { emitDeclarations } from './lib/declarations.mjs';
import { buildFingerprint, markBuilt } from './lib/freshness.mjs';
import { entryPoints } from './lib/entries.mjs';
import { inRoot, PACKAGES } from './lib/paths.mjs';
import { say } from './lib/process.mjs';

const withTypes = !process.argv.includes('--no-types');
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const [top, current] = relative(inRoot(), process.cwd()).split(sep);
const here = top === 'packages' && current !== undefined ? [current] : PACKAGES;

for (const name of named.length > 0 ? named : here) {
  if (!(await buildPackage(name))) process.exitCode = 1;
}

/** Builds one package; resolves to whether it succeeded. @param {string} name */
async function buildPackage(name) {
  const folder = inRoot('packages', name);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { present, missing } = entryPoints(folder, manifest);
  if (missing.length > 0) say(`@thaw/${name}: not written yet: ${missing.join(', ')}`);
  if (present.length === 0) return true;

  const fingerprint = buildFingerprint(name);
  const dist = join(folder, 'dist');
  rmSync(dist, { recursive: true, force: true });
  try {
    await bundle(folder, manifest, present, dist);
  } catch {
    // esbuild has printed what is wrong, with file and line.
    return false;
  }
  if (withTypes && !(await emitDeclarations(name, folder))) return false;
  markBuilt(name, fingerprint);
  return true;
}

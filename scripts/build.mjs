// Builds packages to dist/: every entry of package.json's "exports" and "bin", as ES modules for Node >= 20 and
// browsers, with source maps and declarations.
//   node scripts/build.mjs [--no-types] [package ...]     without names: the package in the current folder, else all
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { bundle, bundlePages, compileModules } from './lib/bundle.mjs';
import { emitDeclarations } from './lib/declarations.mjs';
import { buildFingerprint, markBuilt } from './lib/freshness.mjs';
import { entryPoints, pages } from './lib/entries.mjs';
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
  // Built aside and moved into place whole, so that a failed build leaves the last good one.
  const fresh = join(folder, `.dist-${process.pid}`);
  try {
    // What other programs' bundlers take from is compiled module by module; programs are bundled.
    const compile = 'sideEffects' in manifest ? compileModules : bundle;
    await compile(folder, manifest, present, fresh);
    await bundlePages(folder, pages(folder), fresh);
    if (withTypes && !(await emitDeclarations(name, folder, present, fresh))) return false;
    rmSync(join(folder, 'dist'), { recursive: true, force: true });
    renameSync(fresh, join(folder, 'dist'));
  } catch (error) {
    // esbuild has printed its own errors, with file and line.
    if (!(error instanceof Error && 'errors' in error)) throw error;
    return false;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  markBuilt(name, fingerprint);
  return true;
}

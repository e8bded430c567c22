// Finds what a package builds: the source file behind each public name.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * Entry points by package.json's "exports" (their `thaw-source`) and "bin", and every `*.worker.ts`, which is loaded by
 * URL beside the bundle that starts it: `new URL('./x.worker.js', import.meta.url)`.
 * @param {string} folder the package's folder
 * @param {{ exports?: Record<string, { 'thaw-source'?: string }>, bin?: Record<string, string> }} manifest
 * @returns {{ present: { source: string, name: string }[], missing: string[] }} sources relative to the folder
 */
export function entryPoints(folder, manifest) {
  const fromExports = Object.values(manifest.exports ?? {}).flatMap((entry) => entry['thaw-source'] ?? []);
  const fromBin = Object.values(manifest.bin ?? {}).map((file) => `./src/${basename(file, '.js')}.ts`);
  const sources = [...new Set([...fromExports, ...fromBin, ...workers(folder)])];
  return {
    present: sources
      .filter((source) => existsSync(join(folder, source)))
      .map((source) => ({ source, name: basename(source, '.ts') })),
    missing: sources.filter((source) => !existsSync(join(folder, source))),
  };
}

/** @param {string} folder */
const workers = (folder) => sourcesEndingIn(folder, '.worker.ts');

/** Scripts of pages that a package serves, by URL beside its bundle; each is bundled with all it needs. @param {string} folder */
export const pages = (folder) => sourcesEndingIn(folder, '.page.ts');

/** @param {string} folder @param {string} ending */
function sourcesEndingIn(folder, ending) {
  const src = join(folder, 'src');
  if (!existsSync(src)) return [];
  return readdirSync(src, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith(ending))
    .map((path) => `./src/${path.replaceAll('\\', '/')}`);
}

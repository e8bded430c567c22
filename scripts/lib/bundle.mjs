// Turns a package's sources into ES modules for Node >= 20 and browsers, with its dependencies left outside.
import { basename, join, relative, resolve, sep } from 'node:path';
import { build } from 'esbuild';
import { externalDependencies, leanShaders, ownModulesOutside, rawText } from './esbuild-plugins.mjs';

/**
 * How sources become the script of a page, with everything in it.
 * @type {import('esbuild').BuildOptions}
 */
export const forBrowsers = {
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'chrome120',
  conditions: ['thaw-source'],
  mainFields: ['browser', 'module', 'main'],
  // Of CommonJS packages, which ask for them.
  define: { global: 'globalThis', 'process.env': '{}' },
  logLevel: 'warning',
};

/**
 * Bundles entries, one file each and chunks for what they share.
 * @param {string} folder the package's folder
 * @param {{ dependencies?: Record<string, string>, peerDependencies?: Record<string, string> }} manifest
 * @param {{ source: string, name: string }[]} entries sources relative to the folder, and the names of their bundles
 * @param {string} outdir
 * @param {import('esbuild').Plugin} dependencies leaves them outside
 * @throws where esbuild fails, after it has printed why
 */
export async function bundle(folder, manifest, entries, outdir, dependencies = externals(manifest)) {
  await build({
    ...settings(folder, entries, outdir),
    // One copy of what two entries share: `.` and `./node` of a package must see the same classes.
    splitting: true,
    plugins: [rawText, dependencies],
  });
}

/**
 * Compiles every source file that the entries reach into a file of its own, so that a program's bundler can leave out
 * whole modules (package.json's "sideEffects" says which it may): shaders above all. See docs/decisions/runner-and-build.md.
 * @param {string} folder as of `bundle`, and the rest too
 * @param {{ dependencies?: Record<string, string>, peerDependencies?: Record<string, string> }} manifest
 * @param {{ source: string, name: string }[]} entries
 * @param {string} outdir
 */
export async function compileModules(folder, manifest, entries, outdir) {
  const { metafile } = await build({
    ...settings(folder, entries, outdir),
    plugins: [rawText, externals(manifest)],
    metafile: true,
    write: false,
  });
  const modules = Object.keys(metafile.inputs)
    .map((input) => input.replace(/^raw-text:/, ''))
    .map((input) => relative(folder, resolve(folder, input)).split(sep).join('/'))
    .filter((source) => /^src\/.*\.(ts|wgsl)$/.test(source))
    .map((source) => ({ source: `./${source}`, name: source.slice('src/'.length).replace(/\.ts$/, '') }));
  await build({
    ...settings(folder, modules, outdir),
    plugins: [ownModulesOutside(join(folder, 'src')), leanShaders, externals(manifest)],
  });
}

/**
 * @param {string} folder
 * @param {{ source: string, name: string }[]} entries
 * @param {string} outdir
 * @returns {import('esbuild').BuildOptions}
 */
function settings(folder, entries, outdir) {
  return {
    absWorkingDir: folder,
    entryPoints: entries.map(({ source, name }) => ({ in: source, out: name })),
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['thaw-source'],
    target: ['node20', 'chrome120', 'firefox121', 'safari17'],
    sourcemap: true,
    logLevel: 'warning',
  };
}

/** @param {{ dependencies?: Record<string, string>, peerDependencies?: Record<string, string> }} manifest */
function externals({ dependencies, peerDependencies }) {
  return externalDependencies(Object.keys({ ...dependencies, ...peerDependencies }));
}

/**
 * Bundles the scripts of pages, each with everything it imports, for a browser.
 * @param {string} folder the package's folder
 * @param {string[]} sources relative to the folder
 * @param {string} outdir
 * @throws where esbuild fails, after it has printed why
 */
export async function bundlePages(folder, sources, outdir) {
  if (sources.length === 0) return;
  await build({
    ...forBrowsers,
    absWorkingDir: folder,
    entryPoints: sources.map((source) => ({ in: source, out: basename(source, '.ts') })),
    outdir,
    minify: true,
    plugins: [rawText],
  });
}

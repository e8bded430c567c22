// Tests run from the sources, and Node cannot: a worker's file, or that of a program that a test starts, is bundled for them,
// with the workspace's packages inside.
import { existsSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle } from './bundle.mjs';
import { nearestDependencies } from './esbuild-plugins.mjs';
import { inRoot } from './paths.mjs';

const WORKER_URL = /new URL\('(\.{1,2}\/[\w./-]+\.(?:worker|program))\.js', import\.meta\.url\)/g;

/**
 * Points `new URL('./x.worker.js', import.meta.url)` at a bundle of the x.worker.ts beside the source, and x.program.js likewise.
 * @returns {import('vitest/config').Plugin}
 */
export function bundledWorkers() {
  /** @type {Map<string, Promise<string>>} */
  const bundles = new Map();
  return {
    name: 'bundled-workers',
    enforce: 'pre',
    async transform(code, id) {
      let transformed = code;
      for (const [text, name] of code.matchAll(WORKER_URL)) {
        const source = join(dirname(id), `${name}.ts`);
        if (!existsSync(source)) continue;
        const bundled = bundles.get(source) ?? bundleWorker(source);
        bundles.set(source, bundled);
        transformed = transformed.replace(text, `new URL('${pathToFileURL(await bundled).href}')`);
      }
      return transformed === code ? undefined : { code: transformed, map: null };
    },
    buildEnd() {
      for (const source of bundles.keys()) rmSync(folderOf(source), { recursive: true, force: true });
    },
  };
}

/** Resolves to the bundle's path. @param {string} source */
async function bundleWorker(source) {
  const folder = packageOf(source);
  const name = basename(source, '.ts');
  await bundle(folder, {}, [{ source, name }], folderOf(source), nearestDependencies);
  return join(folderOf(source), `${name}.js`);
}

/** Under the package's node_modules, which no build or test looks into. @param {string} source */
const folderOf = (source) => join(packageOf(source), 'node_modules', '.thaw-workers', String(process.pid));

/** @param {string} source */
const packageOf = (source) => inRoot(...relative(inRoot(), source).split(sep).slice(0, 2));

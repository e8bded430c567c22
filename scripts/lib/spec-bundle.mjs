// Bundles TensorFlow.js's own specs with what runs them: tfjs-core's deep files import each other without extensions, which
// neither plain Node nor a browser resolves.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isSelected } from './conformance-report.mjs';
import { inRoot } from './paths.mjs';

export const CONFORMANCE = inRoot('packages', 'kernels', 'conformance');

/**
 * @param {'worker' | 'page'} entry the worker for Node, or the page for a browser
 * @param {string} folder where to
 * @param {(suite: string) => boolean} [isWanted] which suites, by their path under dist/ops without "_test.js"
 * @returns {Promise<string>} the entry's file
 */
export async function bundleSpecs(entry, folder, isWanted = () => true) {
  const { build } = await import('esbuild');
  const { forBrowsers } = await import('./bundle.mjs');
  const { rawText } = await import('./esbuild-plugins.mjs');
  const from = createRequire(join(CONFORMANCE, 'worker.ts'));
  const specs = specFiles(dirname(from.resolve('@tensorflow/tfjs-core')), isWanted);
  /** @type {import('esbuild').BuildOptions} */
  const forNode = {
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    conditions: ['thaw-source'],
    logLevel: 'warning',
    // tfjs-core and the specs are CommonJS here and there.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  };
  await build({
    ...(entry === 'worker' ? forNode : forBrowsers),
    entryPoints: [join(CONFORMANCE, `${entry}.ts`)],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    sourcemap: 'inline',
    plugins: [rawText, specs, entry === 'worker' ? left(from) : browserJasmine(from)],
  });
  return join(folder, `${entry}.mjs`);
}

/** The module `virtual:spec-files`. @param {string} core tfjs-core's dist folder @param {(suite: string) => boolean} isWanted @returns {import('esbuild').Plugin} */
function specFiles(core, isWanted) {
  const ops = join(core, 'ops');
  const suites = readdirSync(ops, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => isSelected(path) && isWanted(path.replace(/_test\.js$/, '')))
    .sort();
  const entries = suites.map((path) => `${JSON.stringify(path.replace(/_test\.js$/, ''))}: () => import('./${path}')`);
  return {
    name: 'spec-files',
    setup(build) {
      build.onResolve({ filter: /^virtual:spec-files$/ }, ({ path }) => ({ path, namespace: 'spec-files' }));
      build.onLoad({ filter: /.*/, namespace: 'spec-files' }, () => ({
        contents: `export const specFiles = {\n${entries.join(',\n')}\n};`,
        resolveDir: ops,
      }));
    },
  };
}

/**
 * Leaves out what must not be bundled: a native addon, and jasmine, which the specs and the worker share.
 * @param {NodeJS.Require} from
 * @returns {import('esbuild').Plugin}
 */
function left(from) {
  return {
    name: 'left-out',
    setup(build) {
      build.onResolve({ filter: /^(webgpu|jasmine-core)(\/|$)/ }, ({ path, kind }) => ({
        path: kind === 'require-call' ? from.resolve(path) : pathToFileURL(from.resolve(path)).href,
        external: true,
      }));
    },
  };
}

/** jasmine-core's main file boots it in Node; beside it lies jasmine itself. @param {NodeJS.Require} from @returns {import('esbuild').Plugin} */
function browserJasmine(from) {
  const jasmine = join(dirname(from.resolve('jasmine-core')), 'jasmine-core', 'jasmine.js');
  return {
    name: 'browser-jasmine',
    setup: (build) => build.onResolve({ filter: /^jasmine-core$/ }, () => ({ path: jasmine })),
  };
}

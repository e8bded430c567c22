// What esbuild does not do by itself for Thaw.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { builtinModules, createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';

/** `import text from './x.wgsl?raw'` as the file's text, the way vite reads it. @type {import('esbuild').Plugin} */
export const rawText = {
  name: 'raw-text',
  setup(build) {
    build.onResolve({ filter: /\?raw$/ }, ({ path, importer }) => ({
      path: resolve(dirname(importer), path.slice(0, -'?raw'.length)),
      namespace: 'raw-text',
    }));
    build.onLoad({ filter: /.*/, namespace: 'raw-text' }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
      loader: 'text',
      watchFiles: [path],
    }));
  },
};

/**
 * tfjs-core's gradient table can be imported neither by plain Node (ES modules in a CommonJS package) nor without a deep
 * path, so it is the one part of a dependency that is copied into dist. That is safe: tfjs keeps its engine and its
 * registries on globalThis, so the copy registers in, and computes with, the program's one engine. Bundlers for
 * browsers take it from there themselves, as "imports" in the package.json of @thaw/kernels says.
 */
const INLINED = /^@tensorflow\/tfjs-core\/dist\/register_all_gradients(\.js)?$/;

/**
 * Leaves Node's modules and the named dependencies (with their subpaths) out of the bundle.
 * @param {string[]} dependencies
 * @returns {import('esbuild').Plugin}
 */
export function externalDependencies(dependencies) {
  const builtins = new Set(builtinModules);
  return {
    name: 'external-dependencies',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
        if (kind === 'entry-point' || INLINED.test(path)) return undefined;
        if (path.startsWith('node:') || builtins.has(path)) return { path, external: true };
        const isDependency = dependencies.some((name) => path === name || path.startsWith(`${name}/`));
        return isDependency ? { path, external: true } : undefined;
      });
    },
  };
}

/**
 * Leaves Node's modules and every dependency outside, each by the path at which its importer finds it: so a bundle of several
 * packages of the workspace needs none of their dependencies where it lies. @type {import('esbuild').Plugin}
 */
export const nearestDependencies = {
  name: 'nearest-dependencies',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (kind === 'entry-point' || pluginData === nearestDependencies) return undefined;
      if (INLINED.test(path) || path.startsWith('@thaw/') || path.startsWith('#')) return undefined;
      if (path.startsWith('node:') || builtinModules.includes(path)) return { path, external: true };
      try {
        const required = createRequire(importer).resolve(path);
        if (kind === 'require-call' || !hasExports(required)) return { path: required, external: true };
      } catch {
        // For `import` alone.
      }
      // What has "exports" may have one file for `import` and another for `require`.
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: nearestDependencies });
      return { ...found, external: true };
    });
  },
};

/** Whether the package of a file in node_modules says which of its files are for whom. @param {string} file */
function hasExports(file) {
  const [root] = /^.*node_modules\/(@[^/]+\/)?[^/]+\//.exec(file) ?? [];
  return root !== undefined && 'exports' in JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
}

/**
 * Shaders as text without indentation and comments, but for those that say something to the host (`// @tune`); every line
 * keeps its number, which errors name. @type {import('esbuild').Plugin}
 */
export const leanShaders = {
  name: 'lean-shaders',
  setup(build) {
    build.onLoad({ filter: /\.wgsl$/ }, async ({ path }) => {
      const lines = (await readFile(path, 'utf8')).split('\n');
      const contents = lines.map((line) => line.replace(/\/\/(?! *@).*/, '').trim()).join('\n');
      return { contents, loader: 'text' };
    });
  },
};

/**
 * Leaves a package's own modules out of each other: './x.ts' becomes './x.js', './x.wgsl?raw' './x.wgsl.js', and '#x' stays
 * for package.json's "imports" to say.
 * @param {string} src the folder of its sources; what else a source imports (a table in JSON) goes into its module
 * @returns {import('esbuild').Plugin}
 */
export function ownModulesOutside(src) {
  return {
    name: 'own-modules-outside',
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\/.*(\.ts|\.wgsl\?raw)$/ }, ({ path, kind, importer }) => {
        if (kind === 'entry-point' || !importer.startsWith(src)) return undefined;
        return { path: path.replace(/\.ts$/, '.js').replace(/\?raw$/, '.js'), external: true, sideEffects: false };
      });
      build.onResolve({ filter: /^#/ }, ({ path }) => ({ path, external: true }));
    },
  };
}

// The two things esbuild does not do by itself for Thaw.
import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
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
 * registries on globalThis, so the copy registers in, and computes with, the program's one engine.
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

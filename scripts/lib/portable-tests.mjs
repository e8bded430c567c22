// The kernel tests as a part of the portable bundle: their sources, and vitest with what they import, for a machine with a GPU
// and nothing else.
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { inRoot } from './paths.mjs';
import { pnpmCommand } from './pnpm.mjs';
import { cleanEnvironment, run, StepError } from './process.mjs';

/** What the kernel tests import, each at the version that is installed here, but for `webgpu`: that is the command's. */
const IMPORTED = ['vitest', 'fast-check', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs-converter', '@tensorflow/tfjs-layers']; // prettier-ignore
/** Of the build, not of a device; it needs esbuild. */
const NOT_OF_A_DEVICE = 'src/gradients/core-gradients.test.ts';

const CONFIG = `// The kernel tests, from their sources.
const conditions = ['thaw-source', 'module', 'node', 'development|production'];
export default {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'kernels',
    include: ['src/**/*.test.ts'],
    exclude: ['${NOT_OF_A_DEVICE}'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
};
`;

/**
 * Puts the kernel tests into a folder.
 * @param {string} folder which is made
 * @param {string} app the command's folder beside it
 * @throws {StepError} where the packages cannot be installed
 */
export async function writeTests(folder, app) {
  mkdirSync(folder, { recursive: true });
  const dependencies = Object.fromEntries(IMPORTED.map((name) => [name, installedVersion(name)]));
  const { name, type, imports, exports } = JSON.parse(
    readFileSync(inRoot('packages', 'kernels', 'package.json'), 'utf8'),
  );
  const manifest = { name, private: true, type, imports, exports, dependencies };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, 'vitest.config.mjs'), CONFIG);
  cpSync(inRoot('packages', 'kernels', 'src'), join(folder, 'src'), { recursive: true });
  const options = ['--ignore-workspace', '--config.node-linker=hoisted', '--config.package-import-method=copy', '--ignore-scripts', '--loglevel=error']; // prettier-ignore
  const args = pnpmCommand(['--dir', folder, 'install', ...options]);
  const code = await run(process.execPath, args, { cwd: folder, env: cleanEnvironment() });
  if (code !== 0) throw new StepError(`the tests' packages could not be installed (code ${code}; see above)`);
  const store = join(app, 'node_modules', '.pnpm');
  const [dawn] = readdirSync(store).filter((name) => name.startsWith('webgpu@'));
  if (!dawn) throw new StepError(`${store} has no webgpu`);
  const modules = join(folder, 'node_modules');
  symlinkSync(relative(modules, join(store, dawn, 'node_modules', 'webgpu')), join(modules, 'webgpu'));
}

/** @param {string} name */
function installedVersion(name) {
  for (const from of [inRoot('packages', 'kernels', 'package.json'), inRoot('package.json')]) {
    try {
      // Its main file, as not every package lets its package.json be asked for.
      const main = createRequire(from).resolve(name);
      const root = main.slice(0, main.lastIndexOf(`/node_modules/${name}/`) + `/node_modules/${name}/`.length);
      return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
    } catch {
      continue;
    }
  }
  throw new StepError(`${name} is not installed, so its version for the kernel tests is not known`);
}

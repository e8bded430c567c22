// `npm run conformance`: TensorFlow.js's own specs of its ops, out of the npm package, on the thaw backend of the device at
// hand. Names what fails, and compares with the list of known failures.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { compareWithExpected, isSelected, reportLines } from './conformance-report.mjs';
import { inRoot, TOOLS } from './paths.mjs';
import { ensureInstalled } from './pnpm.mjs';
import { run, say, StepError } from './process.mjs';
import { ensureRuntimeDir } from './system.mjs';
import { ensureAdapter } from './vulkan.mjs';

const FOLDER = inRoot('packages', 'kernels', 'conformance');
const EXPECTED = join(FOLDER, 'expected.json');
const USAGE = 'npm run conformance -- [--backend thaw|cpu] [--filter TEXT] [--json FILE] [--update]';

/** @type {import('./commands.mjs').Command} */
export async function conformance(args) {
  const { backend, filter, json, update } = options(args);
  await ensureInstalled();
  ensureRuntimeDir();
  if (backend === 'thaw' && !(await ensureAdapter())) throw new StepError('the thaw backend needs a WebGPU adapter.');

  const scratch = join(TOOLS, `conformance-${process.pid}`);
  const resultFile = join(scratch, 'result.json');
  try {
    const worker = await bundleWorker(scratch);
    const code = await run(process.execPath, [worker, backend, resultFile, filter]);
    if (!existsSync(resultFile)) throw new StepError(`the specs did not run to their end (exit code ${code}).`);
    /** @type {import('./conformance-report.mjs').Result} */
    const result = JSON.parse(readFileSync(resultFile, 'utf8'));
    writeResult(json, result);
    if (update) writeExpected(result, filter);
    const expected = filter === '' && backend === 'thaw' ? readExpected() : undefined;
    const comparison = expected && compareWithExpected(result, expected);
    for (const line of reportLines(result, comparison)) console.log(line);
    const isWorse = comparison ? comparison.isWorse : result.specs.some(({ passed }) => !passed);
    return isWorse || result.specs.length === 0 ? 1 : 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @param {string[]} args */
function options(args) {
  /** @type {import('node:util').ParseArgsConfig['options']} */
  const known = {
    backend: { type: 'string', default: 'thaw' },
    filter: { type: 'string', default: '' },
    json: { type: 'string', default: join(TOOLS, 'conformance.json') },
    update: { type: 'boolean', default: false },
  };
  try {
    const { values } = parseArgs({ args, options: known });
    const { backend, filter, json, update } = /** @type {Record<string, string>} */ (values);
    if (backend !== 'thaw' && backend !== 'cpu') throw new Error(`--backend is thaw or cpu, not '${backend}'`);
    if (update && (filter || backend !== 'thaw')) throw new Error('--update goes with all specs on the thaw backend');
    // npm runs scripts in the root; a relative path means relative to where the person is.
    return { backend, filter: filter ?? '', json: resolve(process.env.INIT_CWD ?? '.', json ?? ''), update: Boolean(update) }; // prettier-ignore
  } catch (error) {
    throw new StepError(`${error instanceof Error ? error.message : String(error)}\nusage: ${USAGE}`, 2);
  }
}

/**
 * One bundle of the worker, the backend's sources and all specs: tfjs-core's deep files import each other without
 * extensions, which plain Node does not resolve.
 * @param {string} folder
 * @returns {Promise<string>} the worker's file
 */
async function bundleWorker(folder) {
  const { build } = await import('esbuild');
  const { rawText } = await import('./esbuild-plugins.mjs');
  const fromKernels = createRequire(join(FOLDER, 'worker.ts'));
  await build({
    entryPoints: [join(FOLDER, 'worker.ts')],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    conditions: ['thaw-source'],
    sourcemap: 'inline',
    logLevel: 'warning',
    // tfjs-core and the specs are CommonJS here and there.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    plugins: [rawText, specFiles(dirname(fromKernels.resolve('@tensorflow/tfjs-core'))), left(fromKernels)],
  });
  return join(folder, 'worker.mjs');
}

/** The module `virtual:spec-files`. @param {string} core tfjs-core's dist folder @returns {import('esbuild').Plugin} */
function specFiles(core) {
  const ops = join(core, 'ops');
  const suites = readdirSync(ops, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter(isSelected)
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

/** @param {string} path @param {import('./conformance-report.mjs').Result} result */
function writeResult(path, result) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, null, 1)}\n`);
  say(`every spec's result is in ${path}`);
}

/** @returns {import('./conformance-report.mjs').Expected} */
function readExpected() {
  return JSON.parse(readFileSync(EXPECTED, 'utf8'));
}

/** @param {import('./conformance-report.mjs').Result} result @param {string} filter */
function writeExpected({ specs }, filter) {
  if (filter) throw new StepError('--update goes with all specs');
  const known = existsSync(EXPECTED) ? readExpected().failures : {};
  const failed = specs.filter(({ passed }) => !passed).map(({ suite, name }) => `${suite}: ${name}`);
  const failures = Object.fromEntries(failed.sort().map((key) => [key, known[key] ?? 'unexplained']));
  writeFileSync(EXPECTED, `${JSON.stringify({ specs: specs.length, failures }, null, 2)}\n`);
  say(`wrote ${EXPECTED}; give every failure its reason there`);
}

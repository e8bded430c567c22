// `npm run conformance`: TensorFlow.js's own specs of its ops, out of the npm package, on the thaw backend of the device at
// hand. Names what fails, and compares with the list of known failures.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compareWithExpected, reportLines } from './conformance-report.mjs';
import { TOOLS } from './paths.mjs';
import { ensureInstalled } from './pnpm.mjs';
import { run, say, StepError } from './process.mjs';
import { bundleSpecs, CONFORMANCE } from './spec-bundle.mjs';
import { ensureRuntimeDir } from './system.mjs';
import { ensureAdapter } from './vulkan.mjs';

const EXPECTED = join(CONFORMANCE, 'expected.json');
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
    const worker = await bundleSpecs('worker', scratch);
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

/** @param {string} path @param {import('./conformance-report.mjs').Result} result */
function writeResult(path, result) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, null, 1)}\n`);
  say(`every spec's result is in ${path}`);
}

/** @returns {import('./conformance-report.mjs').Expected} */
export function readExpected() {
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

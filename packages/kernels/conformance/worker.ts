/**
 * Runs TensorFlow.js's own specs on one backend and writes what became of each to a file. Bundled and started by
 * scripts/lib/conformance.mjs:  node worker.mjs <backend> <file for the results> <text of the specs to run>
 */
import { writeFileSync } from 'node:fs';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util';
import jasmineRequire, { type Node } from 'jasmine-core';
import { specFiles } from 'virtual:spec-files';
import { register } from '../src/backend/register.ts';
import { openDevice } from '../src/node.ts';

const [backendName = 'thaw', resultFile = '', wanted = ''] = process.argv.slice(2);

const jasmine = jasmineRequire.boot();
const env = jasmine.getEnv();
jasmine.DEFAULT_TIMEOUT_INTERVAL = 20_000;
env.configure({ random: false, specFilter: (spec) => spec.getFullName().includes(wanted) });

let adapter = 'none: on the host';
if (backendName === 'thaw') {
  const { device, ...description } = await openDevice();
  adapter = `${description.name} (${description.driver})`;
  const backend = register(device);
  // A spec that reads nothing fails, too, when its work on the device does.
  env.afterEach(() => backend.settle(0));
}
// As the official WebGPU backend has it: reads are asynchronous, so specs for synchronous backends are left out by tfjs.
setTestEnvs([{ name: backendName, backendName }]);

const suiteOf = new Map<string, string>();
function note(node: Node, suite: string): void {
  suiteOf.set(node.id, suite);
  for (const child of node.children ?? []) note(child, suite);
}
for (const [suite, load] of Object.entries(specFiles)) {
  const before = env.topSuite().children?.length;
  await load();
  for (const node of env.topSuite().children?.slice(before) ?? []) note(node, suite);
}

const specs: object[] = [];
/** How often a name was seen: some specs of a suite share theirs. */
const seen = new Map<string, number>();
env.addReporter({
  specDone: ({ id, fullName, status, duration, failedExpectations }) => {
    if (status === 'excluded') return;
    // Without the backend's name, so that results of different backends compare.
    const shared = fullName.replaceAll(` ${backendName} {}`, '').replaceAll(/ +/g, ' ').trim();
    const suite = suiteOf.get(id) ?? '';
    const count = (seen.get(`${suite}: ${shared}`) ?? 0) + 1;
    seen.set(`${suite}: ${shared}`, count);
    const name = count > 1 ? `${shared} (${count})` : shared;
    const message = failedExpectations.map((failure) => failure.message).join('\n');
    specs.push({ suite, name, passed: status === 'passed', ms: duration ?? 0, ...(message && { message }) }); // prettier-ignore
  },
});
const { overallStatus, incompleteReason } = await env.execute();
writeFileSync(resultFile, JSON.stringify({ backend: backendName, adapter, overallStatus, incompleteReason, specs }));
// Timers of the specs are no reason to go on.
process.exit(0);

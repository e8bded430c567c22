/**
 * Runs TensorFlow.js's own specs on one backend and writes what became of each to a file. Bundled and started by
 * scripts/lib/conformance.mjs:  node worker.mjs <backend> <file for the results> <text of the specs to run>
 */
import { writeFileSync } from 'node:fs';
import jasmineRequire from 'jasmine-core';
import { openDevice } from '../src/node.ts';
import { runSpecs } from './run-specs.ts';

const [backend = 'thaw', resultFile = '', wanted = ''] = process.argv.slice(2);
const opened = backend === 'thaw' ? await openDevice() : undefined;
const result = await runSpecs(jasmineRequire.boot(), {
  backend,
  opened: opened && { device: opened.device, name: `${opened.name} (${opened.driver})` },
  wanted,
});
writeFileSync(resultFile, JSON.stringify(result));
// Timers of the specs are no reason to go on.
process.exit(0);

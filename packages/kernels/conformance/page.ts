// The same specs in a page of a browser, on its WebGPU device. Bundled and opened by scripts/lib/test-browser.mjs, which
// waits for `specsResult`. There jasmine-core is its one file, without what boots it in Node.
import jasmineRequire from 'jasmine-core';
import { describeAdapter, requestDevice } from '../src/runtime/device.ts';
import { runSpecs, type SpecsResult } from './run-specs.ts';

const jasmine = jasmineRequire.core(jasmineRequire);
Object.assign(globalThis, jasmineRequire.interface(jasmine, jasmine.getEnv({ suppressLoadErrors: true })));

async function run(): Promise<SpecsResult> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('this browser gives no WebGPU adapter');
  const { name, driver } = describeAdapter(adapter);
  const opened = { device: await requestDevice(adapter), name: `${name} (${driver}), ${navigator.userAgent}` };
  return runSpecs(jasmine, { backend: 'thaw', opened, wanted: '' });
}

Object.assign(globalThis, { specsResult: run() });

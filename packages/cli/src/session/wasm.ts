// TensorFlow.js's WebAssembly backend as the current one of this thread. It computes on one thread: in Node it has no more.
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { CommandError } from '../errors.ts';

/** @throws CommandError where it does not start */
export async function startWasm(): Promise<void> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(dirname(main) + sep);
  if (!(await tf.setBackend('wasm'))) throw new CommandError('The WebAssembly backend did not start on this Node.');
}

// TensorFlow.js's WebAssembly and JavaScript backends as engines: they compute before a call returns.
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';

export async function hostEngine(name: 'tfjs-wasm' | 'tfjs-cpu'): Promise<Engine> {
  const backend = name === 'tfjs-wasm' ? 'wasm' : 'cpu';
  if (backend === 'wasm') {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(dirname(main) + sep);
  } else await import('@tensorflow/tfjs-backend-cpu');
  return {
    name,
    backend,
    use: async () => {
      if (!(await tf.setBackend(backend))) throw new Error(`The ${backend} backend of TensorFlow.js did not start.`);
    },
    settle: () => Promise.resolve(),
    dispatches: () => undefined,
    peakBytes: () => undefined,
    resetPeak: () => undefined,
    close: () => undefined,
  };
}

// A thread of the pool: the trunk on a tfjs-wasm of its own, over weights that all threads share.
import { workerData } from 'node:worker_threads';
import { BackendRunner, ResNet50 } from '@thaw/model';
import { startWasm } from '../session/wasm.ts';
import type { ThreadData, ThreadTask } from './pool.ts';
import { sharedTrunkWeights } from './shared-weights.ts';

async function open({
  weights,
  architecture,
  pooling,
  width,
  imageSize,
}: ThreadData): Promise<(task: ThreadTask) => Promise<Float32Array>> {
  await startWasm();
  const network = new ResNet50(sharedTrunkWeights(weights), { imageSize, architecture });
  const runner = new BackendRunner({ network, pooling, width, imageSize });
  return ({ images, size }) => runner.run(images, size);
}

/** The pool waits for it before it counts the thread as ready. */
export default open(workerData as ThreadData);

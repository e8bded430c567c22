// Values that leave a captured step, pass through the host, and arrive in it again: what processes tell each other within a step.
import * as tf from '@tensorflow/tfjs-core';
import { currentThaw } from '../backend/current.ts';
import { ThawGpuError } from '../runtime/errors.ts';
import type { Swap } from '../runtime/recording.ts';

export type { Swap } from '../runtime/recording.ts';

/**
 * Inside a captured step: the values of `from` leave the device as soon as they are complete, while the device goes on.
 * Call what comes back where the step needs them: it waits there for `swap` to be done with them, and what that wrote is in `into`.
 * A step with an exchange is run by `replayThroughHost`. Exchanges take turns in the order of these calls, on every device alike.
 *
 * On the host the tensors lie as they do on the device: in the order given, one after the other, or with less than 256 bytes of
 * anything between them where they share a buffer.
 *
 * @param into default: `from` itself
 * @throws ThawGpuError outside a captured step
 */
export function exchange(from: readonly tf.Tensor[], swap: Swap, into: readonly tf.Tensor[] = from): () => void {
  const backend = currentThaw();
  if (!backend) throw new ThawGpuError(`exchange: there are no captured steps on '${tf.getBackend()}'`);
  return backend.exchange(from, into, swap);
}

/** A tensor with nothing in it yet, for values to arrive in. @throws on another backend, and where the device cannot store float16 */
export function emptyTensor(shape: readonly number[], storage: 'float32' | 'float16'): tf.Tensor {
  const backend = currentThaw();
  if (!backend) throw new ThawGpuError(`emptyTensor: '${tf.getBackend()}' is not thaw's`);
  return tf.engine().makeTensorFromTensorInfo(backend.empty(shape, storage));
}

/** Kernels that change a tensor in place. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { planCopy } from '../kernels/optimizers/optimizers.plan.ts';
import type { ThawBackend } from './thaw-backend.ts';

/**
 * The tensor to change: the input's own storage, or a copy of it where another tensor shares it, so that a clone somebody
 * kept (the best weights so far) never moves.
 */
export function changeable(backend: ThawBackend, tensor: TensorInfo): TensorInfo {
  if (backend.refCount(tensor.dataId) > 1) {
    const target = { limits: backend.gpu.limits, tuning: backend.gpu.tiling('elementwise').direct };
    return backend.runOne(planCopy(tensor.shape, target), { x: tensor });
  }
  backend.invalidateHost(tensor);
  return backend.alias(tensor, tensor.shape);
}

/** The same of several tensors: all have their places before the first is touched, so that a device without memory leaves them be. */
export function allChangeable<Tensors extends readonly TensorInfo[]>(
  backend: ThawBackend,
  tensors: Tensors,
): { [K in keyof Tensors]: TensorInfo } {
  for (const tensor of tensors) backend.slice(tensor);
  return tensors.map((tensor) => changeable(backend, tensor)) as { [K in keyof Tensors]: TensorInfo };
}

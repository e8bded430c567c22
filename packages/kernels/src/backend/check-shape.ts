/** The check of shapes that kernels share. */
import type { TensorInfo } from '@tensorflow/tfjs-core';

/** @throws unless `tensor`, if it is there, has `shape`; names kernel and tensor. */
export function checkShape(
  kernel: string,
  name: string,
  tensor: TensorInfo | undefined,
  shape: readonly number[],
): void {
  if (tensor && (tensor.shape.length !== shape.length || tensor.shape.some((d, i) => d !== shape[i])))
    throw new Error(`${kernel}: ${name} is [${tensor.shape.join(', ')}], but must be [${shape.join(', ')}]`);
}

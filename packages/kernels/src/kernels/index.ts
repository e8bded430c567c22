/** Every kernel of the backend: adding one is a folder and a line here. */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { batchNormKernels } from './batch-norm-train/batch-norm-train.kernel.ts';

export const kernels: readonly KernelConfig[] = [
  ...batchNormKernels,
];

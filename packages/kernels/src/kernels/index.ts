/** Every kernel of the backend: adding one is a folder and a line here. */
import type { KernelConfig } from '@tensorflow/tfjs-core';

export const kernels: readonly KernelConfig[] = [];

/** Gradient of ThawToFloat32: stored in float16, as x is. */
import { engine, type GradConfig } from '@tensorflow/tfjs-core';
import { firstGradient } from './saved.ts';

const kernelName = 'ThawToFloat32';

export const toFloat32Gradient: GradConfig = {
  kernelName,
  gradFunc: (dys) => ({ x: () => engine().runKernel('ThawToFloat16', { x: firstGradient(kernelName, dys) }) }),
};

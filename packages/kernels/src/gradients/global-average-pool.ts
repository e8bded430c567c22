/** Gradient of ThawGlobalAveragePool: every pixel gets dy / (height width). */
import { engine, type GradConfig } from '@tensorflow/tfjs-core';
import { firstGradient } from './saved.ts';

const kernelName = 'ThawGlobalAveragePool';

export const globalAveragePoolGradient: GradConfig = {
  kernelName,
  gradFunc: (dys, _saved, attributes) => ({
    x: () => engine().runKernel('ThawGlobalAveragePoolGrad', { dy: firstGradient(kernelName, dys) }, attributes),
  }),
};

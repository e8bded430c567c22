/** Gradient of ThawToFloat16: the rounding passes it on, in whatever it is stored. */
import { clone, type GradConfig } from '@tensorflow/tfjs-core';
import { firstGradient } from './saved.ts';

const kernelName = 'ThawToFloat16';

export const toFloat16Gradient: GradConfig = {
  kernelName,
  gradFunc: (dys) => ({ x: () => clone(firstGradient(kernelName, dys)) }),
};

/** Gradient of ThawDropout: the same mask over dy. */
import { engine, type GradConfig, type Tensor } from '@tensorflow/tfjs-core';
import { firstGradient, savedTensors } from './saved.ts';

const kernelName = 'ThawDropout';

export const dropoutGradient: GradConfig = {
  kernelName,
  inputsToSave: ['seed'],
  gradFunc: (dys, saved, attributes) => {
    const x = firstGradient(kernelName, dys);
    const { seed } = savedTensors(kernelName, saved, 'seed');
    return { x: (): Tensor => engine().runKernel(kernelName, { x, seed }, attributes) };
  },
};

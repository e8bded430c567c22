/**
 * Gradient of ThawDense. The kernel of kernel and bias runs in the body, once for both: what a thunk makes for another input
 * would not outlive it. That of the input is left to its thunk, as the features of a frozen trunk ask for none.
 */
import { engine, type GradConfig, type Tensor } from '@tensorflow/tfjs-core';
import { computed, firstGradient, savedTensors } from './saved.ts';

const kernelName = 'ThawDense';

export const denseGradient: GradConfig = {
  kernelName,
  inputsToSave: ['x', 'kernel'],
  outputsToSave: [true],
  gradFunc: (dys, saved, attributes) => {
    const dy = firstGradient(kernelName, dys);
    const { x, kernel, y } = savedTensors(kernelName, saved, 'x', 'kernel', 'y');
    const [dkernel, dbias] = engine().runKernel<Tensor[]>('ThawDenseWeightsGrad', { x, dy, y }, attributes);
    return {
      x: () => engine().runKernel('ThawDenseInputGrad', { dy, y, kernel }, attributes),
      kernel: () => computed(kernelName, 'kernel', dkernel),
      bias: () => computed(kernelName, 'bias', dbias),
    };
  },
};

/** Gradient of ThawBatchNormTrain: one fused kernel, run once however many inputs ask for it. */
import { engine, type GradConfig, type Tensor } from '@tensorflow/tfjs-core';
import { computed, firstGradient, savedTensors } from './saved.ts';

const kernelName = 'ThawBatchNormTrain';

export const batchNormTrainGradient: GradConfig = {
  kernelName,
  inputsToSave: ['x', 'gamma'],
  outputsToSave: [true, true, true],
  gradFunc: (dys, saved, attributes) => {
    // Mean and variance carry no gradient: theirs is not looked at.
    const dy = firstGradient(kernelName, dys);
    const inputs = { dy, ...savedTensors(kernelName, saved, 'x', 'gamma', 'y', 'mean', 'variance') };
    const [dx, dgamma, dbeta, dresidual] = engine().runKernel<Tensor[]>('ThawBatchNormTrainGrad', inputs, attributes);
    return {
      x: () => computed(kernelName, 'x', dx),
      gamma: () => computed(kernelName, 'gamma', dgamma),
      beta: () => computed(kernelName, 'beta', dbeta),
      residual: () => computed(kernelName, 'residual', dresidual),
    };
  },
};

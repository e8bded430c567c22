/** Gradient of ThawSoftmaxCrossEntropy: the forward kernel made it already; it is scaled by the loss's own gradient. */
import { engine, type GradConfig } from '@tensorflow/tfjs-core';
import { firstGradient, savedTensors } from './saved.ts';

const kernelName = 'ThawSoftmaxCrossEntropy';

export const softmaxCrossEntropyGradient: GradConfig = {
  kernelName,
  outputsToSave: [false, true],
  gradFunc: (dys, saved) => {
    const dloss = firstGradient(kernelName, dys);
    const { gradient } = savedTensors(kernelName, saved, 'gradient');
    return { logits: () => engine().runKernel('ThawScaleRows', { x: gradient, scale: dloss }) };
  },
};

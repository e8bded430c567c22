/**
 * Gradient of ThawScaleShift. Scale and shift usually come from frozen statistics and are asked for by nobody, so their
 * sums are left to the thunks; the pass over dx is shared.
 */
import { engine, type GradConfig, type Tensor } from '@tensorflow/tfjs-core';
import { computed, firstGradient, savedTensors } from './saved.ts';

const kernelName = 'ThawScaleShift';

export const scaleShiftGradient: GradConfig = {
  kernelName,
  inputsToSave: ['x', 'scale'],
  outputsToSave: [true],
  gradFunc: (dys, saved, attributes) => {
    const dy = firstGradient(kernelName, dys);
    const { x, scale, y } = savedTensors(kernelName, saved, 'x', 'scale', 'y');
    const [dx, dresidual] = engine().runKernel<Tensor[]>('ThawScaleShiftGrad', { dy, y, scale }, attributes);
    const sum = (of: 'scale' | 'shift'): Tensor =>
      engine().runKernel('ThawScaleShiftSum', { dy, x, y }, { ...attributes, of });
    return {
      x: () => computed(kernelName, 'x', dx),
      scale: () => sum('scale'),
      shift: () => sum('shift'),
      residual: () => computed(kernelName, 'residual', dresidual),
    };
  },
};

/** Every gradient that the backend's ops need: TensorFlow.js's own, and those of thaw's fused kernels. */
import { registerGradient, type GradConfig } from '@tensorflow/tfjs-core';
import { batchNormTrainGradient } from './batch-norm-train.ts';
import { conv2dGradient } from './conv2d.ts';
import { registerCoreGradients } from './core-gradients.ts';
import { denseGradient } from './dense.ts';
import { dropoutGradient } from './dropout.ts';
import { globalAveragePoolGradient } from './global-average-pool.ts';
import { scaleShiftGradient } from './scale-shift.ts';
import { softmaxCrossEntropyGradient } from './softmax-cross-entropy.ts';
import { toFloat16Gradient } from './to-float16.ts';
import { toFloat32Gradient } from './to-float32.ts';

const gradients: readonly GradConfig[] = [
  conv2dGradient,
  batchNormTrainGradient,
  scaleShiftGradient,
  softmaxCrossEntropyGradient,
  globalAveragePoolGradient,
  denseGradient,
  dropoutGradient,
  toFloat16Gradient,
  toFloat32Gradient,
];

/** Registers them; called by register(). */
export function registerGradients(): void {
  registerCoreGradients();
  for (const gradient of gradients) registerGradient(gradient);
}

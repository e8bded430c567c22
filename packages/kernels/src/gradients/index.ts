/** Every gradient that the backend's ops need: TensorFlow.js's own, and those of thaw's fused kernels. */
import { registerGradient, type GradConfig } from '@tensorflow/tfjs-core';
import { conv2dGradient } from './conv2d.ts';
import { registerCoreGradients } from './core-gradients.ts';

const gradients: readonly GradConfig[] = [conv2dGradient];

/** Registers them; called by register(). */
export function registerGradients(): void {
  registerCoreGradients();
  for (const gradient of gradients) registerGradient(gradient);
}

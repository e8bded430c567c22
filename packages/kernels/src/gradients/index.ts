/** Every gradient that the backend's ops need: TensorFlow.js's own, and those of thaw's fused kernels. */
import { registerGradient, type GradConfig } from '@tensorflow/tfjs-core';
import { registerCoreGradients } from './core-gradients.ts';

const gradients: readonly GradConfig[] = [];

/** Registers them; called by register(). */
export function registerGradients(): void {
  registerCoreGradients();
  for (const gradient of gradients) registerGradient(gradient);
}

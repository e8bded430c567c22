/**
 * 'ThawToFloat16': input x, float32; one output of the same numbers, stored in float16.
 * 'ThawToFloat32': the way back.
 */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import type { Precision } from '../../wgsl/shader.ts';
import { planConversion } from './precision.plan.ts';

const conversion = (name: string, to: Precision): KernelConfig =>
  defineKernel(name, ({ backend, input }) => {
    const x = input('x');
    if (backend.precisionOf(x) === to) return backend.alias(x, x.shape);
    const { limits } = backend.gpu;
    return backend.runOne(planConversion(x.shape, to, limits, backend.gpu.tiling('elementwise').direct), { x });
  });

export const precisionKernels = [conversion('ThawToFloat16', 'float16'), conversion('ThawToFloat32', 'float32')];

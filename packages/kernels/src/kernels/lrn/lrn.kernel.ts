/** LRN (local response normalisation) and its gradient for TensorFlow.js. */
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import type { Limits, Plan } from '../../runtime/plan.ts';
import { readShader, type Shader } from '../../wgsl/shader.ts';
import { planPerElement } from '../per-element.plan.ts';
import backwardSource from './lrn-backward.wgsl?raw';
import forwardSource from './lrn.wgsl?raw';

const forwardShader = readShader('lrn', forwardSource);
const backwardShader = readShader('lrn-backward', backwardSource);

interface LrnAttrs {
  readonly depthRadius: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

function planLrn(shader: Shader, { shape }: TensorInfo, attrs: LrnAttrs, limits: Limits): Plan {
  const { depthRadius: radius, bias, alpha, beta } = attrs;
  const params = { channels: shape.at(-1) ?? 1, radius, bias, alpha, beta };
  return planPerElement({ kernel: shader.name, shader, shape, dtype: 'float32', params }, limits);
}

export const lrnKernels: readonly KernelConfig[] = [
  defineKernel('LRN', ({ backend, input, attrs }) => {
    const x = input('x');
    return backend.runOne(planLrn(forwardShader, x, attrs<LrnAttrs>(), backend.gpu.limits), { x });
  }),
  defineKernel('LRNGrad', ({ backend, input, attrs }) => {
    const [x, forward, dy] = [input('x'), input('y'), input('dy')];
    return backend.runOne(planLrn(backwardShader, x, attrs<LrnAttrs>(), backend.gpu.limits), { x, forward, dy });
  }),
];

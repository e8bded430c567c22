/** Cumsum and Cumprod for TensorFlow.js. */
import { util, type KernelConfig } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { checkBinding, elements, foldWorkgroups, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import source from './scan.wgsl?raw';

const shader = readShader('scan', source);

const scanKernel = (name: 'Cumsum' | 'Cumprod'): KernelConfig =>
  defineKernel(name, ({ backend, input, attrs }) => {
    const x = input('x');
    const { axis, exclusive, reverse } = attrs<{ axis: number; exclusive: boolean; reverse: boolean }>();
    const { limits } = backend.gpu;
    const [at = 0] = util.parseAxisParam(axis, x.shape);
    checkBinding(name, 'y', x.shape, limits);
    const isFloat = x.dtype === 'float32';
    const inner = elements(x.shape.slice(at + 1));
    const lines = elements(x.shape.slice(0, at)) * inner;
    const length = x.shape[at] ?? 1;
    const plan: Plan = {
      shader,
      tuning: shader.tunables,
      constants: {
        PRODUCT: Number(name === 'Cumprod'),
        FLOAT: Number(isFloat),
        EXCLUSIVE: Number(exclusive),
        REVERSE: Number(reverse),
      },
      params: { lines, length, inner },
      workgroups: foldWorkgroups(name, lines, limits),
      outputs: { y: { shape: x.shape, dtype: isFloat ? 'float32' : 'int32' } },
    };
    return backend.runOne(plan, { x });
  });

export const scanKernels: readonly KernelConfig[] = [scanKernel('Cumsum'), scanKernel('Cumprod')];

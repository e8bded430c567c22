/** FFT and IFFT of the last dimension for TensorFlow.js: log2 n passes where n is a power of two, n^2 steps elsewhere. */
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import { elements, type Plan } from '../../runtime/plan.ts';
import { readShader, type Shader } from '../../wgsl/shader.ts';
import { joined } from '../elementwise/elementwise.kernel.ts';
import { planPerElement } from '../per-element.plan.ts';
import dftSource from './dft.wgsl?raw';
import passSource from './fft-pass.wgsl?raw';

const passShader = readShader('fft-pass', passSource);
const dftShader = readShader('dft', dftSource);

/** cos and sin of -2 pi k / length, rounded from float64: WGSL's own are good to 2^-11. */
function rootsOfUnity(length: number): Float32Array {
  const roots = new Float32Array(2 * length);
  for (let k = 0; k < length; k++) {
    const angle = (-2 * Math.PI * k) / length;
    roots[2 * k] = Math.cos(angle);
    roots[2 * k + 1] = Math.sin(angle);
  }
  return roots;
}

function transform(backend: ThawBackend, x: TensorInfo, isInverse: boolean): TensorInfo {
  const { shape } = x;
  const [length = 1] = shape.slice(-1);
  const roots = backend.makeTensor(rootsOfUnity(length), [2 * length], 'float32');
  const sign = isInverse ? -1 : 1;
  const run = (shader: Shader, threads: number, params: Record<string, number>, re: TensorInfo, im: TensorInfo) => {
    const walk = planPerElement({ kernel: 'fft', shader, shape: [threads], dtype: 'float32', params: { length, sign, ...params }, inPlace: true }, backend.gpu.limits); // prettier-ignore
    const plan: Plan = { ...walk, outputs: { outRe: { shape, dtype: 'float32' }, outIm: { shape, dtype: 'float32' } } };
    const { outRe, outIm } = backend.run(plan, { re, im, roots });
    if (!outRe || !outIm) throw new Error('fft: the kernel made no output');
    return [outRe, outIm] as const;
  };
  const size = elements(shape);
  const { real, imag } = backend.parts(x);
  let parts = [backend.alias(real, shape), backend.alias(imag, shape)] as const;
  const then = (next: typeof parts): void => {
    for (const part of parts) backend.release(part);
    parts = next;
  };
  if (Number.isInteger(Math.log2(length)))
    for (let done = 1; done < length; done *= 2)
      then(run(passShader, size / 2, { done, scale: isInverse ? 0.5 : 1 }, ...parts));
  else then(run(dftShader, size, { scale: isInverse ? 1 / length : 1 }, ...parts));
  backend.release(roots);
  return joined(backend, ...parts);
}

export const fftKernels: readonly KernelConfig[] = [
  defineKernel('FFT', ({ backend, input }) => transform(backend, input('input'), false)),
  defineKernel('IFFT', ({ backend, input }) => transform(backend, input('input'), true)),
];

/** What looks for places or is made from them: SearchSorted, TopK, OneHot and Multinomial for TensorFlow.js. */
import type { DataType, KernelConfig } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { deviceType } from '../../backend/storage.ts';
import { checkBinding, elements, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { bitsOf } from '../elementwise/elementwise.plan.ts';
import { planPerElement } from '../per-element.plan.ts';
import { softmax } from '../reduce/reduce.kernel.ts';
import multinomialSource from './multinomial.wgsl?raw';
import oneHotSource from './one-hot.wgsl?raw';
import searchSortedSource from './search-sorted.wgsl?raw';
import topKSource from './top-k.wgsl?raw';

const searchSortedShader = readShader('search-sorted', searchSortedSource);
const oneHotShader = readShader('one-hot', oneHotSource);
const multinomialShader = readShader('multinomial', multinomialSource);
const topKShader = readShader('top-k', topKSource);

const searchSorted = defineKernel('SearchSorted', ({ backend, input, attrs }) => {
  const [x, values] = [input('sortedSequence'), input('values')];
  const { side } = attrs<{ side: 'left' | 'right' }>();
  const [length = 0, count = 0] = [x.shape.at(-1), values.shape.at(-1)];
  const { limits } = backend.gpu;
  checkBinding('searchSorted', 'sortedSequence', x.shape, limits);
  const constants = { AFTER: Number(side === 'right'), FLOAT: Number(x.dtype === 'float32') };
  const plan = planPerElement({ kernel: 'searchSorted', shader: searchSortedShader, shape: values.shape, dtype: 'int32', params: { count, length }, constants }, limits); // prettier-ignore
  return backend.runOne(plan, { x, values });
});

const oneHot = defineKernel('OneHot', ({ backend, input, attrs }) => {
  const x = input('indices');
  const { depth, onValue, offValue, dtype = 'int32' } = attrs<{ depth: number; onValue: number; offValue: number; dtype?: DataType }>(); // prettier-ignore
  const type = deviceType(dtype);
  const params = { depth, on: bitsOf(onValue, type), off: bitsOf(offValue, type) };
  const plan = planPerElement({ kernel: 'oneHot', shader: oneHotShader, shape: [...x.shape, depth], dtype: type, params }, backend.gpu.limits); // prettier-ignore
  return backend.runOne(plan, { x });
});

const multinomial = defineKernel('Multinomial', ({ backend, input, attrs }) => {
  const logits = input('logits');
  const { numSamples: samples, seed, normalized } = attrs<{ numSamples: number; seed: number; normalized: boolean }>();
  const [batch = 0, events = 0] = logits.shape;
  const x = normalized ? backend.alias(logits, logits.shape) : softmax(backend, logits, false);
  // Seeds between 0 and 1 are what tfjs makes up itself.
  const [word = 0] = new Uint32Array(new Float64Array([seed]).buffer).map((half, i, halves) => half ^ (halves[1 - i] ?? 0)); // prettier-ignore
  const params = { samples, events, seed: word };
  const plan = planPerElement({ kernel: 'multinomial', shader: multinomialShader, shape: [batch, samples], dtype: 'int32', params }, backend.gpu.limits); // prettier-ignore
  const y = backend.runOne(plan, { x });
  backend.release(x);
  return y;
});

const topK = defineKernel('TopK', ({ backend, input, attrs }) => {
  const x = input('x');
  const { k } = attrs<{ k: number }>();
  const [length = 0] = x.shape.slice(-1);
  const shape = [...x.shape.slice(0, -1), k];
  const dtype = deviceType(x.dtype);
  const { limits } = backend.gpu;
  checkBinding('topk', 'values', shape, limits);
  const walk = planPerElement({ kernel: 'topk', shader: topKShader, shape: x.shape, dtype, params: { length, k }, constants: { FLOAT: Number(dtype === 'float32') }, inPlace: true }, limits); // prettier-ignore
  const plan: Plan = { ...walk, outputs: { values: { shape, dtype }, indices: { shape, dtype: 'int32' } } };
  const { values, indices } = elements(shape) > 0 ? backend.run(plan, { x }) : { values: backend.empty(shape, dtype), indices: backend.empty(shape, 'int32') }; // prettier-ignore
  if (!values || !indices) throw new Error('topk: the kernel made no output');
  return [values, indices];
});

export const searchKernels: readonly KernelConfig[] = [searchSorted, oneHot, multinomial, topK];

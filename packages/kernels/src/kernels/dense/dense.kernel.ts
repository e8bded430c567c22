/**
 * 'ThawDense': inputs x [n, inputs], kernel [inputs, outputs], bias [outputs]; attribute relu; output [n, outputs].
 * 'ThawDenseInputGrad': inputs dy, y, kernel; attribute relu; output dx.
 * 'ThawDenseWeightsGrad': inputs x, dy, y; attribute relu; outputs [dkernel, dbias].
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel } from '../../backend/kernel.ts';
import { forward } from '../conv2d/conv2d.kernel.ts';
import type { Conv2dShape } from '../conv2d/shape.ts';
import { planDenseBackwardInput, planDenseBackwardWeights, checkDense, type DenseShape } from './dense.plan.ts';

interface DenseAttrs {
  readonly relu: boolean;
}

function denseShape(rows: number, kernel: readonly number[], { relu }: DenseAttrs): DenseShape {
  const [inputs = 0, outputs = 0] = kernel;
  return { rows, inputs, outputs, relu };
}

const rowsOf = ({ shape: [rows = 0] }: TensorInfo): number => rows;

/** A dense layer is a 1x1 convolution of images of one pixel. */
const asConvolution = ({ rows, inputs, outputs }: DenseShape): Conv2dShape => ({
  batch: rows,
  inH: 1,
  inW: 1,
  inC: inputs,
  outH: 1,
  outW: 1,
  outC: outputs,
  kH: 1,
  kW: 1,
  strideH: 1,
  strideW: 1,
  dilationH: 1,
  dilationW: 1,
  padTop: 0,
  padLeft: 0,
});

const dense = defineKernel('ThawDense', ({ backend, input, attrs }) => {
  const [x, w, bias] = [input('x'), input('kernel'), input('bias')];
  const s = denseShape(rowsOf(x), w.shape, attrs<DenseAttrs>());
  checkShape('ThawDense', 'x', x, [s.rows, s.inputs]);
  checkShape('ThawDense', 'bias', bias, [s.outputs]);
  checkDense(s, backend.gpu.limits);
  const shape = [s.rows, s.outputs];
  if (s.rows === 0) return backend.makeTensor(new Float32Array(0), shape, 'float32');
  return { ...forward(backend, asConvolution(s), s.relu, { x, w, bias }), shape };
});

const inputGrad = defineKernel('ThawDenseInputGrad', ({ backend, input, attrs }) => {
  const [dy, y, w] = [input('dy'), input('y'), input('kernel')];
  const s = denseShape(rowsOf(dy), w.shape, attrs<DenseAttrs>());
  const plan = planDenseBackwardInput(s, backend.gpu.limits, backend.gpu.tiling('dense'));
  return backend.runOne(plan, { dy, y, w });
});

const weightsGrad = defineKernel('ThawDenseWeightsGrad', ({ backend, input, attrs }) => {
  const [x, dy, y] = [input('x'), input('dy'), input('y')];
  const s = denseShape(rowsOf(x), [x.shape[1] ?? 0, dy.shape[1] ?? 0], attrs<DenseAttrs>());
  const plan = planDenseBackwardWeights(s, backend.gpu.limits, backend.gpu.tiling('dense'));
  const { dw, dbias } = backend.run(plan, { x, dy, y });
  if (!dw || !dbias) throw new Error('ThawDenseWeightsGrad: an output was not made');
  return [dw, dbias];
});

export const denseKernels = [dense, inputGrad, weightsGrad];

/** Conv2D and its two gradients for TensorFlow.js, FusedConv2D, and ThawConv2D with bias, residual and ReLU inside. */
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import { commonPrecision } from '../../backend/precision.ts';
import type { ThawBackend } from '../../backend/thaw-backend.ts';
import type { Conv2DAttributes } from '../../ops/conv2d.ts';
import { planConv2dBackwardFilter } from '../conv2d-backward-filter/conv2d-backward-filter.plan.ts';
import { planConv2dBackwardInput } from '../conv2d-backward-input/conv2d-backward-input.plan.ts';
import { planFill } from '../elementwise/elementwise.plan.ts';
import { withEpilogue } from '../elementwise/epilogue.ts';
import type { Plan } from '../../runtime/plan.ts';
import type { Tiling } from '../../tuning/tilings.ts';
import { convolutionBucket, type TunedKernel } from '../../tuning/tuned.ts';
import type { Precision } from '../../wgsl/shader.ts';
import { planConv2d } from './conv2d.plan.ts';
import { conv2dShape, type Conv2dAttrs, type Conv2dShape } from './shape.ts';

/** The tiling found for the precision at hand, or else for float32, which tells nothing where there are matrix units. */
function tilingOf({ gpu }: ThawBackend, kernel: TunedKernel, s: Conv2dShape, precision: Precision): Tiling {
  const buckets = gpu.kind.matrixUnit ? [precision] : [precision, 'float32' as const];
  return gpu.tiling(kernel, ...buckets.map((one) => convolutionBucket(s, one)));
}

/** Runs a plan and, where it makes parts of a sum, the one that adds them up. */
function runParts(
  backend: ThawBackend,
  [first, second]: readonly Plan[],
  inputs: Readonly<Record<string, TensorInfo | undefined>>,
): TensorInfo {
  if (!first) throw new Error('convolution: empty plan');
  const parts = backend.runOne(first, inputs);
  if (!second) return parts;
  const sum = backend.runOne(second, { ...inputs, parts });
  backend.release(parts);
  return sum;
}

/** Runs the convolution; the output is stored as x is. Only the shape `s` counts, not those of the tensors. */
export function forward(
  backend: ThawBackend,
  s: Conv2dShape,
  relu: boolean,
  inputs: Readonly<{ x: TensorInfo; w: TensorInfo; bias?: TensorInfo | undefined; residual?: TensorInfo | undefined }>,
): TensorInfo {
  const { gpu } = backend;
  const precision = backend.precisionOf(inputs.x);
  const epilogue = { bias: inputs.bias !== undefined, residual: inputs.residual !== undefined, relu };
  const tiling = tilingOf(backend, 'conv2d', s, precision);
  return runParts(backend, planConv2d(s, epilogue, gpu.limits, tiling, precision, gpu.tiling('elementwise').direct), inputs); // prettier-ignore
}

const conv2d = defineKernel('Conv2D', ({ backend, input, attrs }) => {
  const [x, w] = [input('x'), input('filter')];
  const s = conv2dShape('conv2d', x.shape, w.shape, attrs<Conv2dAttrs>());
  return forward(backend, s, false, { x, w });
});

const fusedConv2d = defineKernel('FusedConv2D', (call) => {
  const { backend, input, attrs } = call;
  const [x, w] = [input('x'), input('filter')];
  const s = conv2dShape('fused conv2d', x.shape, w.shape, attrs<Conv2dAttrs>());
  return withEpilogue('fused conv2d', call, s.outC, ({ bias, relu }) => forward(backend, s, relu, { x, w, bias }));
});

const thawConv2d = defineKernel('ThawConv2D', ({ backend, input, optional, attrs }) => {
  const [x, w, bias, residual] = [input('x'), input('filter'), optional('bias'), optional('residual')];
  const { strides, pad, dilations, relu } = attrs<Conv2DAttributes>();
  const s = conv2dShape('conv2d', x.shape, w.shape, { strides, pad: [[0, 0], ...pad, [0, 0]], dilations });
  if (residual && residual.shape.join() !== [s.batch, s.outH, s.outW, s.outC].join())
    throw new Error(
      `conv2d: the residual is [${residual.shape.join(', ')}] and the output [${s.batch}, ${s.outH}, ${s.outW}, ${s.outC}]`,
    );
  return forward(backend, s, relu, { x, w, bias, residual });
});

/** Whether there are no output pixels, so that both gradients are sums of nothing. */
const isEmpty = ({ batch, outH, outW }: Conv2dShape): boolean => batch * outH * outW === 0;

const backpropInput = defineKernel('Conv2DBackpropInput', ({ backend, input, attrs }) => {
  const [dy, w] = [input('dy'), input('filter')];
  const { inputShape, ...conv } = attrs<Conv2dAttrs & { inputShape: number[] }>();
  const s = conv2dShape('conv2d gradient', inputShape, w.shape, conv);
  if (isEmpty(s)) return backend.runOne(planFill(inputShape, 0, 'float32', backend.gpu.limits), {});
  const { gpu } = backend;
  const precision = backend.precisionOf(dy);
  const tiling = tilingOf(backend, 'conv2d-backward-input', s, precision);
  const plans = planConv2dBackwardInput(s, gpu.limits, tiling, precision, gpu.tiling('elementwise').direct);
  return runParts(backend, plans, { dy, w });
});

const backpropFilter = defineKernel('Conv2DBackpropFilter', ({ backend, input, attrs }) => {
  const [x, dy] = [input('x'), input('dy')];
  const { filterShape, ...conv } = attrs<Conv2dAttrs & { filterShape: number[] }>();
  const s = conv2dShape('conv2d filter gradient', x.shape, filterShape, conv);
  if (isEmpty(s)) return backend.runOne(planFill(filterShape, 0, 'float32', backend.gpu.limits), {});
  const { gpu } = backend;
  const precision = commonPrecision(backend, x, dy);
  const tiling = tilingOf(backend, 'conv2d-backward-filter', s, precision);
  const plans = planConv2dBackwardFilter(s, gpu.limits, tiling, precision, gpu.tiling('elementwise').direct);
  return runParts(backend, plans, { x, dy });
});

export const conv2dKernels: readonly KernelConfig[] = [conv2d, fusedConv2d, thawConv2d, backpropInput, backpropFilter];

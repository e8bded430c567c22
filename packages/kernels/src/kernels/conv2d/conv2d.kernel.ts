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
import { slice } from '../transform/transform.kernel.ts';
import { channelsLast, fusedChannelsLast, lastShape } from './layout.ts';
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
  const w = input('filter');
  return channelsLast(backend, attrs<Conv2dAttrs>(), [input('x')], (conv, x) =>
    forward(backend, conv2dShape('conv2d', x.shape, w.shape, conv), false, { x, w }),
  );
});

const fusedConv2d = defineKernel('FusedConv2D', (fused) =>
  fusedChannelsLast<Conv2dAttrs>(fused, (call, attrs, x) => {
    const { backend } = call;
    const w = call.input('filter');
    const s = conv2dShape('fused conv2d', x.shape, w.shape, attrs);
    return withEpilogue('fused conv2d', call, s.outC, ({ bias, relu }) => forward(backend, s, relu, { x, w, bias }));
  }),
);

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

/** The part of dy that the convolution made: conv2dTranspose may be given more than fits, of which tfjs takes the corner. */
function cornerOf(backend: ThawBackend, dy: TensorInfo, { batch, outH, outW, outC }: Conv2dShape): TensorInfo {
  const shape = [batch, outH, outW, outC];
  if (dy.shape.join() === shape.join()) return backend.alias(dy, shape);
  if (shape.some((d, i) => d > (dy.shape[i] ?? 0)))
    throw new Error(`conv2d gradient: dy is [${dy.shape.join(', ')}] and the output of the convolution [${shape.join(', ')}]`); // prettier-ignore
  return slice(backend, dy, [0, 0, 0, 0], shape);
}

const backpropInput = defineKernel('Conv2DBackpropInput', ({ backend, input, attrs }) => {
  const w = input('filter');
  const { inputShape, ...given } = attrs<Conv2dAttrs & { inputShape: number[] }>();
  return channelsLast(backend, given, [input('dy')], (conv, whole) => {
    const shape = given.dataFormat === 'NCHW' ? lastShape(inputShape) : inputShape;
    const s = conv2dShape('conv2d gradient', shape, w.shape, conv);
    if (isEmpty(s)) return backend.runOne(planFill(shape, 0, 'float32', backend.gpu.limits), {});
    const dy = cornerOf(backend, whole, s);
    const { gpu } = backend;
    const precision = backend.precisionOf(dy);
    const tiling = tilingOf(backend, 'conv2d-backward-input', s, precision);
    const plans = planConv2dBackwardInput(s, gpu.limits, tiling, precision, gpu.tiling('elementwise').direct);
    const dx = runParts(backend, plans, { dy, w });
    backend.release(dy);
    return dx;
  });
});

const backpropFilter = defineKernel('Conv2DBackpropFilter', ({ backend, input, attrs }) => {
  const { filterShape, ...given } = attrs<Conv2dAttrs & { filterShape: number[] }>();
  const gradient = (conv: Conv2dAttrs, x: TensorInfo, dy: TensorInfo): TensorInfo => {
    const s = conv2dShape('conv2d filter gradient', x.shape, filterShape, conv);
    if (isEmpty(s)) return backend.runOne(planFill(filterShape, 0, 'float32', backend.gpu.limits), {});
    const { gpu } = backend;
    const precision = commonPrecision(backend, x, dy);
    const tiling = tilingOf(backend, 'conv2d-backward-filter', s, precision);
    const plans = planConv2dBackwardFilter(s, gpu.limits, tiling, precision, gpu.tiling('elementwise').direct);
    return runParts(backend, plans, { x, dy });
  };
  return channelsLast(backend, given, [input('x'), input('dy')], gradient, false);
});

export const conv2dKernels: readonly KernelConfig[] = [conv2d, fusedConv2d, thawConv2d, backpropInput, backpropFilter];

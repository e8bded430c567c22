/** Conv2D and its two gradients for TensorFlow.js, FusedConv2D, and ThawConv2D with bias, residual and ReLU inside. */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { defineKernel } from '../../backend/kernel.ts';
import type { Conv2DAttributes } from '../../ops/conv2d.ts';
import { planConv2dBackwardFilter } from '../conv2d-backward-filter/conv2d-backward-filter.plan.ts';
import { planConv2dBackwardInput } from '../conv2d-backward-input/conv2d-backward-input.plan.ts';
import { planFill } from '../elementwise/elementwise.plan.ts';
import { withEpilogue } from '../elementwise/epilogue.ts';
import { planConv2d } from './conv2d.plan.ts';
import { convolutionBucket } from '../../tuning/tuned.ts';
import { conv2dShape, type Conv2dAttrs, type Conv2dShape } from './shape.ts';

const conv2d = defineKernel('Conv2D', ({ backend, input, attrs }) => {
  const [x, w] = [input('x'), input('filter')];
  const s = conv2dShape('conv2d', x.shape, w.shape, attrs<Conv2dAttrs>());
  return backend.runOne(planConv2d(s, {}, backend.gpu.limits, backend.gpu.tiling('conv2d', convolutionBucket(s))), {
    x,
    w,
  });
});

const fusedConv2d = defineKernel('FusedConv2D', (call) => {
  const { backend, input, attrs } = call;
  const [x, w] = [input('x'), input('filter')];
  const s = conv2dShape('fused conv2d', x.shape, w.shape, attrs<Conv2dAttrs>());
  return withEpilogue('fused conv2d', call, s.outC, ({ bias, relu }) => {
    const plan = planConv2d(
      s,
      { bias: bias !== undefined, relu },
      backend.gpu.limits,
      backend.gpu.tiling('conv2d', convolutionBucket(s)),
    );
    return backend.runOne(plan, { x, w, bias });
  });
});

const thawConv2d = defineKernel('ThawConv2D', ({ backend, input, optional, attrs }) => {
  const [x, w, bias, residual] = [input('x'), input('filter'), optional('bias'), optional('residual')];
  const { strides, pad, dilations, relu } = attrs<Conv2DAttributes>();
  const s = conv2dShape('conv2d', x.shape, w.shape, { strides, pad: [[0, 0], ...pad, [0, 0]], dilations });
  if (residual && residual.shape.join() !== [s.batch, s.outH, s.outW, s.outC].join())
    throw new Error(
      `conv2d: the residual is [${residual.shape.join(', ')}] and the output [${s.batch}, ${s.outH}, ${s.outW}, ${s.outC}]`,
    );
  const epilogue = { bias: bias !== undefined, residual: residual !== undefined, relu };
  return backend.runOne(
    planConv2d(s, epilogue, backend.gpu.limits, backend.gpu.tiling('conv2d', convolutionBucket(s))),
    {
      x,
      w,
      bias,
      residual,
    },
  );
});

/** Whether there are no output pixels, so that both gradients are sums of nothing. */
const isEmpty = ({ batch, outH, outW }: Conv2dShape): boolean => batch * outH * outW === 0;

const backpropInput = defineKernel('Conv2DBackpropInput', ({ backend, input, attrs }) => {
  const [dy, w] = [input('dy'), input('filter')];
  const { inputShape, ...conv } = attrs<Conv2dAttrs & { inputShape: number[] }>();
  const s = conv2dShape('conv2d gradient', inputShape, w.shape, conv);
  if (isEmpty(s)) return backend.runOne(planFill(inputShape, 0, 'float32', backend.gpu.limits), {});
  return backend.runOne(
    planConv2dBackwardInput(s, backend.gpu.limits, backend.gpu.tiling('conv2d-backward-input', convolutionBucket(s))),
    {
      dy,
      w,
    },
  );
});

const backpropFilter = defineKernel('Conv2DBackpropFilter', ({ backend, input, attrs }) => {
  const [x, dy] = [input('x'), input('dy')];
  const { filterShape, ...conv } = attrs<Conv2dAttrs & { filterShape: number[] }>();
  const s = conv2dShape('conv2d filter gradient', x.shape, filterShape, conv);
  if (isEmpty(s)) return backend.runOne(planFill(filterShape, 0, 'float32', backend.gpu.limits), {});
  const [first, second] = planConv2dBackwardFilter(
    s,
    backend.gpu.limits,
    backend.gpu.tiling('conv2d-backward-filter', convolutionBucket(s)),
    backend.gpu.tiling('elementwise').direct,
  );
  if (!first) throw new Error('conv2d filter gradient: empty plan');
  const parts = backend.runOne(first, { x, dy });
  if (!second) return parts;
  const dw = backend.runOne(second, { parts });
  backend.release(parts);
  return dw;
});

export const conv2dKernels: readonly KernelConfig[] = [conv2d, fusedConv2d, thawConv2d, backpropInput, backpropFilter];

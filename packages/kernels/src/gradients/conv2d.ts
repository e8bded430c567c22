/** Gradient of ThawConv2D: y = relu(conv(x, filter) + bias + residual). The tape asks only for what is trainable. */
import * as tf from '@tensorflow/tfjs-core';
import { precisionOf } from '../ops/backend.ts';
import type { Conv2DAttributes } from '../ops/conv2d.ts';

const first = <T extends tf.Tensor>(dy: T | T[]): T => {
  const [one] = Array.isArray(dy) ? dy : [dy];
  if (!one) throw new Error('ThawConv2D: no gradient of the output was given');
  return one;
};

/** Over all but the channels; halves are added up without a float32 copy of them. */
const sumOfPixels = (dy: tf.Tensor): tf.Tensor =>
  precisionOf(dy) === 'float32'
    ? tf.sum(dy, [0, 1, 2])
    : tf.engine().runKernel('ThawScaleShiftSum', { dy, x: dy, y: dy }, { relu: false, of: 'shift' });

export const conv2dGradient: tf.GradConfig = {
  kernelName: 'ThawConv2D',
  inputsToSave: ['x', 'filter'],
  outputsToSave: [true],
  gradFunc: (dys, saved, attrs) => {
    const [x, filter, y] = saved;
    if (!x || !filter || !y) throw new Error('ThawConv2D: the tape saved no inputs');
    const { strides, pad, dilations, relu } = attrs as Conv2DAttributes & tf.NamedAttrMap;
    const given = first(dys);
    const dy: tf.Tensor = relu ? tf.engine().runKernel('ThawReluGrad', { dy: given, y }) : given;
    const conv = { strides, dilations, dataFormat: 'NHWC', pad: [[0, 0], ...pad, [0, 0]] };
    return {
      x: () => tf.engine().runKernel('Conv2DBackpropInput', { dy, filter }, { ...conv, inputShape: x.shape }),
      filter: () => tf.engine().runKernel('Conv2DBackpropFilter', { x, dy }, { ...conv, filterShape: filter.shape }),
      bias: () => sumOfPixels(dy),
      residual: () => tf.clone(dy),
    };
  },
};

// Windows over images and volumes, and images at other sizes: depthwise and 3-D convolutions, channels first, 3-D pooling,
// dilation, resizing and crops, with their gradients, as tfjs-cpu has them, for random small shapes.
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectLikeCpu } from '../testing/against-cpu.ts';
import { check, elements, floats, integers, places, size } from '../testing/arbitrary.ts';
import { EPSILON, sumBound } from '../testing/compare.ts';
import { padOf, windows } from '../testing/windows.ts';

const small = fc.integer({ min: 1, max: 3 });
const two = fc.tuple(small, small);
const three = fc.tuple(small, small, small);

/** y and the gradients of its product with random numbers. */
function withGradients(f: (...inputs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]): tf.Tensor[] {
  const y = f(...inputs);
  return [y, ...tf.grads((...given) => tf.sum(tf.mul(f(...given), floats(y.shape, 3))))(inputs)];
}

test('depthwise convolution with its gradients', () =>
  check(
    fc.record({ window: windows, multiplier: small, dilation: small }),
    async ({ window, multiplier, dilation }) => {
      const { shape, filter, strides } = window;
      const pad = padOf(window, dilation);
      const [batch, h, w, channels] = shape;
      // tfjs has no gradient of windows that do not fit, and one of dilations only with strides of one.
      if (pad === undefined) return;
      const bound = 2 * sumBound(Math.max(filter[0] * filter[1] * multiplier, batch * (h + 4) * (w + 4)));
      await expectLikeCpu(() => {
        const f = (x: tf.Tensor, k: tf.Tensor): tf.Tensor => tf.depthwiseConv2d(x as tf.Tensor4D, k as tf.Tensor4D, dilation > 1 ? 1 : strides, pad, 'NHWC', dilation); // prettier-ignore
        const inputs = [floats(shape), floats([...filter, channels, multiplier], 2)];
        const y = f(inputs[0]!, inputs[1]!);
        return dilation > 1 || elements(y.shape) === 0 ? y : withGradients(f, inputs); // prettier-ignore
      }, { bound }); // prettier-ignore
    },
    80,
  ));

test('convolution of volumes with its gradients', () =>
  check(
    fc.record({ batch: small, volume: three, filter: three, strides: three, channels: two, pad: fc.constantFrom('same' as const, 'valid' as const) }), // prettier-ignore
    async ({ batch, volume, filter, strides, channels: [inC, outC], pad }) => {
      const longest = Math.max(elements(filter) * Math.max(inC, outC), batch * elements(volume));
      if (pad === 'valid' && filter.some((k, i) => k > volume[i]!)) return;
      const f = (...[x, k]: tf.Tensor[]): tf.Tensor => tf.conv3d(x as tf.Tensor5D, k as tf.Tensor5D, strides, pad);
      await expectLikeCpu(() => withGradients(f, [floats([batch, ...volume, inC]), floats([...filter, inC, outC], 2)]), { bound: 2 * sumBound(longest) }); // prettier-ignore
    },
  ));

test('channels first is channels last, turned', () =>
  check(
    fc.record({ window: windows, outC: size }),
    async ({ window, outC }) => {
      const { shape, filter, strides } = window;
      const pad = padOf(window);
      if (pad === undefined || (typeof pad === 'object' && pad.length !== 4)) return;
      await tf.setBackend('thaw');
      const [, , , inC] = shape;
      // The padding of [n, c, h, w].
      const turned = typeof pad === 'object' ? ([pad[0], pad[3], pad[1], pad[2]] as typeof pad) : pad;
      const first = (y: tf.Tensor): tf.Tensor => tf.transpose(y, [0, 3, 1, 2]);
      const [last, other] = tf.tidy(() => {
        const [x, k] = [floats(shape), floats([...filter, inC, outC], 2)];
        const bias = floats([outC], 3);
        const of = (format: 'NHWC' | 'NCHW') => (v: tf.Tensor, w: tf.Tensor): tf.Tensor =>
          tf.fused.conv2d({ x: v as tf.Tensor4D, filter: w as tf.Tensor4D, strides, pad: format === 'NHWC' ? pad : turned, dataFormat: format, bias, activation: 'relu' }); // prettier-ignore
        const plain = (format: 'NHWC' | 'NCHW') => (v: tf.Tensor, w: tf.Tensor): tf.Tensor =>
          tf.conv2d(v as tf.Tensor4D, w as tf.Tensor4D, strides, format === 'NHWC' ? pad : turned, format); // prettier-ignore
        const y = plain('NHWC')(x, k);
        const dy = floats(y.shape, 4);
        const [dx, dk] = tf.grads(plain('NHWC'))([x, k], dy);
        const [ex, ek] = tf.grads(plain('NCHW'))([first(x), k], first(dy));
        return [
          [first(of('NHWC')(x, k)), first(y), first(dx!), dk!],
          [of('NCHW')(first(x), k), plain('NCHW')(first(x), k), ex!, ek!],
        ];
      });
      for (const [i, y] of last.entries()) {
        expect(other[i]!.shape).toEqual(y.shape);
        expect([...(await other[i]!.data())]).toEqual([...(await y.data())]);
      }
      tf.dispose([last, other]);
    },
    30,
  ));

test('pooling of volumes with its gradients, and positions of maxima', () =>
  check(
    fc.record({ batch: small, volume: three, filter: three, strides: three, channels: small, isMax: fc.boolean(), pad: fc.constantFrom('same' as const, 'valid' as const) }), // prettier-ignore
    async ({ batch, volume, filter, strides, channels, isMax, pad }) => {
      if (filter.some((k, i) => k > volume[i]!)) return;
      const f = (x: tf.Tensor): tf.Tensor => (isMax ? tf.maxPool3d : tf.avgPool3d)(x as tf.Tensor5D, filter, strides, pad); // prettier-ignore
      // tfjs-cpu's gradient of the average divides by the whole window, and its positions of maxima mistake windows that
      // are not cubes: of those the forward alone.
      const hasGradient = isMax ? new Set(filter).size === 1 : pad === 'valid';
      await expectLikeCpu(() => {
        const x = floats([batch, ...volume, channels]);
        const images = floats([batch, volume[1], volume[2], channels]) as tf.Tensor4D;
        const { result, indexes } = tf.maxPoolWithArgmax(images, [filter[1], filter[2]], [strides[1], strides[2]], pad, isMax); // prettier-ignore
        return [result!, tf.cast(indexes!, 'float32'), ...(hasGradient ? withGradients(f, [x]) : [f(x)])]; // prettier-ignore
      }, { ulps: 64 }); // prettier-ignore
    },
  ));

test('the gradient of the average over volumes is its adjoint, padded, too', async () => {
  await tf.setBackend('thaw');
  const products = tf.tidy(() => {
    const x = floats([2, 3, 5, 4, 3]);
    const f = (v: tf.Tensor): tf.Tensor => tf.avgPool3d(v as tf.Tensor5D, [2, 3, 3], [1, 2, 1], 'same');
    const dy = floats(f(x).shape, 2);
    return tf.stack([tf.sum(tf.mul(f(x), dy)), tf.sum(tf.mul(x, tf.grad(f)(x, dy)))]);
  });
  const [a, b] = await products.data();
  products.dispose();
  // Sums of 360 products of numbers of size at most 1.
  expect(Math.abs(a! - b!)).toBeLessThan(2 * sumBound(360));
});

test('greyscale dilation with its gradients', () =>
  check(fc.record({ window: windows, dilation: small }), async ({ window, dilation }) => {
    const { shape, filter, strides } = window;
    const [, h, w, channels] = shape;
    if ((filter[0] - 1) * dilation >= h || (filter[1] - 1) * dilation >= w) return;
    const f = (...[x, k]: tf.Tensor[]): tf.Tensor => tf.dilation2d(x as tf.Tensor4D, k as tf.Tensor3D, strides, 'valid', dilation); // prettier-ignore
    await expectLikeCpu(() => withGradients(f, [floats(shape), floats([...filter, channels], 2)]), { ulps: 256 });
  }));

test('resizing, by all conventions, with its gradient', () =>
  check(
    fc.record({ shape: fc.tuple(small, size, size, small), to: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), convention: fc.constantFrom('edges', 'corners', 'middles'), isNearest: fc.boolean() }), // prettier-ignore
    async ({ shape, to, convention, isNearest }) => {
      const f = (x: tf.Tensor): tf.Tensor => (isNearest ? tf.image.resizeNearestNeighbor : tf.image.resizeBilinear)(x as tf.Tensor4D, to, convention === 'corners', convention === 'middles'); // prettier-ignore
      // tfjs-cpu's gradients take no heed of middles; its bilinear one gives an image that is not square turned; that of the
      // nearest pixel mixes up the images of a batch, and never ends for a single pixel stretched from corner to corner.
      const isEndless = convention === 'corners' && (shape[1] === 1 || shape[2] === 1);
      const hasGradient =
        convention !== 'middles' && (isNearest ? shape[0] === 1 && !isEndless : shape[1] === shape[2]);
      await expectLikeCpu(() => (hasGradient ? withGradients(f, [floats(shape)]) : f(floats(shape))), { ulps: 512 }); // prettier-ignore
      // It is the adjoint by any convention.
      await tf.setBackend('thaw');
      const products = tf.tidy(() => {
        const x = floats(shape);
        const dy = floats(f(x).shape, 2);
        return tf.stack([tf.sum(tf.mul(f(x), dy)), tf.sum(tf.mul(x, tf.grad(f)(x, dy)))]);
      });
      const [a, b] = await products.data();
      products.dispose();
      expect(Math.abs(a! - b!)).toBeLessThan(16 * EPSILON * (elements(shape) + elements([...to, shape[0], shape[3]])));
    },
    80,
  ));

test('crops, projections and rotations', () =>
  check(
    fc.record({ shape: fc.tuple(small, size, size, small), to: two, count: small, isNearest: fc.boolean(), outside: fc.constantFrom('constant' as const, 'reflect' as const, 'wrap' as const, 'nearest' as const), angle: fc.integer({ min: -7, max: 7 }) }), // prettier-ignore
    ({ shape, to, count, isNearest, outside, angle }) => {
      const method = isNearest ? 'nearest' : 'bilinear';
      return expectLikeCpu(() => {
        const image = floats(shape) as tf.Tensor4D;
        // Quarters: no place is so near to another pixel that float32 decides. Boxes go beyond the image.
        const boxes: tf.Tensor2D = tf.div(tf.cast(integers([count, 4]), 'float32'), 2);
        const map = tf.concat2d([tf.div<tf.Tensor2D>(tf.cast(integers([1, 6], 2), 'float32'), 4), tf.zeros([1, 2])], 1);
        return [
          tf.image.cropAndResize(image, boxes, places([count], shape[0]) as tf.Tensor1D, to, method, 0.5),
          // tfjs-cpu transforms the first image alone.
          tf.image.transform(tf.slice4d(image, [0, 0, 0, 0], [1, -1, -1, -1]), map, method, outside, 0.25, to),
          tf.image.rotateWithOffset(image, angle, 0.5, [0.3, 0.6]),
        ];
      }, { ulps: 64 }); // prettier-ignore
    },
  ));

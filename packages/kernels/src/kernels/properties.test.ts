// Attributes mean what they mean on tfjs-cpu, for random small shapes: the general kernels, pooling and convolution in
// its three directions.
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { test } from 'vitest';
import { expectLikeCpu } from '../testing/against-cpu.ts';
import { check, dtypes, elements, floats, integers, shapeOf, size, sizeOrNone, values } from '../testing/arbitrary.ts';
import { toFloat16 } from '../ops/to-float16.ts';
import { randomHalves, randomIntegers, sumBound } from '../testing/compare.ts';
import { hasHalf } from '../testing/precisions.ts';
import { padOf, windows } from '../testing/windows.ts';

const binary = { add: tf.add, sub: tf.sub, mul: tf.mul, maximum: tf.maximum, minimum: tf.minimum, squaredDifference: tf.squaredDifference, less: tf.less, lessEqual: tf.lessEqual, greater: tf.greater, equal: tf.equal, notEqual: tf.notEqual }; // prettier-ignore
const names = Object.keys(binary) as (keyof typeof binary)[];

test('broadcasting: leading dimensions left out and dimensions of one, on either side', () =>
  check(
    fc.record({
      name: fc.constantFrom(...names),
      dtype: dtypes,
      shape: shapeOf(0, 6, sizeOrNone),
      drop: fc.tuple(fc.nat(6), fc.nat(6)),
      ones: fc.tuple(fc.nat(63), fc.nat(63)),
    }),
    ({ name, dtype, shape, drop, ones }) => {
      const operand = (side: 0 | 1) =>
        shape.map((d, i) => ((ones[side] >> i) & 1 ? 1 : d)).slice(Math.min(drop[side], shape.length));
      return expectLikeCpu(() => binary[name](values(dtype, operand(0)), values(dtype, operand(1), 2)), { ulps: 2 });
    },
    150,
  ));

const unary = { relu: tf.relu, relu6: tf.relu6, elu: tf.elu, leakyRelu: tf.leakyRelu, neg: tf.neg, exp: tf.exp, square: tf.square, abs: tf.abs, sigmoid: tf.sigmoid, tanh: tf.tanh, sign: tf.sign, floor: tf.floor, step: tf.step, log: tf.log, sqrt: tf.sqrt, reciprocal: tf.reciprocal }; // prettier-ignore
const positive = ['log', 'sqrt', 'reciprocal'];
/** tfjs-core refuses integers here. */
const ofFloats = ['elu', 'sigmoid', 'tanh', 'floor', 'log', 'sqrt'];

test('functions of one tensor: values and dtypes, also of integers', () =>
  check(
    fc.record({ name: fc.constantFrom(...(Object.keys(unary) as (keyof typeof unary)[])), dtype: dtypes, shape: shapeOf(0, 4, sizeOrNone) }), // prettier-ignore
    ({ name, dtype: wanted, shape }) => {
      const dtype = ofFloats.includes(name) ? 'float32' : wanted;
      const x = () => (positive.includes(name) ? tf.add(tf.abs(values(dtype, shape)), tf.scalar(1, dtype)) : values(dtype, shape)); // prettier-ignore
      return expectLikeCpu(() => unary[name](x()), { ulps: 64 });
    },
    100,
  ));

const reductions = { sum: tf.sum, mean: tf.mean, max: tf.max, min: tf.min };
test('reductions over any axes, kept or not', () =>
  check(
    fc.record({
      name: fc.constantFrom('sum', 'mean', 'max', 'min', 'any', 'all', 'argMax', 'argMin'),
      dtype: dtypes,
      shape: shapeOf(1, 5),
      mask: fc.nat(31),
      keep: fc.boolean(),
    }),
    ({ name, dtype, shape, mask, keep }) => {
      const axes = shape.map((_, i) => i).filter((i) => (mask >> i) & 1);
      // Negative axes count from the end.
      const axis = keep ? axes.map((a) => a - shape.length) : axes;
      const ulps = 4 * elements(shape);
      switch (name) {
        case 'any':
        case 'all':
          return expectLikeCpu(() => tf[name as 'any'](tf.less(floats(shape), 0.5), axis, keep));
        case 'argMax':
        case 'argMin':
          return expectLikeCpu(() => tf[name as 'argMax'](integers(shape), mask % shape.length));
        default:
          return expectLikeCpu(() => reductions[name as 'sum'](values(dtype, shape), axis, keep), { ulps });
      }
    },
    100,
  ));

test('transpose, slice, pad, tile, concat', () =>
  check(
    fc.record({
      name: fc.constantFrom('transpose', 'slice', 'pad', 'tile', 'concat'),
      dtype: dtypes,
      shape: shapeOf(1, 5, sizeOrNone),
      a: fc.array(fc.nat(4), { minLength: 5, maxLength: 5 }),
      b: fc.array(fc.nat(4), { minLength: 5, maxLength: 5 }),
      order: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
    }),
    ({ name, dtype, shape, a, b, order }) =>
      expectLikeCpu(() => {
        const x = values(dtype, shape);
        const axis = a[0]! % shape.length;
        switch (name) {
          case 'transpose':
            return tf.transpose(x, order.filter((i) => i < shape.length)); // prettier-ignore
          case 'slice': {
            const begin = shape.map((d, i) => Math.min(a[i]!, d));
            const length = begin.map((from, i) => (b[i] === 4 ? -1 : Math.min(b[i]!, shape[i]! - from)));
            return tf.slice(x, begin, length);
          }
          case 'pad':
            return tf.pad(x, shape.map((_, i): [number, number] => [a[i]! % 3, b[i]! % 3]), dtype === 'int32' ? 7 : 1.5); // prettier-ignore
          case 'tile':
            return tf.tile(x, shape.map((_, i) => b[i]! % 3)); // prettier-ignore
          default: {
            const other = shape.map((d, i) => (i === axis ? b[0]! : d));
            return tf.concat([x, values(dtype, other, 2), values(dtype, shape, 3)], axis);
          }
        }
      }),
    150,
  ));

test('gather along any axis, with batch dimensions', () =>
  check(
    fc.record({ shape: shapeOf(1, 4), axis: fc.nat(3), batch: fc.nat(3), more: shapeOf(0, 2), dtype: dtypes }),
    ({ shape, axis, batch, more, dtype }) => {
      const at = axis % shape.length;
      const batchDims = Math.min(batch, at);
      const indexShape = [...shape.slice(0, batchDims), ...more];
      const indices = randomIntegers(elements(indexShape), shape[at]!, 5);
      return expectLikeCpu(() => {
        const index: tf.Tensor = tf.tensor(indices, indexShape, 'int32');
        return tf.gather(values(dtype, shape), index, at, batchDims);
      });
    },
  ));

test('matMul: transposes, batches of any rank, one batch against many', () =>
  check(
    fc.record({ sizes: fc.tuple(size, size, size), batch: shapeOf(0, 3), ones: fc.nat(2), drop: fc.tuple(fc.nat(3), fc.nat(3)), transposes: fc.tuple(fc.boolean(), fc.boolean()) }), // prettier-ignore
    ({ sizes: [m, k, n], batch, ones, drop, transposes: [transposeA, transposeB] }) => {
      // Both sides have the whole batch, or one of them has none of it; leading ones may be left out.
      const side = (which: 1 | 2, rows: number, columns: number) => {
        const dims = ones === which ? batch.map(() => 1) : batch;
        const kept = dims.every((d) => d === 1) ? dims.slice(Math.min(drop[which - 1]!, dims.length)) : dims;
        return [...kept, rows, columns];
      };
      const aShape = transposeA ? side(1, k, m) : side(1, m, k);
      const bShape = transposeB ? side(2, n, k) : side(2, k, n);
      const f = () => tf.matMul(floats(aShape), floats(bShape, 2), transposeA, transposeB);
      return expectLikeCpu(f, { bound: 2 * sumBound(k) });
    },
  ));

test('max-pool and average-pool, and their gradients', () =>
  check(fc.record({ window: windows, isMax: fc.boolean() }), async ({ window, isMax }) => {
    const pad = padOf(window);
    if (pad === undefined) return;
    const f = (x: tf.Tensor): tf.Tensor =>
      (isMax ? tf.maxPool : tf.avgPool)(x as tf.Tensor4D, window.filter, window.strides, pad);
    // Whole numbers: windows have ties.
    const x = () => tf.cast(integers(window.shape), 'float32');
    // tfjs-cpu's gradient of the average divides by the whole window, its forward by the part inside the image.
    const hasGradient = isMax || pad === 'valid';
    await expectLikeCpu(() => (hasGradient ? [f(x()), tf.grad((v) => tf.sum(tf.square(f(v))))(x())] : f(x())), { ulps: 64 }); // prettier-ignore
  }));

test('convolution: forward with dilation, and both gradients', () =>
  check(
    fc.record({ window: windows, outC: size, dilation: fc.integer({ min: 1, max: 3 }) }),
    async ({ window, outC, dilation }) => {
      const { shape, filter, strides } = window;
      const pad = padOf(window, dilation);
      if (pad === undefined) return;
      const [batch, h, w, inC] = shape;
      const f = (x: tf.Tensor, filters: tf.Tensor): tf.Tensor =>
        tf.conv2d(x as tf.Tensor4D, filters as tf.Tensor4D, dilation > 1 ? 1 : strides, pad, 'NHWC', dilation);
      const inputs = () => [floats(shape), floats([...filter, inC, outC], 2)] as const;
      // The longest of the three sums: over the window, over the filters' outputs, over the output's pixels.
      const [kH, kW] = filter;
      const bound = 2 * sumBound(Math.max(kH * kW * Math.max(inC, outC), batch * (h + 4) * (w + 4)));
      await expectLikeCpu(() => {
        const [x, filters] = inputs();
        const y = f(x, filters);
        // tfjs has no gradient of a dilated convolution.
        return dilation > 1 ? y : [y, ...tf.grads((p, q) => tf.sum(tf.mul(f(p, q), floats(y.shape, 3))))([x, filters])];
      }, { bound }); // prettier-ignore
    },
    100,
  ));

test.skipIf(!hasHalf)(
  `convolution and max-pool stored in float16${hasHalf ? '' : ' (this device has no shader-f16)'}`,
  () =>
    check(fc.record({ window: windows, outC: size, isPool: fc.boolean() }), async ({ window, outC, isPool }) => {
      const { shape, filter, strides } = window;
      const pad = padOf(window);
      if (pad === undefined) return;
      const [batch, h, w, inC] = shape;
      const halves = (of: number[], seed: number): tf.Tensor => {
        const x: tf.Tensor = tf.tensor(randomHalves(elements(of), seed), of);
        return tf.getBackend() === 'thaw' ? toFloat16(x) : x;
      };
      const f = (x: tf.Tensor, filters?: tf.Tensor): tf.Tensor =>
        filters
          ? tf.conv2d(x as tf.Tensor4D, filters as tf.Tensor4D, strides, pad)
          : tf.maxPool(x as tf.Tensor4D, filter, strides, pad);
      const [kH, kW] = filter;
      const terms = Math.max(kH * kW * Math.max(inC, outC), batch * (h + 4) * (w + 4));
      // What is stored is rounded to 2^-11 of its size, 2^13 roundings of float32.
      await expectLikeCpu(
        () => {
          const inputs = [halves(shape, 1), ...(isPool ? [] : [halves([...filter, inC, outC], 2)])];
          const y = f(...(inputs as [tf.Tensor]));
          return [y, ...tf.grads(f)(inputs, halves(y.shape, 3))];
        },
        { bound: 2 * sumBound(terms), ulps: 2 ** 13 },
      );
    }),
);

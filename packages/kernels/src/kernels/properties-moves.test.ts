// What moves, gathers, scatters, counts and orders elements, and sums along lines, as tfjs-cpu does it, for random small
// shapes.
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { test } from 'vitest';
import { check, dtypes, elements, floats, integers, places, shapeOf, size, sizeOrNone, values } from '../testing/arbitrary.ts'; // prettier-ignore
import { expectLikeCpu } from '../testing/against-cpu.ts';

const numbers = fc.array(fc.nat(9), { minLength: 6, maxLength: 6 });

test('reverse, strided slices, mirrored padding, split, stack and unstack', () =>
  check(
    fc.record({ name: fc.constantFrom('reverse', 'stridedSlice', 'mirrorPad', 'split', 'stack', 'unstack'), dtype: dtypes, shape: shapeOf(1, 5, sizeOrNone), a: numbers, b: numbers }), // prettier-ignore
    ({ name, dtype, shape, a, b }) =>
      expectLikeCpu(() => {
        const x = values(dtype, shape);
        const axis = a[0]! % shape.length;
        switch (name) {
          case 'reverse':
            return tf.reverse(x, shape.map((_, i) => i).filter((i) => a[i]! % 2)); // prettier-ignore
          case 'stridedSlice': {
            // Beyond the ends and negative, too; both masks.
            const begin = shape.map((_, i) => a[i]! - 4);
            const end = shape.map((_, i) => b[i]! - 4);
            const strides = shape.map((_, i) => [1, 2, 3, -1, -2][(a[i]! + b[i]!) % 5]!);
            return tf.stridedSlice(x, begin, end, strides, a[5], b[5]);
          }
          case 'mirrorPad': {
            const mode = a[5]! % 2 ? 'reflect' : 'symmetric';
            const most = shape.map((d) => Math.max(0, d - (mode === 'reflect' ? 1 : 0)));
            if (shape.includes(0)) return x;
            return tf.mirrorPad(x, shape.map((_, i): [number, number] => [a[i]! % (most[i]! + 1), b[i]! % (most[i]! + 1)]), mode); // prettier-ignore
          }
          case 'split': {
            const length = shape[axis]!;
            const first = b[0]! % (length + 1);
            return tf.split(x, [first, length - first], axis);
          }
          case 'stack':
            return tf.stack([x, values(dtype, shape, 2), values(dtype, shape, 3)], a[1]! % (shape.length + 1));
          default:
            return shape[axis] === 0 ? x : tf.unstack(x, axis);
        }
      }),
    150,
  ));

test('blocks of pixels to the batch and back, channels to blocks', () =>
  check(
    fc.record({
      rest: fc.tuple(size, size, size, size),
      block: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      pads: numbers,
    }),
    ({ rest: [n, h, w, c], block: [p, q], pads }) =>
      // prettier-ignore
      expectLikeCpu(() => {
      // The upper and left padding is free, the rest makes whole blocks of it.
      const whole = (length: number, before: number, k: number): [number, number] => [before, (k - ((length + before) % k)) % k]; // prettier-ignore
      const paddings = [whole(h, pads[0]! % 3, p), whole(w, pads[1]! % 3, q)];
      const batches = tf.spaceToBatchND(floats([n, h, w, c]), [p, q], paddings);
      const back = tf.batchToSpaceND(batches, [p, q], paddings);
      return [batches, back, tf.depthToSpace(floats([n, h, w, 9 * c]) as tf.Tensor4D, 3, 'NHWC')];
    }),
  ));

test('one-hot, gatherND, and what is scattered: sums and last values of equal places', () =>
  check(
    fc.record({ dtype: dtypes, shape: shapeOf(1, 4), depth: fc.nat(3), count: size, more: shapeOf(0, 1) }),
    ({ dtype, shape, depth, count, more }) =>
      expectLikeCpu(() => {
        const rank = Math.min(depth + 1, shape.length);
        // Few places, so that many are equal.
        const rows = tf.stack(shape.slice(0, rank).map((d, i) => places([...more, count], Math.min(d, 2), i + 1)), -1); // prettier-ignore
        const x = values(dtype, shape);
        const updates = values(dtype, [...more, count, ...shape.slice(rank)], 2);
        return [
          tf.oneHot(integers([count, ...more]), 3, 5, -1),
          tf.gatherND(x, rows),
          tf.scatterND(rows, updates, shape),
          tf.tensorScatterUpdate(x, rows, updates),
        ];
      }, { ulps: 16 }), // prettier-ignore
    100,
  ));

test('sums of segments and counts, weighted or not', () =>
  check(
    fc.record({ shape: shapeOf(1, 3), bins: fc.integer({ min: 1, max: 6 }), isBinary: fc.boolean() }),
    ({ shape, bins, isBinary }) =>
      expectLikeCpu(() => {
        const [n = 1] = shape;
        const rows = places([3, n], 7) as tf.Tensor2D;
        const line = places([n], 7) as tf.Tensor1D;
        // From -1: that one belongs to no segment.
        const segments: tf.Tensor1D = tf.sub(places([n], bins + 1), tf.scalar(1, 'int32'));
        const none: tf.Tensor = tf.tensor1d([], 'float32');
        return [
          tf.unsortedSegmentSum(floats(shape), segments, bins),
          tf.bincount(line, floats([n]) as tf.Tensor1D, bins),
          tf.bincount(line, none as tf.Tensor1D, bins),
          tf.denseBincount(rows, floats([3, n]) as tf.Tensor2D, bins, isBinary),
          tf.denseBincount(rows, none as tf.Tensor2D, bins, isBinary),
        ];
      }, { ulps: 32 }), // prettier-ignore
  ));

test('cumulative sums and products, the largest elements and places in sorted rows', () =>
  check(
    fc.record({ dtype: dtypes, shape: shapeOf(1, 4, sizeOrNone), axis: fc.nat(3), exclusive: fc.boolean(), reverse: fc.boolean(), k: fc.nat(9) }), // prettier-ignore
    ({ dtype, shape, axis, exclusive, reverse, k }) => {
      const at = axis % shape.length;
      const last = shape.at(-1)!;
      return expectLikeCpu(() => {
        const x = values(dtype, shape);
        const lines = [tf.cumsum(x, at, exclusive, reverse), tf.cumprod(x, at, exclusive, reverse)];
        if (elements(shape) === 0) return lines;
        // Whole numbers: many are equal.
        const { values: largest, indices } = tf.topk(tf.cast(integers(shape), dtype), (k % last) + 1);
        const sorted = tf.cumsum(tf.abs(values(dtype, [3, last])), 1);
        const wanted = tf.concat([sorted, tf.sub(sorted, tf.scalar(1, dtype))], 1);
        return [...lines, largest, indices, tf.lowerBound(sorted, wanted), tf.upperBound(sorted, wanted)];
      }, { ulps: 32 }); // prettier-ignore
    },
    100,
  ));

test('a cumulative sum of a long line, and of many', async () => {
  await expectLikeCpu(() => tf.cumsum(floats([1, 10_007]), 1), { ulps: 10_007 });
  await expectLikeCpu(() => tf.cumsum(integers([211, 3, 67]), 0));
});

const equations = ['ij,jk->ik', 'ij,jk->ki', 'bij,bjk->bik', 'ij->j', 'ij->ji', 'i,j->ij', 'bij,jk->b', 'abc,abc->b'];
test.each(equations)(
  'einsum %s',
  (equation) =>
  expectLikeCpu(() => {
    const sizes: Record<string, number> = { a: 2, b: 3, c: 5, i: 7, j: 4, k: 6 };
    const operands = equation.split('->')[0]!.split(',').map((dims, i) => floats(Array.from(dims, (dim) => sizes[dim]!), i + 1)); // prettier-ignore
    return tf.einsum(equation, ...operands);
  }, { ulps: 64 }), // prettier-ignore
);

const complex = (shape: number[], seed = 1): tf.Tensor => tf.complex(floats(shape, seed), floats(shape, seed + 10));

test.each([1, 2, 3, 4, 5, 7, 8, 12, 16, 31, 64, 100])(
  'Fourier transforms of %i numbers, and back',
  (n) =>
  expectLikeCpu(() => [tf.fft(complex([3, n])), tf.ifft(complex([2, n])), tf.rfft(floats([2, n])), tf.ifft(tf.fft(complex([n])))], { ulps: 8 * n }), // prettier-ignore
);

test('complex numbers: arithmetic, parts, and everything that moves them', () =>
  check(
    fc.record({ shape: shapeOf(1, 3) }),
    ({ shape }) =>
    expectLikeCpu(() => {
      const [a, b] = [complex(shape), complex(shape, 2)];
      const axis = shape.length - 1;
      // tfjs-cpu moves few of them.
      const moved = (f: (x: tf.Tensor) => tf.Tensor): tf.Tensor => (tf.getBackend() === 'cpu' ? tf.complex(f(tf.real(a)), f(tf.imag(a))) : f(a)); // prettier-ignore
      return [
        tf.add(a, b), tf.sub(a, b), tf.mul(a, b), tf.abs(a), tf.real(a), tf.imag(a), tf.zerosLike(a), tf.onesLike(a),
        tf.concat([a, b], axis), tf.cast(a, 'float32'), tf.cast(floats(shape), 'complex64'),
        moved((x) => tf.transpose(x)), moved((x) => tf.slice(x, shape.map(() => 0), shape)), moved((x) => tf.tile(x, shape.map(() => 2))),
        moved((x) => tf.stack([x, x])), moved((x) => tf.gather(x, [0, 0])), moved((x) => tf.unstack(x)[0]!),
        tf.reshape(a, [-1]), // the last: tfjs-cpu reshapes the parts of the original with it
      ]; // prettier-ignore
    }, { ulps: 16 }), // prettier-ignore
  ));

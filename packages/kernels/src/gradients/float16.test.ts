// Networks stored in float16 on the tape: numbers and gradients beside tfjs-cpu in float32, and no float32 copies on the way.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test, vi } from 'vitest';
import {
  batchNormTrain,
  conv2d,
  globalAveragePool,
  maxPool2d,
  scaleShift,
  toFloat16,
  type Padding,
} from '../ops/index.ts';
import { backend } from '../testing/against-cpu.ts';
import { randomHalves } from '../testing/compare.ts';
import { hasHalf } from '../testing/precisions.ts';

const stored = <T extends tf.Tensor>(x: T): T => (tf.getBackend() === 'thaw' ? toFloat16(x) : x);
const epsilon = 1e-3;
const convolution = (x: tf.Tensor4D, w: tf.Tensor4D, pad: number): tf.Tensor4D =>
  conv2d(x, stored(w), { strides: [1, 1], pad: [[pad, pad], [pad, pad]] }); // prettier-ignore

/** An image, and what is trained: filters and vectors of channels, in float32 as an optimizer has them. */
type Inputs = [x: tf.Tensor4D, w1: tf.Tensor4D, w2: tf.Tensor4D, ...vectors: tf.Tensor1D[]];

/** A residual block: both its batch-norms, with their ReLU or without. */
function block(x: tf.Tensor4D, w1: tf.Tensor4D, w2: tf.Tensor4D, ...[g1, b1, g2, b2]: tf.Tensor1D[]) {
  const residual = stored(x);
  const h = convolution(residual, w1, 1);
  const first = (relu: boolean) => batchNormTrain(h, g1!, b1!, { epsilon, relu }).y;
  const y = convolution(first(true), w2, 0);
  return { first, second: (relu: boolean) => batchNormTrain(y, g2!, b2!, { epsilon, relu, residual }).y };
}

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

describe.skipIf(!hasHalf)(`float16${hasHalf ? '' : ' (this device has no shader-f16)'}`, () => {
  const [batch, size, channels, width] = [2, 5, 8, 4];
  const inputs = (): Inputs => [
    tf.tensor4d(randomHalves(batch * size * size * channels, 1), [batch, size, size, channels]),
    tf.tensor4d(randomHalves(9 * channels * width, 2), [3, 3, channels, width]),
    tf.tensor4d(randomHalves(width * channels, 3), [1, 1, width, channels]),
    ...[width, width, channels, channels].map((length, i) => tf.tensor1d(randomHalves(length, 4 + i))),
  ];
  const read = async (work: () => tf.Tensor[]) => {
    const tensors = tf.tidy(work);
    const values = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
    tf.dispose(tensors);
    return values;
  };
  /** The mean over the block's pixels, and its gradients with respect to all inputs. */
  async function run(name: string) {
    await tf.setBackend(name);
    return read(() => {
      const f = (...xs: tf.Tensor[]): tf.Tensor => globalAveragePool(block(...(xs as Inputs)).second(true));
      const dy = tf.tensor2d(randomHalves(batch * channels, 9), [batch, channels]);
      const { value, grads } = tf.valueAndGrads(f)(inputs(), dy);
      return [value, ...grads];
    });
  }

  test('a residual block', async () => {
    // Between an input and a result lie ten roundings at most: of both convolutions and batch-norms, of the gradients of these
    // four and of the mean, and of the sum where the residual's gradient joins. Each moves its tensor by at most 2^-11 of its
    // length, and what comes after keeps relative differences of random numbers about as they are.
    const bound = 10 * 2 ** -11;
    const want = await run('cpu');
    // A ReLU whose input is within the bound of 0 may be on here and off there: the inputs are such that none is.
    for (const values of await read(() => [block(...inputs()).first(false), block(...inputs()).second(false)]))
      expect(Math.min(...values.map(Math.abs))).toBeGreaterThan((bound * norm(values)) / Math.sqrt(values.length));
    const got = await run('thaw');
    want.forEach((values, i) => expect(norm(values.map((v, j) => v - got[i]![j]!)) / norm(values)).toBeLessThan(bound));
  });

  test('every kernel of a trunk takes halves: nothing is converted but the image and the filters', async () => {
    await tf.setBackend('thaw');
    const spy = vi.spyOn(backend.gpu, 'run');
    tf.tidy(() => {
      const f = (...[image, filter, ...rest]: tf.Tensor[]): tf.Tensor => {
        const [x, w1, w2, ...vectors] = rest as Inputs;
        const [scale, shift] = [vectors[2]!, vectors[3]!];
        const stem = convolution(stored(image as tf.Tensor4D), filter as tf.Tensor4D, 1);
        const active = scaleShift(stem, scale, shift, { relu: true });
        const pooled = maxPool2d(active, { size: [3, 3], strides: [1, 1], pad: [[1, 1], [1, 1]] }); // prettier-ignore
        const plain = { strides: [1, 1], pad: [[0, 0], [0, 0]], relu: true } as { strides: [number, number]; pad: Padding }; // prettier-ignore
        const reduced = conv2d(pooled, stored(tf.reshape(w2, [1, 1, channels, width])), plain);
        const expanded = conv2d(reduced, stored(w2), { ...plain, bias: shift, residual: pooled });
        return globalAveragePool(tf.add<tf.Tensor4D>(block(x, w1, w2, ...vectors).second(true), expanded));
      };
      const filter = tf.tensor4d(randomHalves(9 * 3 * channels, 8), [3, 3, 3, channels]);
      const image = tf.tensor4d(randomHalves(batch * size * size * 3, 9), [batch, size, size, 3]);
      tf.grads(f)([image, filter, ...inputs()], tf.ones([batch, channels]));
    });
    const names = spy.mock.calls.map(([{ shader }]) => shader.name);
    spy.mockRestore();
    expect(names.filter((name) => name === 'widen')).toEqual([]);
    // Two images; the stem's filter, both of the block, and w2 twice more.
    expect(names.filter((name) => name === 'narrow')).toHaveLength(2 + 3 + 2);
  });
});

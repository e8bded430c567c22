// What runs on the host: tfjs-cpu's kernels on values that are there, and what becomes of values that were read.
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, expect, test } from 'vitest';
import * as ops from '../ops/index.ts';
import { backend, expectLikeCpu } from '../testing/against-cpu.ts';

beforeEach(() => tf.setBackend('thaw'));

const boxes = (): tf.Tensor2D => tf.tensor2d([0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11], [4, 4]);
const scores = (): tf.Tensor1D => tf.tensor1d([0.9, 0.75, 0.6, 0.95]);

test('non-maximum suppression of boxes on the host', () =>
  expectLikeCpu(() => tf.image.nonMaxSuppression(boxes(), scores(), 3, 0.5)));

test('values on the device are refused by name, until they are read', async () => {
  const doubled = tf.tidy(() => tf.mul<tf.Tensor1D>(scores(), 2));
  const b = boxes();
  const f = () => tf.tidy(() => tf.image.nonMaxSuppression(b, doubled, 3, 0.5));
  expect(f).toThrow("NonMaxSuppressionV3 runs on the host, and the values of 'scores' are on the device: await scores.data() first"); // prettier-ignore
  await doubled.data();
  const kept = f();
  expect([...(await kept.data())]).toEqual([3, 0]);
  tf.dispose([doubled, b, kept]);
});

test('unique values, and a result on the host that the device computes with', () =>
  expectLikeCpu(() => {
    const { values, indices } = tf.unique(tf.tensor1d([3, 1, 3, 7, 1], 'int32'));
    return [values, indices, tf.mul(values, tf.scalar(2, 'int32'))];
  }));

test('lists of tensors, as ragged ones are made of', () =>
  expectLikeCpu(() => {
    const splits = [tf.tensor1d([0, 2, 3, 3], 'int32')];
    const { outputNestedSplits, outputDenseValues } = tf.raggedGather(splits, tf.tensor1d([1, 2, 3]), tf.tensor1d([2, 0], 'int32'), 1); // prettier-ignore
    return [...outputNestedSplits, outputDenseValues];
  }));

test('strings: made, moved and compared', async () => {
  const words = tf.tensor2d([['a', 'bc'], ['', 'd é']]); // prettier-ignore
  const moved = tf.tidy(() => tf.slice(tf.concat([words, tf.fill([1, 2], 'z')], 0), [1, 0]));
  expect(await moved.array()).toEqual([['', 'd é'], ['z', 'z']]); // prettier-ignore
  const same = tf.tidy(() => tf.equal(words, tf.scalar('bc')));
  expect(await same.array()).toEqual([[0, 1], [0, 0]]); // prettier-ignore
  tf.dispose([words, moved, same]);
});

test('what was read is known until a kernel changes it in place, or a captured step is replayed', async () => {
  const initial = tf.tidy(() => tf.add(tf.ones([20]), 1));
  const value = tf.variable(initial);
  initial.dispose();
  const known = (x: tf.Tensor): number | undefined => Array.from(backend.hostValues(x) ?? [], Number).at(-1);
  expect(known(value)).toBeUndefined();
  await value.data();
  expect(known(value)).toBe(2);
  const more = tf.ones([20]);
  ops.accumulate(value, more, 0.5);
  expect(known(value)).toBeUndefined();
  await value.data();
  expect(known(value)).toBe(2.5);

  let total: tf.Tensor | undefined;
  const step = await ops.capture(() => [(total = tf.tidy(() => tf.sum(tf.mul(value, 2))))]);
  step.replay();
  await total!.data();
  expect(known(total!)).toBe(100);
  ops.assignValues(value, new Float32Array(20).fill(7));
  expect(known(value)).toBeUndefined();
  step.replay();
  expect(known(total!)).toBeUndefined();
  expect([...(await total!.data())]).toEqual([280]);
  step.dispose();
  tf.dispose([value, more, total!]);
});

test('a complex tensor shares its parts with what it was made of, and frees them with the last of both', async () => {
  const before = { tensors: tf.memory().numTensors, bytes: backend.memoryReport().usedBytes };
  const real = tf.tidy(() => tf.add(tf.ones([100]), 1));
  const imag = tf.tidy(() => tf.add(tf.ones([100]), 2));
  const both = tf.complex(real, imag);
  tf.dispose([real, imag]);
  const copy = both.clone();
  both.dispose();
  expect([...(await copy.data())].slice(0, 4)).toEqual([2, 3, 2, 3]);
  copy.dispose();
  expect({ tensors: tf.memory().numTensors, bytes: backend.memoryReport().usedBytes }).toEqual(before);
});

/** The general kernels through TensorFlow.js against tfjs-cpu: values, broadcasting, axes, dtypes, on ones and primes. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { backend, expectLikeCpu } from '../testing/against-cpu.ts';
import { random, randomIntegers } from '../testing/compare.ts';

const expectSame = (f: () => tf.Tensor, ulps = 0): Promise<void> => expectLikeCpu(f, { ulps });

const x = (shape: number[], seed = 1) => tf.tensor(random(tf.util.sizeFromShape(shape), seed), shape);
const positive = (shape: number[]) => tf.add(tf.abs(x(shape)), 0.1);
const integers = (shape: number[], seed = 1) =>
  tf.tensor(randomIntegers(tf.util.sizeFromShape(shape), 7, seed), shape, 'int32');

// WGSL lets exp be off by 3 + 2|x| ulp, log by 3, sqrt and division by 2.5 and tanh by what exp is.
const unary: Record<string, [() => tf.Tensor, number]> = {
  relu: [() => tf.relu(x([3, 7])), 0], neg: [() => tf.neg(x([5])), 0], exp: [() => tf.exp(x([11])), 16],
  log: [() => tf.log(positive([11])), 16], sqrt: [() => tf.sqrt(positive([13])), 8], rsqrt: [() => tf.rsqrt(positive([13])), 16],
  square: [() => tf.square(x([2, 3, 5])), 2], abs: [() => tf.abs(x([7])), 0], sigmoid: [() => tf.sigmoid(x([7])), 16],
  tanh: [() => tf.tanh(tf.mul(x([7]), 30)), 32], reciprocal: [() => tf.reciprocal(positive([7])), 8], sign: [() => tf.sign(x([7])), 0],
  floor: [() => tf.floor(tf.mul(x([7]), 5)), 0], step: [() => tf.step(x([7])), 0], clip: [() => tf.clipByValue(x([7]), -0.5, 0.25), 0],
  relu6: [() => tf.relu6(tf.mul(x([13]), 9)), 4], 'relu of int32': [() => tf.relu(tf.sub(integers([7]), tf.scalar(3, 'int32'))), 0],
}; // prettier-ignore
test.each(Object.entries(unary))('%s', (_, [f, ulps]) => expectSame(f, ulps));

const activations: Record<string, () => tf.Tensor> = { elu: () => tf.elu(tf.mul(x([13]), 5)), leakyRelu: () => tf.leakyRelu(x([13]), 0.3), 'leakyRelu by default': () => tf.leakyRelu(x([13])), prelu: () => tf.prelu(x([3, 5]), tf.sub(x([5], 2), 0.5)) }; // prettier-ignore
test.each(Object.entries(activations))('%s', (_, f) => expectSame(f, 8));
test.each(['elu', 'leakyRelu', 'prelu', 'relu6', 'sigmoid', 'tanh'] as const)('the gradient of %s', (name) =>
  expectSame(() => {
    const f = (v: tf.Tensor): tf.Tensor => (name === 'prelu' ? tf.prelu(v, tf.scalar(0.3)) : tf[name](v));
    return tf.grad((v) => tf.sum(tf.square(f(v))))(tf.mul(x([17]), 5));
  }, 64),
);
test('pow as JavaScript has it: negative bases, zero, whole and other exponents', async () => {
  const bases = () => tf.tensor1d([-2, -1.5, 0, 0.5, 2, 3]);
  for (const exponent of [0, 1, 2, 3, -1, -2, 0.5, 2.5]) await expectSame(() => tf.pow(bases(), exponent), 64);
  await expectSame(() => tf.pow(tf.tensor2d([-3, -1, 0, 1, 2, 7], [2, 3], 'int32'), tf.tensor1d([0, 3, 5], 'int32')));
});
test('integers where a kernel computes with floats are refused by name, not taken for the bits of floats', async () => {
  await tf.setBackend('thaw');
  const f = () => tf.tidy(() => tf.engine().runKernel('LRN', { x: integers([1, 2, 2, 3]) }, { depthRadius: 1, bias: 1, alpha: 1, beta: 1 })); // prettier-ignore
  expect(f).toThrow("lrn: 'x' is of type int32, and this kernel reads float32; cast it first");
});
test('matMul of integers is exact, also above 2^24', async () => {
  await expectSame(() => tf.matMul(integers([2, 3, 5]), integers([2, 5, 7], 2)));
  await expectSame(() => tf.matMul(tf.tensor2d([[4099, -4099]], [1, 2], 'int32'), tf.tensor2d([[5003], [-5009]], [2, 1], 'int32'))); // prettier-ignore
});
test('matMul of batches that repeat each other, which tfjs-cpu gets wrong', () => {
  const [a, b] = [() => x([2, 1, 3, 5]), () => x([1, 3, 5, 3], 2)];
  const whole = () => tf.matMul(tf.tile(a(), [1, 3, 1, 1]), tf.tile(b(), [2, 1, 1, 1]));
  // Where it is asked for the whole product it is right: so is ours, and the other is the same.
  return expectSame(() => (tf.getBackend() === 'cpu' ? whole() : tf.matMul(a(), b())), 40);
});
test('matMul of an empty batch is empty, against one matrix, too, where tfjs-cpu makes up an element', async () => {
  await tf.setBackend('thaw');
  const before = backend.dispatchCount;
  const y = tf.tidy(() => tf.matMul(x([1, 3, 5]), x([0, 5, 2])));
  expect(y.shape).toEqual([0, 3, 2]);
  expect(await y.data()).toHaveLength(0);
  expect(backend.dispatchCount).toBe(before);
  y.dispose();
});
test('where', async () => {
  await expectSame(() => tf.where(tf.less(x([3, 5]), 0), x([3, 5], 2), tf.zeros([3, 5])));
  await expectSame(() => tf.where(tf.less(x([5]), 0), integers([3, 5]), tf.scalar(9, 'int32')));
});

const shapes: [number[], number[]][] = [[[1], [1]], [[3, 5], [3, 5]], [[3, 5], [5]], [[3, 1], [1, 5]], [[], [7]], [[2, 1, 3, 1, 5], [2, 1, 7, 1]]]; // prettier-ignore
const arithmetic: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = { add: tf.add, sub: tf.sub, mul: tf.mul, maximum: tf.maximum, minimum: tf.minimum, squaredDifference: tf.squaredDifference, less: tf.less, greaterEqual: tf.greaterEqual, equal: tf.equal, notEqual: tf.notEqual }; // prettier-ignore
for (const [name, f] of Object.entries(arithmetic)) {
  test.each(shapes)(`${name} %j %j`, (a, b) => expectSame(() => f(x(a), x(b, 2)), 2));
  test(`${name} of int32`, () => expectSame(() => f(integers([3, 5]), integers([5], 2))));
}
test('div', () => expectSame(() => tf.div(x([3, 5]), positive([5])), 8));
test('floorDiv of int32', () =>
  expectSame(() => tf.floorDiv(tf.sub(integers([11]), tf.scalar(3, 'int32')), tf.scalar(2, 'int32'))));
test('logical and, or', () => expectSame(() => tf.logicalOr(tf.logicalAnd(tf.less(x([7]), 0), tf.less(x([7], 2), 0)), tf.greater(x([7]), 0.5)))); // prettier-ignore
test('addN', () => expectSame(() => tf.addN([x([7]), x([7], 2), x([7], 3)]), 4));
test('casts', async () => {
  await expectSame(() => tf.cast(tf.mul(x([11]), 9), 'int32'));
  await expectSame(() => tf.cast(integers([7]), 'float32'));
  await expectSame(() => tf.cast(tf.less(x([7]), 0), 'int32'));
  await expectSame(() => tf.cast(integers([7]), 'bool'));
});

const axes: [number[], number | number[] | undefined][] = [[[1], undefined], [[7], 0], [[3, 5, 7], 1], [[3, 5, 7], [0, 2]], [[3, 5, 7], [1, 2]], [[2, 3, 5, 7], [0, 1, 2]], [[131, 67], 0], [[3, 67], 0], [[2, 5, 131], 1], [[67, 8209], 0]]; // prettier-ignore
test.each(axes)('reductions of %j over %j', async (shape, axis) => {
  const terms = tf.util.sizeFromShape(shape);
  await expectSame(() => tf.sum(x(shape), axis), 4 * terms);
  await expectSame(() => tf.mean(x(shape), axis, true), 4 * terms);
  await expectSame(() => tf.max(x(shape), axis));
  await expectSame(() => tf.min(x(shape), axis, true));
  await expectSame(() => tf.sum(integers(shape), axis));
  await expectSame(() => tf.any(tf.less(x(shape), -0.9), axis));
});
test('large integers stay exact: a float32 holds none above 16,777,216 that is odd', async () => {
  const large = () => tf.tensor1d([16_777_217, 16_777_219, -16_777_221, 5001], 'int32');
  await expectSame(() => tf.sum(large()));
  await expectSame(() => tf.max(large()));
  await expectSame(() => tf.argMin(large()));
  await expectSame(() => tf.neg(large()));
  await expectSame(() => tf.clipByValue(large(), -5.5, 20_000_000.5));
  // Where tfjs-cpu itself rounds.
  await tf.setBackend('thaw');
  const y = tf.tidy(() => tf.concat([tf.square(tf.slice(large(), 3)), tf.abs(tf.slice(large(), 2, 1))]));
  expect([...(await y.data())]).toEqual([25_010_001, 16_777_221]);
  y.dispose();
});
test('sums and maxima of bools', async () => {
  await expectSame(() => tf.sum(tf.less(x([3, 67]), 0), 1));
  await expectSame(() => tf.all(tf.less(x([3, 67]), 2), 1));
});
test('argMax and argMin take the first of equals', async () => {
  await expectSame(() => tf.argMax(integers([5, 131]), 1));
  await expectSame(() => tf.argMin(integers([131, 3]), 0));
});
test('softmax and logSoftmax, also where exp would overflow', async () => {
  await expectSame(() => tf.softmax(tf.mul(x([7, 11]), 200)), 512);
  await expectSame(() => tf.logSoftmax(tf.mul(x([7, 11]), 200)), 64);
});

const transforms: Record<string, () => tf.Tensor> = {
  transpose: () => tf.transpose(x([2, 3, 5, 7]), [3, 1, 0, 2]),
  slice: () => tf.slice(x([5, 7, 3]), [1, 2, 0], [3, -1, 2]),
  pad: () => tf.pad(x([3, 5]), [[1, 2], [0, 3]], 1.5),
  tile: () => tf.tile(x([2, 3]), [3, 2]),
  concat: () => tf.concat([x([2, 3]), x([2, 1], 2), x([2, 5], 3)], 1),
  'concat of one': () => tf.concat([x([2, 3])], 0),
  gather: () => tf.gather(x([5, 7, 3]), tf.tensor1d([4, 0, 2, 2], 'int32'), 1),
  'gather of one batch dimension': () => tf.gather(x([3, 5, 7]), tf.tensor2d([4, 0, 2, 2, 1, 3], [3, 2], 'int32'), 1, 1),
  'gather of a later axis': () => tf.gather(x([3, 5, 7]), tf.tensor2d([4, 0, 6, 2, 1, 3], [3, 2], 'int32'), 2, 1),
  'gather of two batch dimensions': () => tf.gather(x([2, 3, 5]), tf.tensor3d(randomIntegers(24, 5, 3), [2, 3, 4], 'int32'), 2, 2),
  reshape: () => tf.reshape(x([4, 6]), [3, -1]),
  expandDims: () => tf.expandDims(x([3, 5]), -1),
  'fill, ones, zeros': () => tf.concat([tf.fill([3], 2.5), tf.onesLike(x([3])), tf.zerosLike(x([2]))]),
}; // prettier-ignore
test.each(Object.entries(transforms))('%s', (_, f) => expectSame(f));

test('nothing leaks: no tensor and no device byte stays behind', async () => {
  await tf.setBackend('thaw');
  const before = tf.memory();
  const bytes = backend.memoryReport().usedBytes;
  for (const f of Object.values(transforms)) tf.tidy(() => void f());
  tf.tidy(() => void tf.softmax(x([7, 11])));
  expect(tf.memory().numTensors).toBe(before.numTensors);
  expect(backend.memoryReport().usedBytes).toBe(bytes);
});

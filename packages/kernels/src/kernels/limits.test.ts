// Every kernel on a device with small limits: a grid over the limit is folded and gives the same bits, one that cannot be
// folded and a tensor over what may be bound are refused by name, before anything is computed.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as ops from '../ops/index.ts';
import type { Plan } from '../runtime/plan.ts';
import { backend } from '../testing/against-cpu.ts';
import { random, randomIntegers } from '../testing/compare.ts';
import { hasHalf } from '../testing/precisions.ts';

/** What the device may do in the test at hand; undefined: what it really may. */
let small: { maxComputeWorkgroupsPerDimension?: number; maxStorageBufferBindingSize?: number } | undefined;
const real = backend.gpu.limits;
vi.spyOn(backend.gpu, 'limits', 'get').mockImplementation(() => {
  const { maxComputeWorkgroupsPerDimension, maxStorageBufferBindingSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize } = real; // prettier-ignore
  return { maxComputeWorkgroupsPerDimension, maxStorageBufferBindingSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize, ...small } as GPUSupportedLimits; // prettier-ignore
});
afterEach(() => void (small = undefined));

const x = (shape: number[], seed = 1): tf.Tensor => tf.tensor(random(tf.util.sizeFromShape(shape), seed), shape);
const images = (channels: number, seed = 1): tf.Tensor4D => x([3, 7, 5, channels], seed) as tf.Tensor4D;
const vector = (length: number, seed = 1): tf.Tensor1D => x([length], seed) as tf.Tensor1D;
const SAME = [[1, 1], [1, 1]] as [[number, number], [number, number]]; // prettier-ignore
const labels = (): tf.Tensor1D => tf.tensor1d(randomIntegers(40, 5, 3), 'int32');
const places = (shape: number[]): tf.Tensor => tf.tensor(randomIntegers(tf.util.sizeFromShape(shape), 70, 4), shape, 'int32'); // prettier-ignore
/** More than two workgroups of the largest (1024 vectors of four): a grid of two is not folded. */
const many = 40_000;
const wholeView = { x0: 0, x1: 5, y0: 0, y1: 7, shearX: 0, shearY: 0, gain: 1, grey: 0, offset: 0, erased: { left: 0, top: 0, right: 0, bottom: 0 } }; // prettier-ignore
/** A variable after `update`. */
const updated = (update: (variable: tf.Variable) => void): tf.Variable => {
  const variable = tf.variable(vector(many)) as tf.Variable;
  update(variable);
  return variable;
};

// prettier-ignore
const programs: Record<string, () => tf.Tensor | tf.Tensor[]> = {
  unary: () => tf.relu(vector(many)),
  binary: () => tf.add(x([70, 80]), x([80], 2)),
  cast: () => tf.cast(vector(many), 'int32'),
  fill: () => tf.fill([many], 3),
  select: () => tf.where(tf.less(vector(many), 0), vector(many, 2), tf.zeros([many])),
  'reduce, rows': () => tf.sum(x([40, 9]), 1),
  'reduce, columns': () => tf.max(x([9, 40]), 0),
  argMax: () => tf.argMax(x([40, 9]), 1),
  transpose: () => tf.transpose(x([70, 80])),
  concat: () => tf.concat([x([60, 50]), x([60, 40], 2)], 1),
  gather: () => tf.gather(x([80, 70]), tf.tensor1d(randomIntegers(60, 80, 2), 'int32')),
  convolution: () => ops.conv2d(images(3), x([3, 3, 3, 5], 2) as tf.Tensor4D, { strides: [1, 1], pad: SAME }),
  'convolution, input gradient': () => tf.grad((v) => tf.sum(tf.conv2d(v as tf.Tensor4D, x([3, 3, 3, 5], 2) as tf.Tensor4D, 1, 'same')))(images(3)),
  'batch-norm': () => Object.values<tf.Tensor>({ ...ops.batchNormTrain(images(70), vector(70), vector(70, 2), { epsilon: 1e-3 }) }),
  'batch-norm gradient': () => tf.grad((v) => tf.sum(tf.square(ops.batchNormTrain(v as tf.Tensor4D, vector(70), vector(70, 2), { epsilon: 1e-3 }).y)))(images(70)),
  'scale and shift': () => ops.scaleShift(images(70), vector(70), vector(70, 2), { relu: true }),
  'ReLU gradient': () => tf.grad((v) => tf.sum(ops.scaleShift(v as tf.Tensor4D, vector(70), vector(70, 2), { relu: true })))(images(70)),
  'max-pool and gradient': () => tf.grad((v) => tf.sum(tf.maxPool(v as tf.Tensor4D, 3, 1, 'same')))(images(70)),
  'average-pool and gradient': () => tf.grad((v) => tf.sum(tf.avgPool(v as tf.Tensor4D, 3, 1, 'same')))(images(70)),
  'global average pool and gradient': () => tf.grad((v) => tf.sum(tf.square(ops.globalAveragePool(v as tf.Tensor4D))))(images(700)),
  'softmax cross-entropy and gradient': () => tf.grad((v) => tf.sum(ops.softmaxCrossEntropy(v as tf.Tensor2D, labels())))(x([40, 70])),
  Adam: () => Object.values(ops.adamStep({ value: vector(many), gradient: vector(many, 2), m: tf.zeros([many]), v: tf.zeros([many]), rates: tf.tensor1d([0.1, 1]) }, { beta1: 0.9, beta2: 0.99, epsilon: 1e-7 })),
  'views of images': () => ops.imageViews(images(3), tf.tensor2d(ops.packViews(Array.from({ length: 3 }, () => wholeView)), [3, ops.VIEW_LENGTH]), 40, { channels: [0, 1, 2], scale: [1, 1, 1], shift: [0, 0, 0] }),
  'moving average': () => updated((average) => ops.movingAverageStep(average, vector(many, 2), tf.tensor1d([0.1]))),
  swap: () =>
    updated((a) =>
      ops.swapValues(
        a,
        updated(() => undefined),
      ),
    ),
  'loss scale': () => {
    const lossScale = new ops.LossScale(
      { backoff: 1, growth: 1, interval: 1, least: 0, most: 1 },
      { scale: 1, good: 0 },
    );
    lossScale.note(vector(many));
    const found = tf.clone(lossScale.scaling);
    lossScale.dispose();
    return found;
  },
  SGD: () => Object.values(ops.sgdStep({ value: vector(many), gradient: vector(many, 2), velocity: tf.zeros([many]), rates: tf.tensor1d([0.1]) }, { momentum: 0.9, nesterov: true })),
  'matMul of integers': () => tf.matMul(places([70, 3]), places([3, 80])),
  'reverse, mirrored padding': () => tf.mirrorPad(tf.reverse(x([70, 80])), [[1, 1], [1, 1]], 'reflect'),
  gatherND: () => tf.gatherND(x([80, 70]), tf.reshape(places([700]), [700, 1])),
  'sums of segments': () => tf.unsortedSegmentSum(x([60, 70]), tf.tensor1d(randomIntegers(60, 50, 2), 'int32'), 50),
  'counts by value': () => tf.denseBincount(places([30, 90]) as tf.Tensor2D, tf.tensor2d([], [0, 0]), 80),
  'one-hot': () => tf.oneHot(places([90]), 70),
  'largest elements': () => Object.values<tf.Tensor>({ ...tf.topk(x([40, 90]), 60) }),
  'search in sorted rows': () => tf.lowerBound(tf.cumsum(tf.abs(x([5, 90])), 1), x([5, 900])),
  'samples of a distribution': () => tf.multinomial(x([5, 9]) as tf.Tensor2D, 900, 7),
  'cumulative sum': () => tf.cumsum(x([40, 9]), 1),
  'local response normalisation and gradient': () => tf.grad((v) => tf.sum(tf.localResponseNormalization(v as tf.Tensor4D)))(images(70)),
  'Fourier transform of 2^n': () => tf.real(tf.fft(tf.complex(x([40, 128]), x([40, 128], 2)))),
  'Fourier transform': () => tf.real(tf.fft(tf.complex(x([40, 131]), x([40, 131], 2)))),
  'depthwise convolution and gradients': () => tf.grads((v, w) => tf.sum(tf.square(tf.depthwiseConv2d(v as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'))))([images(70), x([3, 3, 70, 1], 2)]),
  'convolution of volumes and gradients': () => tf.grads((v, w) => tf.sum(tf.square(tf.conv3d(v as tf.Tensor5D, w as tf.Tensor5D, 1, 'same'))))([x([2, 5, 5, 5, 7]), x([3, 3, 3, 7, 11], 2)]),
  'max-pool of volumes and gradient': () => tf.grad((v) => tf.sum(tf.maxPool3d(v as tf.Tensor5D, 3, 1, 'same')))(x([2, 5, 5, 5, 30])),
  'average-pool of volumes and gradient': () => tf.grad((v) => tf.sum(tf.avgPool3d(v as tf.Tensor5D, 3, 1, 'same')))(x([2, 5, 5, 5, 30])),
  'dilation and gradients': () => tf.grads((v, w) => tf.sum(tf.dilation2d(v as tf.Tensor4D, w as tf.Tensor3D, 1, 'valid')))([images(70), x([3, 3, 70], 2)]),
  'resizing and gradient': () => tf.grad((v) => tf.sum(tf.square(tf.image.resizeBilinear(v as tf.Tensor4D, [9, 11]))))(images(70)),
  crops: () => tf.image.cropAndResize(images(30), tf.tensor2d([[0, 0, 1, 1], [0.2, 0.2, 0.6, 0.6]]), tf.tensor1d([0, 2], 'int32'), [9, 9]),
  projections: () => tf.image.transform(images(70), tf.tensor2d([[1, 0.2, 0, 0.1, 1, 0, 0, 0]]), 'bilinear'),
  rotations: () => tf.image.rotateWithOffset(images(70), 1),
};

async function run(program: () => tf.Tensor | tf.Tensor[]): Promise<{ values: number[][]; plans: Plan[] }> {
  await tf.setBackend('thaw');
  const spy = vi.spyOn(backend.gpu, 'run');
  try {
    const outputs = [tf.tidy(program)].flat();
    const values = await Promise.all(outputs.map(async (y) => [...(await y.data())]));
    tf.dispose(outputs);
    return { values, plans: spy.mock.calls.map(([plan]) => plan) };
  } finally {
    spy.mockRestore();
  }
}
const count = ({ workgroups: [a, b, c] }: Plan): number => a * b * c;

async function checkFold(program: () => tf.Tensor | tf.Tensor[]): Promise<void> {
  const want = await run(program);
  // The largest grid takes as many rows as it may: all of them but one would be too few.
  const largest = Math.max(...want.plans.map(count));
  small = { maxComputeWorkgroupsPerDimension: Math.max(2, Math.ceil(Math.sqrt(largest))) };
  const got = await run(program);
  const folds = got.plans.filter((plan, i) => plan.workgroups.join() !== want.plans[i]?.workgroups.join());
  expect(folds.length).toBeGreaterThan(0);
  expect(Math.max(...got.plans.flatMap(({ workgroups }) => workgroups))).toBeLessThanOrEqual(small.maxComputeWorkgroupsPerDimension!); // prettier-ignore
  expect(got.values).toEqual(want.values);
}
test.each(Object.entries(programs))('%s: folded, the same bits', (_, program) => checkFold(program));

const half = (channels: number, seed = 1): tf.Tensor4D => ops.toFloat16(images(channels, seed));
const inHalves: Record<string, () => tf.Tensor | tf.Tensor[]> = {
  sum: () => tf.add(half(400), half(400, 2)),
  'convolution and its input gradient': () => tf.grad((v) => ops.conv2d(v as tf.Tensor4D, x([3, 3, 20, 20], 2) as tf.Tensor4D, { strides: [1, 1], pad: SAME, relu: true }))(half(20), half(20, 3)), // prettier-ignore
  'batch-norm and gradient': () => tf.grad((v) => ops.batchNormTrain(v as tf.Tensor4D, vector(70), vector(70, 2), { epsilon: 1e-3 }).y)(half(70), half(70, 2)), // prettier-ignore
  'scale, shift and gradient': () => tf.grad((v) => ops.scaleShift(v as tf.Tensor4D, vector(70), vector(70, 2), { relu: true }))(half(70), half(70, 2)), // prettier-ignore
  'max-pool and gradient': () => tf.grad((v) => tf.maxPool(v as tf.Tensor4D, 3, 1, 'same'))(half(70), half(70, 2)),
  'global average pool and gradient': () => tf.grad((v) => tf.sum(tf.square(ops.globalAveragePool(v as tf.Tensor4D))))(half(700)), // prettier-ignore
};
describe.skipIf(!hasHalf)(`float16${hasHalf ? '' : ' (this device has no shader-f16)'}`, () => {
  test.each(Object.entries(inHalves))('%s: folded, the same bits', (_, program) => checkFold(program));
});

test.each(Object.entries(programs))('%s: what may not be bound is refused by name', async (_, program) => {
  small = { maxStorageBufferBindingSize: 100 };
  await expect(run(program)).rejects.toThrow(/^[\w -]+: \w+ \[.*\] takes .* bytes, more than the 100 this device can bind; use a smaller/); // prettier-ignore
});

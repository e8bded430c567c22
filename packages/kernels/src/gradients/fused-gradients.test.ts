// Values and gradients of the fused ops on the thaw backend against their composed form on tfjs-cpu.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, test } from 'vitest';
import { register } from '../backend/register.ts';
import { batchNormTrain, dense, globalAveragePool, maxPool2d, scaleShift, softmaxCrossEntropy } from '../ops/index.ts';
import { expectClose, random, randomIntegers, sumBound } from '../testing/compare.ts';
import { gpu } from '../testing/device.ts';

beforeAll(() => {
  register(gpu.device);
});

interface Input {
  readonly shape: readonly number[];
  /** Random in [-1, 1) by the input's position unless given. */
  readonly values?: Float32Array;
}

/** Runs f and its gradients for a random dy on a backend; asserts that no tensor outlives them. */
async function run(
  backend: string,
  f: (...xs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly Input[],
): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const xs = inputs.map(({ shape, values }, i) =>
    tf.tensor(values ?? random(tf.util.sizeFromShape([...shape]), i + 1), [...shape]),
  );
  const y = f(...xs);
  const dy = tf.tensor(random(y.size, 99), y.shape);
  const gradients = tf.grads(f)(xs, dy);
  const results: Float32Array[] = [];
  for (const tensor of [y, ...gradients]) results.push(Float32Array.from(await tensor.data()));
  tf.dispose([xs, y, dy, gradients]);
  expect(tf.memory().numTensors).toBe(before);
  return results;
}

async function compare(
  f: (...xs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly Input[],
  tolerance: number,
): Promise<void> {
  const want = await run('cpu', f, inputs);
  const got = await run('thaw', f, inputs);
  got.forEach((values, i) => expectClose(values, want[i] ?? [], tolerance));
}

const image = [3, 5, 7, 11] as const;
const flags = [
  { relu: false, hasResidual: false },
  { relu: true, hasResidual: false },
  { relu: false, hasResidual: true },
  { relu: true, hasResidual: true },
];

// Tolerances: values of size about 1 to 10 and sums of 105 terms in float32 on both sides: 1e-7 x 10 x 105 at the worst.
describe.each(flags)('relu $relu, residual $hasResidual', ({ relu, hasResidual }) => {
  test('batchNormTrain', async () => {
    const f = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, residual?: tf.Tensor): tf.Tensor => {
      const { y, mean, variance } = batchNormTrain(x as tf.Tensor4D, gamma as tf.Tensor1D, beta as tf.Tensor1D, {
        epsilon: 1e-3,
        relu,
        ...(residual ? { residual: residual as tf.Tensor4D } : {}),
      });
      tf.dispose([mean, variance]);
      return y;
    };
    const inputs = [{ shape: image }, { shape: [11] }, { shape: [11] }];
    await compare(f, hasResidual ? [...inputs, { shape: image }] : inputs, 1e-4);
  });

  test('scaleShift', async () => {
    const f = (x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor, residual?: tf.Tensor): tf.Tensor =>
      scaleShift(x as tf.Tensor4D, scale as tf.Tensor1D, shift as tf.Tensor1D, {
        relu,
        ...(residual ? { residual: residual as tf.Tensor4D } : {}),
      });
    const inputs = [{ shape: image }, { shape: [11] }, { shape: [11] }];
    await compare(f, hasResidual ? [...inputs, { shape: image }] : inputs, 1e-4);
  });
});

test('batchNormTrain: the fused gradient runs once, for all inputs and for one', async () => {
  await tf.setBackend('thaw');
  const xs = [tf.randomUniform([2, 3, 3, 4]), tf.ones([4]), tf.zeros([4])];
  const dy = tf.ones([2, 3, 3, 4]);
  const f = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor =>
    batchNormTrain(x as tf.Tensor4D, gamma as tf.Tensor1D, beta as tf.Tensor1D, { epsilon: 1e-3, relu: true }).y;
  const backwardKernels = async (work: () => tf.Tensor | tf.Tensor[]): Promise<string[]> => {
    const before = tf.memory().numTensors;
    const { kernelNames, kernels } = await tf.profile(() => {
      tf.dispose(work());
      return tf.scalar(0);
    });
    expect(kernelNames).toContain('ThawBatchNormTrain');
    expect(tf.memory().numTensors).toBe(before + 1); // the scalar
    return kernels.map(({ name }) => name).filter((name) => name.endsWith('Grad'));
  };
  const [x, gamma, beta] = xs as [tf.Tensor, tf.Tensor, tf.Tensor];
  expect(await backwardKernels(() => tf.grads(f)(xs, dy))).toEqual(['ThawBatchNormTrainGrad']);
  expect(await backwardKernels(() => tf.grad((g) => f(x, g, beta))(gamma, dy))).toEqual(['ThawBatchNormTrainGrad']);
});

test('scaleShift: nothing is summed for a frozen scale and shift', async () => {
  await tf.setBackend('thaw');
  const [x, scale, shift, dy] = [tf.randomUniform([2, 3, 3, 4]), tf.ones([4]), tf.zeros([4]), tf.ones([2, 3, 3, 4])];
  const { kernelNames } = await tf.profile(() =>
    tf.grad((z) => scaleShift(z as tf.Tensor4D, scale as tf.Tensor1D, shift as tf.Tensor1D, { relu: true }))(x, dy),
  );
  expect(kernelNames).toContain('ThawScaleShiftGrad');
  expect(kernelNames).not.toContain('ThawScaleShiftSum');
});

test.each([false, true])('FusedBatchNorm, scale and offset %s', async (isAffine) => {
  const f = (x: tf.Tensor): tf.Tensor =>
    tf.tidy(() => {
      const [mean, scale, offset] = [random(11, 2), random(11, 3), random(11, 4)].map((v) => tf.tensor1d(v));
      const variance = tf.tensor1d(random(11, 5).map((v) => v + 1.1));
      if (!mean || !scale || !offset) throw new Error('unreachable');
      return tf.batchNorm4d(
        x as tf.Tensor4D,
        mean,
        variance,
        isAffine ? offset : undefined,
        isAffine ? scale : undefined,
        1e-3,
      );
    });
  const values: Float32Array[] = [];
  for (const backend of ['cpu', 'thaw']) {
    await tf.setBackend(backend);
    values.push(Float32Array.from(await f(tf.tensor(random(3 * 5 * 7 * 11, 1), [3, 5, 7, 11])).data()));
  }
  // Values up to 2 / sqrt(0.1), a few roundings on each side.
  expectClose(values[1] ?? [], values[0] ?? [], 1e-5);
});

test.each([
  [1, 2, 0],
  [7, 3, 0.1],
  [5, 131, 0.1],
  [2, 1000, 0],
])('softmaxCrossEntropy of %i rows and %i classes, smoothing %f', async (rows, classes, smoothing) => {
  const labels = randomIntegers(rows, classes, 5);
  const f = (logits: tf.Tensor): tf.Tensor =>
    tf.tidy(() => softmaxCrossEntropy(logits as tf.Tensor2D, tf.tensor1d(labels, 'int32'), { smoothing }));
  const values = random(rows * classes, 6).map((v) => 20 * v);
  await compare(f, [{ shape: [rows, classes], values }], 2e-5);
});

test('softmaxCrossEntropy of large logits stays finite', async () => {
  await tf.setBackend('thaw');
  const logits = tf.tensor2d([1e4, -1e4, 0, -1e4, 1e4, 0], [2, 3]);
  const labels = tf.tensor1d([0, 0], 'int32');
  expectClose(await softmaxCrossEntropy(logits, labels).data(), [0, 2e4], 0);
});

test.each([[[1, 1, 1, 1]], [[3, 5, 7, 11]], [[2, 7, 7, 2048]]] as const)('globalAveragePool of %j', async (shape) => {
  await compare((x) => globalAveragePool(x as tf.Tensor4D), [{ shape }], 1e-6);
});

test('maxPool2d: a tie goes to the first maximum, padding to nobody', async () => {
  const options = {
    size: [3, 3],
    strides: [2, 2],
    pad: [
      [1, 1],
      [1, 1],
    ],
  } as const;
  const f = (x: tf.Tensor): tf.Tensor =>
    maxPool2d(x as tf.Tensor4D, {
      size: [...options.size],
      strides: [...options.strides],
      pad: [
        [1, 1],
        [1, 1],
      ],
    });
  // Few distinct values, all negative: ties in every window, and padding of 0 would win.
  const values = Float32Array.from(randomIntegers(2 * 9 * 11 * 5, 3, 7), (v) => v - 4);
  await compare(f, [{ shape: [2, 9, 11, 5], values }], 1e-6);
});

test.each([
  [1, 3, 1, false],
  [5, 13, 7, true],
  [32, 64, 10, true],
])('dense layer of %i rows, %i inputs, %i outputs, ReLU %s', async (rows, inputs, outputs, relu) => {
  const f = (x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor =>
    dense(x as tf.Tensor2D, kernel as tf.Tensor2D, bias as tf.Tensor1D, { relu });
  await compare(
    f,
    [{ shape: [rows, inputs] }, { shape: [inputs, outputs] }, { shape: [outputs] }],
    2 * sumBound(Math.max(rows, inputs) + 1),
  );
});

// tf.memory(): tensors and bytes are counted as on tfjs-cpu, and the device's own bytes as by hand.
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, expect, test } from 'vitest';
import { backend } from '../testing/against-cpu.ts';

beforeEach(() => tf.setBackend('thaw'));

type Counts = Pick<tf.MemoryInfo, 'numTensors' | 'numDataBuffers' | 'numBytes'>;

/** What tf.memory() counts after each of `steps`, beside what it did before the first. */
async function countsOf(name: string, steps: readonly (() => unknown)[]): Promise<Counts[]> {
  await tf.setBackend(name);
  const start = tf.memory();
  const counts: Counts[] = [];
  for (const step of steps) {
    await step();
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    counts.push({
      numTensors: numTensors - start.numTensors,
      numDataBuffers: numDataBuffers - start.numDataBuffers,
      numBytes: numBytes - start.numBytes,
    });
  }
  return counts;
}

/** Steps that leave nothing in the end. */
const scenarios: Readonly<Record<string, () => (() => unknown)[]>> = {
  'views, clones and variables': () => {
    const held: tf.Tensor[] = [];
    return [
      () => held.push(tf.ones([10, 10])),
      () => held.push(tf.reshape(held[0]!, [100])),
      () => held.push(tf.clone(held[0]!)),
      () => held.push(tf.expandDims(held[1]!)),
      () => held.push(tf.variable(held[0]!)),
      () => held.push(tf.slice(held[0]!, [2, 0], [3, 10])),
      () => held.push(tf.cast(held[0]!, 'int32'), tf.cast(held[0]!, 'bool')),
      () => held.shift()!.dispose(),
      () => held.shift()!.dispose(),
      () => held[0]!.data(),
      () => tf.dispose(held),
    ];
  },
  'tidy and keep': () => {
    const held: tf.Tensor[] = [];
    return [
      () => held.push(tf.tidy(() => tf.relu(tf.add(tf.ones([7, 3]), tf.keep(held[held.push(tf.ones([3])) - 1]!))))),
      () => tf.tidy(() => void tf.matMul(tf.ones([3, 4]), tf.ones([4, 5]))),
      () => tf.dispose(held),
    ];
  },
  gradients: () => {
    const x = tf.ones([2, 3]);
    const w = tf.ones([3, 4]);
    return [
      () => tf.dispose(tf.grads((a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b))([x, w])),
      () => tf.dispose([x, w]),
    ];
  },
};

test.each(Object.entries(scenarios))('%s: tensors, buffers and bytes are those of tfjs-cpu', async (_, steps) => {
  const want = await countsOf('cpu', steps());
  const bytes = backend.memoryReport().usedBytes;
  const got = await countsOf('thaw', steps());
  expect(got).toEqual(want);
  expect(backend.memoryReport().usedBytes).toBe(bytes);
});

test('complex numbers: their parts are counted as long as one of them is there', async () => {
  await tf.setBackend('thaw');
  const start = { ...tf.memory(), used: backend.memoryReport().usedBytes };
  const more = () => {
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    return [numTensors, numDataBuffers, numBytes].map((n, i) => n - [start.numTensors, start.numDataBuffers, start.numBytes][i]!); // prettier-ignore
  };
  // tfjs counts no bytes of a complex tensor itself.
  const complex = tf.complex(new Float32Array(50), new Float32Array(50));
  expect(more()).toEqual([1, 3, 0]);
  const real = tf.real(complex);
  const view = tf.reshape(complex, [5, 10]);
  expect(more()).toEqual([3, 3, 200]);
  const product = tf.mul(complex, complex);
  await product.data();
  tf.dispose([complex, view]);
  expect((await real.data()).length).toBe(50);
  tf.dispose([real, product]);
  expect(more()).toEqual([0, 0, 0]);
  expect(backend.memoryReport().usedBytes).toBe(start.used);
});

test('strings are on the host alone, and tf.memory() says that it only guesses their bytes', async () => {
  await tf.setBackend('thaw');
  const start = { ...tf.memory(), used: backend.memoryReport().usedBytes };
  const words = tf.tensor1d(['a', 'bcd']);
  const more = [tf.concat([words, words]), tf.reshape(words, [2, 1]), words.clone()];
  expect(tf.memory()).toMatchObject({ numTensors: start.numTensors + 4, unreliable: true });
  expect(backend.memoryReport().usedBytes).toBe(start.used);
  tf.dispose([words, ...more]);
  const { numTensors, numDataBuffers, unreliable } = tf.memory();
  expect({ numTensors, numDataBuffers, unreliable }).toEqual({ numTensors: start.numTensors, numDataBuffers: start.numDataBuffers, unreliable: false }); // prettier-ignore
});

test('bytes on the device, in buffers of 256 bytes and more', async () => {
  backend.gpu.trim();
  const now = () => {
    const memory: object = tf.memory();
    return memory as { numBytesInGPU: number; numBytesInGPUAllocated: number; numBytesInGPUFree: number };
  };
  const start = now();
  const used = () => now().numBytesInGPU - start.numBytesInGPU;
  const x = tf.ones([10, 10]);
  // 400 bytes take 512, and so does what is made of them.
  const y = tf.relu(x);
  const before = used();
  expect(before % 512).toBe(0);
  const view = tf.reshape(y, [100]);
  const copy = tf.clone(view);
  expect(used()).toBe(before);
  y.dispose();
  view.dispose();
  expect(used()).toBe(before);
  // Values that no kernel has used are on the host.
  const uploaded = tf.tensor1d(new Float32Array(1000));
  expect(used()).toBe(before);
  // 4000 bytes take 4096, twice.
  const sum = tf.neg(uploaded);
  expect(used()).toBe(before + 2 * 4096);
  await sum.data();
  expect(used()).toBe(before + 2 * 4096);
  tf.dispose([x, copy, uploaded, sum]);
  expect(used()).toBe(0);
  expect(now().numBytesInGPUFree).toBe(before + 2 * 4096);
  expect(now().numBytesInGPUAllocated).toBe(now().numBytesInGPU + now().numBytesInGPUFree);
});

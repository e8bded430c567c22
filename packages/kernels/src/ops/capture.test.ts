// Captured steps: the same bits as the eager step, inputs that change, memory, and what is refused.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { register } from '../backend/register.ts';
import { ThawBackend } from '../backend/thaw-backend.ts';
import { random } from '../testing/compare.ts';
import { gpu } from '../testing/device.ts';
import { accumulate, adamRates, adamStep, assignValues, capture, conv2d, dropout, HostVector } from './index.ts';

let backend: ThawBackend;
beforeAll(async () => {
  register(gpu.device);
  await tf.setBackend('thaw');
  const current = tf.backend();
  if (!(current instanceof ThawBackend)) throw new Error('the thaw backend is not current');
  backend = current;
});

const values = async (tensor: tf.Tensor): Promise<number[]> => [...(await tensor.data())];

/** A variable that shares its storage with no other tensor. */
function variable<R extends tf.Rank>(initial: tf.Tensor<R>, trainable = true): tf.Variable<R> {
  const made = tf.variable(initial, trainable);
  initial.dispose();
  return made;
}

/**
 * A small program of everything that a step has: convolution, dropout, gradients, Adam, sums on the device.
 * @param groups of the optimizer: the filter's rates, and those of the rest
 */
function program(groups: 1 | 2 = 1) {
  const x = variable<tf.Rank.R4>(tf.zeros([4, 6, 6, 3]), false);
  const filter = variable<tf.Rank.R4>(tf.tensor4d(random(3 * 3 * 3 * 8, 1), [3, 3, 3, 8]));
  const kernel = variable<tf.Rank.R2>(tf.tensor2d(random(8 * 5, 2), [8, 5]));
  const bias = variable<tf.Rank.R1>(tf.tensor1d(random(5, 3)));
  const weights: tf.Variable[] = [filter, kernel, bias];
  const slots = weights.map(({ shape }) => ({ m: variable(tf.zeros(shape)), v: variable(tf.zeros(shape)) }));
  const sum = variable(tf.scalar(0), false);
  const betas = { beta1: 0.9, beta2: 0.999 };
  const rates = Array.from({ length: groups }, () => new HostVector([0, 1], 'float32'));
  const seed = new HostVector([0], 'int32');
  const step = (): tf.Tensor[] =>
    tf.tidy(() => {
      let logits: tf.Tensor | undefined;
      const { value, grads } = tf.variableGrads(() => {
        const h = conv2d(x, filter, {
          strides: [2, 2],
          pad: [
            [0, 1],
            [0, 1],
          ],
          relu: true,
        });
        const pooled: tf.Tensor2D = tf.mean(dropout(h, { rate: 0.25, salt: 1 }, seed), [1, 2]);
        logits = tf.keep(tf.add(tf.matMul(pooled, kernel), bias));
        return tf.mean(tf.square(logits));
      }, [...weights]);
      weights.forEach((variable, i) => {
        const { m, v } = slots[i]!;
        const gradient = grads[variable.name]!;
        const own = rates[Math.min(i, groups - 1)]!.tensor;
        const next = adamStep({ value: variable, gradient, m, v, rates: own }, { ...betas, epsilon: 1e-7 });
        variable.assign(next.value);
        m.assign(next.m);
        v.assign(next.v);
      });
      accumulate(sum, value, 4);
      return [logits!];
    });
  return {
    step,
    /** What changes from step to step. */
    prepare(number: number): void {
      assignValues(x, random(4 * 6 * 6 * 3, 100 + number));
      rates.forEach((one, i) => one.set(adamRates({ learningRate: 0.1 / number / (1 + i), step: number, ...betas })));
      seed.set([number]);
    },
    state: async () => Promise.all([...weights, ...slots.flatMap(({ m, v }) => [m, v]), sum].map(values)),
    dispose(): void {
      tf.dispose([x, sum, ...weights, ...slots.flatMap(({ m, v }) => [m, v])]);
      for (const one of rates) one.dispose();
      seed.dispose();
    },
  };
}

describe('a captured training step', () => {
  beforeEach(async () => {
    await backend.settle(0);
  });

  test.each([1, 2] as const)(
    'gives the bits of the eager step, over steps with other data, rates and dropout, %i groups',
    async (groups) => {
      const eager = program(groups);
      const wanted: number[][] = [];
      for (let n = 1; n <= 5; n++) {
        eager.prepare(n);
        const [logits] = eager.step();
        wanted.push(await values(logits!));
        logits!.dispose();
      }
      const replayed = program(groups);
      const logits: tf.Tensor[] = [];
      const captured = await capture(() => {
        logits.push(...replayed.step());
        return logits;
      });
      const got: number[][] = [];
      for (let n = 1; n <= 5; n++) {
        replayed.prepare(n);
        captured.replay();
        got.push(await values(logits[0]!));
      }
      expect(got).toEqual(wanted);
      expect(await replayed.state()).toEqual(await eager.state());
      expect(new Set(wanted.map(String)).size).toBe(5);
      captured.dispose();
      eager.dispose();
      replayed.dispose();
      tf.dispose(logits);
    },
  );

  test.each([1, 2] as const)(
    'the optimizer is one dispatch for each of %i groups, and nothing is allocated or left behind',
    async (groups) => {
      const made = program(groups);
      const eagerBefore = backend.dispatchCount;
      made.prepare(1);
      tf.dispose(made.step());
      const eager = backend.dispatchCount - eagerBefore;
      await backend.settle(0);
      const tensors = tf.memory().numTensors;
      const logits: tf.Tensor[] = [];
      const captured = await capture(() => {
        logits.push(...made.step());
        return logits;
      });
      expect(captured.dispatches).toBe(eager - 3 + groups);
      made.prepare(2);
      captured.replay();
      await backend.settle(0);
      const { usedBytes } = backend.memoryReport();
      for (let n = 3; n < 8; n++) {
        made.prepare(n);
        captured.replay();
        await backend.settle(2);
      }
      expect(backend.memoryReport().usedBytes).toBe(usedBytes);
      tf.dispose(logits);
      expect(tf.memory().numTensors).toBe(tensors);
      captured.dispose();
      made.dispose();
    },
  );

  test('variables keep their values when the capture is gone, and two captures share them', async () => {
    const made = program();
    const dropLogits = (): tf.Tensor[] => (tf.dispose(made.step()), []);
    const first = await capture(dropLogits);
    const second = await capture(dropLogits);
    made.prepare(1);
    first.replay();
    made.prepare(2);
    second.replay();
    const after = await made.state();
    first.dispose();
    second.dispose();
    backend.gpu.trim();
    expect(await made.state()).toEqual(after);
    const eager = program();
    for (const n of [1, 2]) {
      eager.prepare(n);
      tf.dispose(eager.step());
    }
    expect(await eager.state()).toEqual(after);
    eager.dispose();
    made.dispose();
  });

  test('profile times every dispatch of a replay', async () => {
    const made = program();
    const captured = await capture(() => (tf.dispose(made.step()), []));
    made.prepare(1);
    const times = await backend.profile(async () => {
      captured.replay();
      await backend.settle(0);
    });
    expect(times).toHaveLength(captured.dispatches);
    expect(times.map(({ kernel }) => kernel)).toContain('adam');
    captured.dispose();
    made.dispose();
  });
});

describe('what a captured step may not do', () => {
  test('read a tensor', async () => {
    const x = tf.tensor1d([1, 2]);
    let read: Promise<unknown> = Promise.resolve();
    const captured = await capture(() => {
      const y = tf.square(x);
      read = y.data();
      read.catch(() => undefined);
      return [y];
    });
    await expect(read).rejects.toThrow(/a captured step cannot read a tensor/);
    captured.dispose();
  });

  test('leave a tensor behind', async () => {
    const x = tf.tensor1d([1, 2]);
    await expect(capture(() => (tf.square(x), []))).rejects.toThrow(/a tensor \[2\] made in the step outlives it/);
  });

  test('use a tensor that is gone', async () => {
    const x = tf.tensor1d([1, 2]);
    const captured = await capture(() => [tf.square(x)]);
    x.dispose();
    expect(() => {
      captured.replay();
    }).toThrow(/uses a tensor that was disposed or replaced/);
    captured.dispose();
    expect(() => {
      captured.replay();
    }).toThrow(/replayed after it was disposed/);
  });

  test('be captured inside another, or on another backend', async () => {
    await expect(
      capture(() => {
        void capture(() => []).catch(() => undefined);
        throw new Error('the error of a step is told');
      }),
    ).rejects.toThrow('the error of a step is told');
    const y = tf.tensor1d([3]);
    expect(await values(tf.neg(y))).toEqual([-3]);
  });

  test('be set inside the step', async () => {
    const x = variable(tf.tensor1d([1, 2]));
    await expect(
      capture(() => {
        assignValues(x, Float32Array.of(1, 2));
        return [];
      }),
    ).rejects.toThrow(/not inside a captured step/);
    expect(() => {
      assignValues(x, Float32Array.of(1));
    }).toThrow(/1 values for a tensor \[2\] of 2/);
    const clone = x.clone();
    expect(() => {
      assignValues(x, Float32Array.of(1, 2));
    }).toThrow(/another tensor shares the storage/);
    clone.dispose();
  });
});

test('a step that is disposed gives back the buffers that no other one uses', async () => {
  const doubled = (x: tf.Variable) =>
    capture(() => [tf.tidy(() => tf.add<tf.Tensor>(tf.relu(tf.mul(x, 2)), tf.neg(tf.mul(x, 3))))]);
  const [small, large] = [100, 10_000].map((size) => variable(tf.tidy(() => tf.ones([size]))));
  const first = await doubled(small!);
  first.replay();
  const bytes = backend.memoryReport().usedBytes;
  for (let i = 0; i < 2; i++) {
    const second = await doubled(large!);
    second.replay();
    expect(backend.memoryReport().usedBytes).toBeGreaterThan(bytes);
    second.dispose();
    // The 40,000 bytes of the large tensor itself stay on the device.
    expect(backend.memoryReport().usedBytes).toBe(bytes + 40_960);
  }
  first.dispose();
  tf.dispose([small!, large!]);
});

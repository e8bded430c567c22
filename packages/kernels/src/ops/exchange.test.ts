// Values through the host: what leaves is what the step computed, what arrives is what it goes on with, whatever lies between.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { register } from '../backend/register.ts';
import { gpu } from '../testing/device.ts';
import { random } from '../testing/compare.ts';
import { accumulate, assignValues, capture, emptyTensor, exchange, hasFloat16, toFloat16, toFloat32 } from './index.ts';

beforeAll(async () => {
  register(gpu.device);
  await tf.setBackend('thaw');
});

const variable = (values: number[] | Float32Array): tf.Variable<tf.Rank.R1> =>
  tf.tidy(() => tf.variable<tf.Rank.R1>(tf.tensor1d(values), false));

/** Adds ten times what it is given, number by number. */
const tenfold = async (given: ArrayBuffer, result: ArrayBuffer): Promise<void> => {
  await Promise.resolve();
  new Float32Array(result).set(new Float32Array(given).map((value) => 10 * value));
};

test('a step goes on with what came back, and values leave before the work behind them is recorded', async () => {
  const x = variable([1, 2, 3]);
  const sum = variable([0, 0, 0]);
  const other = variable([0, 0, 0]);
  const step = await capture(() => {
    tf.tidy(() => {
      const doubled = tf.mul(x, 2);
      const unrelated = tf.square(tf.add(x, 1));
      const arrived = exchange([doubled], tenfold);
      accumulate(other, unrelated);
      arrived();
      accumulate(sum, tf.add(doubled, 1));
    });
    return [];
  });
  await step.replayThroughHost();
  // 10 * 2x + 1, and (x + 1)^2
  expect([...(await sum.data())]).toEqual([21, 41, 61]);
  expect([...(await other.data())]).toEqual([4, 9, 16]);
  assignValues(x, Float32Array.of(-1, 0, 0.5));
  await step.replayThroughHost();
  expect([...(await sum.data())]).toEqual([21 - 19, 41 + 1, 61 + 11]);
  expect(() => {
    step.replay();
  }).toThrow('replayThroughHost');
  step.dispose();
  tf.dispose([x, sum, other]);
});

test('several exchanges are under way at once, in the order in which they were asked for', async () => {
  const x = variable(random(2000, 1));
  const sums = [0, 1, 2].map(() => variable(new Float32Array(2000)));
  const order: string[] = [];
  const step = await capture(() => {
    tf.tidy(() => {
      const parts = sums.map((_, i) => tf.mul(x, i + 1));
      const arrivals = parts.map((part, i) =>
        exchange([part], async (given, result) => {
          order.push(`leave ${i}`);
          await tenfold(given, result);
          order.push(`done ${i}`);
        }),
      );
      arrivals.forEach((arrived, i) => {
        arrived();
        const [part, sum] = [parts[i], sums[i]];
        if (part && sum) accumulate(sum, part);
      });
    });
    return [];
  });
  await step.replayThroughHost();
  expect(order.filter((word) => word.startsWith('leave'))).toEqual(['leave 0', 'leave 1', 'leave 2']);
  const values = await x.data();
  for (const [i, sum] of sums.entries())
    expect([...(await sum.data())]).toEqual([...values].map((value) => Math.fround(10 * Math.fround((i + 1) * value))));
  step.dispose();
  tf.dispose([x, ...sums]);
});

test('tensors of any sizes come to the host and back each to its own place', async () => {
  const inputs = [1, 5, 130, 4, 1000].map((length, i) => variable(random(length, i + 3)));
  const sums = inputs.map(({ size }) => variable(new Float32Array(size)));
  const step = await capture(() => {
    tf.tidy(() => {
      const parts = inputs.map((input) => tf.add(input, 1));
      exchange(parts, tenfold)();
      // One dispatch over all of them, as the optimizer's is: they lie side by side then.
      parts.forEach((part, i) => {
        const sum = sums[i];
        if (sum) accumulate(sum, part);
      });
    });
    return [];
  });
  await step.replayThroughHost();
  for (const [i, input] of inputs.entries()) {
    const expected = [...(await input.data())].map((value) => Math.fround(10 * Math.fround(value + 1)));
    expect([...((await sums[i]?.data()) ?? [])]).toEqual(expected);
  }
  step.dispose();
  tf.dispose([...inputs, ...sums]);
});

test('float16 travels as it is stored, into a tensor of its own', async ({ skip }) => {
  if (!hasFloat16()) skip('this device has no shader-f16');
  const x = variable([1, -2.5, 1024, 2 ** -24]);
  const sum = variable([0, 0, 0, 0]);
  const step = await capture(() => {
    tf.tidy(() => {
      const halves = toFloat16(x);
      const arrived = emptyTensor([4], 'float16');
      // IEEE 754 binary16: 1 = 3c00, -2.5 = c100, 1024 = 6400, 2^-24 = 0001; the sign is the highest bit.
      exchange(
        [halves],
        async (given, result) => {
          await Promise.resolve();
          expect([...new Uint16Array(given, 0, 4)]).toEqual([0x3c00, 0xc100, 0x6400, 0x0001]);
          new Uint16Array(result).set(new Uint16Array(given).map((bits) => bits ^ 0x8000));
        },
        [arrived],
      )();
      accumulate(sum, toFloat32(arrived));
    });
    return [];
  });
  await step.replayThroughHost();
  expect([...(await sum.data())]).toEqual([-1, 2.5, -1024, -(2 ** -24)]);
  step.dispose();
  tf.dispose([x, sum]);
});

test('what fails on the host fails the step, and the next goes through', async () => {
  const x = variable([1]);
  const sum = variable([0]);
  let isBroken = true;
  const step = await capture(() => {
    tf.tidy(() => {
      const y = tf.mul(x, 3);
      exchange([y], async (given, result) => {
        if (isBroken) throw new Error('the other rank is gone');
        await tenfold(given, result);
      })();
      accumulate(sum, y);
    });
    return [];
  });
  await expect(step.replayThroughHost()).rejects.toThrow('the other rank is gone');
  isBroken = false;
  await step.replayThroughHost();
  expect([...(await sum.data())]).toEqual([30]);
  step.dispose();
  tf.dispose([x, sum]);
});

test('outside a captured step there is no exchange', () => {
  const x = variable([1]);
  expect(() => exchange([x], tenfold)).toThrow('captured steps');
  x.dispose();
});

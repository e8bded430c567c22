/** Storage in float16: conversions, what kernels without float16 make of it, gradients, and a recorded step. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { register } from '../../backend/register.ts';
import { ThawBackend } from '../../backend/thaw-backend.ts';
import { capture, toFloat16, toFloat32 } from '../../ops/index.ts';
import { expectClose, randomHalves } from '../../testing/compare.ts';
import { gpu, runPlans } from '../../testing/device.ts';
import { hasHalf } from '../../testing/precisions.ts';
import { planConversion } from './precision.plan.ts';

describe.skipIf(!hasHalf)(`float16${hasHalf ? '' : ' (this device has no shader-f16)'}`, () => {
  let backend: ThawBackend;
  beforeAll(async () => {
    register(gpu.device);
    await tf.setBackend('thaw');
    const current = tf.backend();
    if (!(current instanceof ThawBackend)) throw new Error('the thaw backend is not current');
    backend = current;
  });

  // By IEEE 754 binary16: 11 significant digits, ties to even, largest 65504, smallest 2^-24.
  const numbers = [1 + 2 ** -10, 1 + 2 ** -11, 1 + 3 * 2 ** -11, -65504, 2 ** -14, 0.1];
  const rounded = [1 + 2 ** -10, 1, 1 + 2 ** -9, -65504, 2 ** -14, 0.0999755859375];

  test.each([0, 1, 5, 4099])('there and back, %i more numbers', async (more) => {
    const x = Float32Array.from([...numbers, ...randomHalves(more, 1)]);
    const plans = [planConversion([x.length], 'float16', gpu.limits)];
    const { y = [] } = await runPlans(plans, { x });
    // Every rounding mode is allowed for the two ties; nothing else may move, or by one unit in the last place.
    const want = Float32Array.from([...rounded, ...x.slice(6)]);
    expectClose(
      y,
      want,
      Float32Array.from(want, (_, i) => ([1, 2, 5].includes(i) ? Math.abs(x[i]!) * 2 ** -10 : 0)),
    );
  });

  test('a kernel without float16 gets a float32 copy, and nothing is left behind', async () => {
    const x = tf.tensor1d(rounded);
    tf.neg(x).dispose(); // x is on the device now
    // The pool keeps what it was given back, so what is held counts.
    const held = () => {
      const { numTensors, numBytes, numBytesInGPU } = tf.memory() as tf.MemoryInfo & { numBytesInGPU: number };
      return { numTensors, numBytes, numBytesInGPU };
    };
    const before = held();
    const half = toFloat16(x);
    expect(backend.precisionOf(half)).toBe('float16');
    expect(half.dtype).toBe('float32');
    const y = tf.neg(half);
    expect(backend.precisionOf(y)).toBe('float32');
    expectClose(await y.data(), rounded.map((v) => -v), 0); // prettier-ignore
    expectClose(await half.data(), rounded, 0);
    const again = toFloat16(half);
    tf.dispose([half, y, again]);
    expect(held()).toEqual(before);
  });

  test('the gradient passes through', async () => {
    const [x, dy] = [tf.tensor1d([1, 2, 3]), tf.tensor1d([0.1, -7, 1e-9])];
    expectClose(
      await tf
        .grad((v) => toFloat16(v))(x, dy)
        .data(),
      await dy.data(),
      0,
    );
  });

  test('the way back is exact, and the gradient before it is stored in float16', async () => {
    const x = tf.tensor1d(rounded);
    expect(toFloat32(x)).toBe(x);
    const half = toFloat16(x);
    const dy = tf.tensor1d([0.1, 1e-9, 3, -65504, 2, 1]);
    const { value, grad } = tf.valueAndGrad((v) => toFloat32(v))(half, dy);
    expect([value, grad].map((tensor) => backend.precisionOf(tensor))).toEqual(['float32', 'float16']);
    expectClose(await value.data(), rounded, 0);
    expectClose(await grad.data(), [0.0999755859375, 0, 3, -65504, 2, 1], 0);
  });

  test('a recorded step converts variables of every size in one dispatch, and their arenas line up', async () => {
    const sizes = [3, 130, 4096, 1];
    const variables = sizes.map((size, i) => tf.variable(tf.tensor1d(randomHalves(size, i))));
    let outputs: tf.Tensor[] = [];
    const step = await capture(() => {
      outputs = tf.tidy(() => variables.map((v) => toFloat16<tf.Tensor>(v)).map((v) => tf.neg(v)));
      return outputs;
    });
    step.replay();
    for (const [i, output] of outputs.entries())
      expectClose(await output.data(), randomHalves(sizes[i]!, i).map((v) => -v), 0); // prettier-ignore
    // One for all conversions to float16; tf.neg is not elementwise over arenas, and gets a float32 copy each.
    expect(step.dispatches).toBeLessThanOrEqual(1 + 2 * sizes.length);
    step.dispose();
    tf.dispose([...variables, ...outputs]);
  });
});

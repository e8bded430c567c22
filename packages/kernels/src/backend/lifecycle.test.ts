// Backends beside each other, and what is left of one that was disposed or whose device was lost.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as ops from '../ops/index.ts';
import { DeviceLostError, DisposedError } from '../runtime/errors.ts';
import { openTestDevice } from '../testing/adapter.ts';
import { gpu } from '../testing/device.ts';
import { register, unregister } from './register.ts';
import { ThawBackend } from './thaw-backend.ts';

let backend: ThawBackend;
beforeEach(async () => {
  backend = register(gpu.device);
  await tf.setBackend('thaw');
});
afterEach(() => {
  unregister('second');
});

const doubled = (x: tf.Tensor): tf.Tensor => tf.tidy(() => tf.mul(x, 2));
const values = async (x: tf.Tensor): Promise<number[]> => [...(await x.data())];
const count = (from: number): tf.Tensor1D => tf.tensor1d(Float32Array.from({ length: 40 }, (_, i) => from + i));

test('two backends on two devices compute, hold and free their tensors apart', async () => {
  const { device } = await openTestDevice();
  const second = register(device, { name: 'second' });
  const a = doubled(count(0));
  const bytes = backend.memoryReport().usedBytes;
  await tf.setBackend('second');
  const b = doubled(count(100));
  expect(ops.canCapture()).toBe(true);
  const fused = tf.tidy(() => ops.dense(tf.ones([2, 3]), tf.ones([3, 4]), tf.ones([4])));
  expect(await values(fused)).toEqual(new Array(8).fill(4));
  expect(backend.memoryReport().usedBytes).toBe(bytes);
  // 160 bytes each take 256: the values and their double, of which the first is still in its tensor.
  expect(second.memoryReport().usedBytes).toBeGreaterThan(0);
  await tf.setBackend('thaw');
  const c = doubled(a);
  expect((await values(c))[39]).toBe(4 * 39);
  expect((await values(b))[39]).toBe(2 * 139);
  // One tensor goes over to the other device, once its values were read.
  const both = tf.tidy(() => tf.add(a, b));
  expect((await values(both))[39]).toBe(2 * 39 + 2 * 139);
  tf.removeBackend('second');
  await expect(fused.data()).resolves.toBeDefined();
  expect((await values(doubled(a)))[1]).toBe(4);
  device.destroy();
  expect((await values(doubled(a)))[1]).toBe(4);
});

test('a name that another backend has is refused', () => {
  expect(() => register(gpu.device, { name: 'cpu' })).toThrow("a backend 'cpu' already");
  expect(tf.findBackendFactory('cpu')).not.toBeNull();
});

test('tensors move between thaw and tfjs-cpu', async () => {
  await tf.setBackend('cpu');
  const numbers = doubled(count(0));
  const complex = tf.complex([1, 2], [3, 4]);
  await tf.setBackend('thaw');
  const onDevice = doubled(numbers);
  expect((await values(onDevice))[39]).toBe(156);
  expect(await values(tf.mul(complex, tf.complex([0, 0], [1, 1])))).toEqual([-3, 1, -4, 2]);
  const unread = doubled(onDevice);
  await tf.setBackend('cpu');
  expect((await values(doubled(onDevice)))[39]).toBe(312);
  expect(() => doubled(unread)).toThrow('before a tensor of this backend is used on another one');
  expect((await values(unread))[39]).toBe(312);
  expect((await values(doubled(unread)))[39]).toBe(624);
});

test('dispose destroys the buffers; what is used later says what to do', async () => {
  const x = doubled(count(0));
  const total = tf.tidy(() => tf.variable(tf.zeros([40])));
  const step = await ops.capture(() => {
    ops.accumulate(total, x, 1);
    return [];
  });
  step.replay();
  await backend.settle(0);
  const reading = x.data();
  backend.dispose();
  expect(backend.memoryReport()).toMatchObject({ usedBytes: 0, pooledBytes: 0 });
  await expect(reading).rejects.toThrow(DisposedError);
  await expect(x.data()).rejects.toThrow('register(device) makes another');
  expect(() => doubled(x)).toThrow(DisposedError);
  expect(() => doubled(count(5))).toThrow(DisposedError);
  expect(() => step.replay()).toThrow();
  expect(() => ops.assignValues(total, new Float32Array(40))).toThrow(DisposedError);
  await expect(backend.settle(0)).rejects.toThrow(DisposedError);
  tf.dispose([x, total]);
  step.dispose();
  backend.dispose();
  // The device is the caller's, and open.
  register(gpu.device);
  await tf.setBackend('thaw');
  expect((await values(doubled(count(1))))[0]).toBe(2);
});

test('a lost device is told by every read, with what to do', async () => {
  const { device } = await openTestDevice();
  const lost = register(device, { name: 'second' });
  await tf.setBackend('second');
  const x = doubled(count(0));
  await lost.settle(0);
  device.destroy();
  await device.lost;
  await expect(x.data()).rejects.toThrow(DeviceLostError);
  const y = doubled(x);
  await expect(y.data()).rejects.toThrow('Open a new device');
  await expect(lost.settle(0)).rejects.toThrow(DeviceLostError);
  tf.dispose([x, y]);
  await tf.setBackend('thaw');
});

test("after a reset of TensorFlow.js's engine the backend is there anew, with its pipelines", async () => {
  const x = doubled(count(0));
  await x.data();
  const { size } = backend.gpu.pipelines;
  tf.engine().reset();
  expect(backend.isDisposed).toBe(true);
  expect(await tf.setBackend('thaw')).toBe(true);
  expect((await values(doubled(count(1))))[0]).toBe(2);
  const anew = tf.backend();
  expect(anew instanceof ThawBackend && anew.gpu.pipelines.size).toBe(size);
});

// Registering, again and again: the device outlives its backends, and nothing is printed.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect, test, vi, type MockInstance } from 'vitest';
import { NoAdapterError } from '../runtime/errors.ts';
import { gpu } from '../testing/device.ts';
import { register, registerOnDemand, unregister } from './register.ts';

let printed: MockInstance[];
beforeEach(() => {
  printed = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name));
});
afterEach(() => {
  const lines = printed.flatMap(({ mock }) => mock.calls);
  for (const spy of printed) spy.mockRestore();
  expect(lines).toEqual([]);
});

async function compute(): Promise<number[]> {
  await tf.setBackend('thaw');
  const x = tf.tidy(() => tf.variable(tf.tensor1d([1, -2, 3])));
  const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(tf.relu(x))), [x]);
  const values = [...(await grads[x.name]!.data())];
  tf.dispose([x, value, ...Object.values(grads)]);
  return values;
}

test('a program that trains prints nothing', async () => {
  register(gpu.device);
  expect(await compute()).toEqual([2, 0, 6]);
});

test('a second backend on the same device takes the place of the first', async () => {
  const first = register(gpu.device);
  const kept = tf.tidy(() => tf.keep(tf.ones([1000])));
  expect(await compute()).toEqual([2, 0, 6]);
  const second = register(gpu.device);
  expect(second).not.toBe(first);
  expect(await compute()).toEqual([2, 0, 6]);
  expect(second.memoryReport()).toMatchObject({ usedBytes: 0 });
  kept.dispose();
});

test('unregister takes everything out and leaves the device open', async () => {
  register(gpu.device);
  await compute();
  expect(tf.getKernel('ThawConv2D', 'thaw')).toBeDefined();
  unregister();
  expect(tf.findBackendFactory('thaw')).toBeNull();
  expect(tf.getKernel('ThawConv2D', 'thaw')).toBeUndefined();
  unregister();
  register(gpu.device);
  expect(await compute()).toEqual([2, 0, 6]);
});

test('a backend on demand opens its device when it is first set, and only then', async () => {
  unregister();
  const open = vi.fn(() => Promise.resolve(gpu.device));
  registerOnDemand(open);
  registerOnDemand(() => Promise.reject(new Error('a second one is not asked')));
  expect(open).not.toHaveBeenCalled();
  expect(await compute()).toEqual([2, 0, 6]);
  expect(await compute()).toEqual([2, 0, 6]);
  expect(open).toHaveBeenCalledOnce();
});

test('a device of the program comes before one on demand', async () => {
  unregister();
  const open = vi.fn(() => Promise.resolve(gpu.device));
  registerOnDemand(open);
  register(gpu.device);
  registerOnDemand(open);
  expect(await compute()).toEqual([2, 0, 6]);
  expect(open).not.toHaveBeenCalled();
});

test('where no device opens on demand, the backend cannot be set, and the reason is printed', async () => {
  unregister();
  registerOnDemand(() => Promise.reject(new NoAdapterError('no adapter: install a driver')));
  expect(await tf.setBackend('thaw')).toBe(false);
  const lines = printed.flatMap(({ mock }) => mock.calls).join('\n');
  expect(lines).toContain('no adapter: install a driver');
  for (const spy of printed) spy.mockClear();
  unregister();
});

test('reading synchronously says what to write instead', async () => {
  register(gpu.device);
  await tf.setBackend('thaw');
  const y = tf.tidy(() => tf.relu(tf.ones([3])));
  expect(() => y['dataSync']()).toThrow('await tensor.data()');
  y.dispose();
});

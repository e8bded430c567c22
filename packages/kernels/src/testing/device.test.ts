// What the other tests rely on: an error on the device does not go unnoticed.
import { expect, test } from 'vitest';
import { bufferUsage } from '../runtime/constants.ts';
import { gpu, takeErrors } from './device.ts';

test('a validation error outside the runtime is caught by the scopes round every test, once', async () => {
  gpu.device.createBuffer({ size: 256, usage: bufferUsage.MAP_READ | bufferUsage.STORAGE });
  const errors = await takeErrors();
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(/usage/i);
  expect(await takeErrors()).toEqual([]);
});

test.fails('such an error fails its test', () => {
  gpu.device.createBuffer({ size: 256, usage: bufferUsage.MAP_READ | bufferUsage.STORAGE });
});

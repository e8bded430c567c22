import { expect, test } from 'vitest';
import { CommandError } from '../errors.ts';
import { checkFeaturesFit, processMemory } from './feature-memory.ts';

test('features that take more than half of the memory are refused before they are made', () => {
  const GiB = 2 ** 30;
  // A million of 2048 float32 values are 8.192e9 bytes.
  expect(() => checkFeaturesFit(1e6, 2048, 'Do so.', 16 * GiB)).not.toThrow();
  expect(() => checkFeaturesFit(1e6, 2048, 'Do so.', 15 * GiB)).toThrow(CommandError);
  expect(() => checkFeaturesFit(1e6, 2048, 'Do so.', 15 * GiB)).toThrow(
    'The features of 1,000,000 images take 7.6 GiB, more than half of the 15.0 GiB of memory here. Do so.',
  );
  expect(processMemory()).toBeGreaterThan(2 ** 28);
  expect(processMemory()).toBeLessThan(2 ** 50);
});

// Names of kept features: other precision, other file; those of float32 are what they were before there was a choice.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileFeatureStore } from './feature-store.ts';

test('features of another precision are another file', () => {
  const key = { weightsHash: 'w', preprocessing: 'caffe/average', imageSize: 32, dataHash: 'd' };
  const named = createHash('sha256')
    .update(JSON.stringify(['w', 'caffe/average', 32, 'd', 'features']))
    .digest('hex');
  const path = (precision: 'float32' | 'mixed') =>
    new FileFeatureStore('/cache', { ...key, precision }).path('features');
  expect(path('float32')).toBe(join('/cache', `${named.slice(0, 32)}.safetensors`));
  expect(path('mixed')).not.toBe(path('float32'));
});

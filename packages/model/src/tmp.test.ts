import * as tf from '@tensorflow/tfjs-core';
import { test } from 'vitest';
import { useBackend } from './testing/backends.ts';
import { noise } from './testing/tiny.ts';
import { randomWeights, ResNet50 } from './index.ts';
test('x', async () => {
  await useBackend('wasm');
  for (const seed of [0, 1]) {
  const net = new ResNet50(randomWeights({ seed }), { imageSize: 32 });
  const f = net.features(tf.tensor4d(noise(16*3072, 4).map(v => v*1.7), [16, 32, 32, 3]));
  const { mean, variance } = tf.moments(f); console.log(seed, await mean.data(), await tf.sqrt(variance).data(), await tf.max(f).data(), await tf.mean(tf.sqrt(tf.moments(f, 0).variance)).data());
  }
});

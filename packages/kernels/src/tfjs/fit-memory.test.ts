// 200 steps of fit leave no tensor and no buffer behind.
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { backend } from '../testing/against-cpu.ts';
import { examples, network } from './network.ts';

const EPOCHS = 50;
const STEPS_PER_EPOCH = 4;

test(`tensors and device bytes are constant after the first epoch of ${EPOCHS * STEPS_PER_EPOCH} steps`, async () => {
  await tf.setBackend('thaw');
  const start = { tensors: tf.memory().numTensors, bytes: backend.memoryReport().usedBytes };
  const model = network();
  const { x, y } = examples();
  const optimizer = tf.train.adam(0.01);
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const held: object[] = [];
  let steps = 0;
  const onBatchEnd = (): void => {
    steps++;
  };
  const onEpochEnd = (): void => {
    const { usedBytes, pooledBytes } = backend.memoryReport();
    held.push({ tensors: tf.memory().numTensors, usedBytes, allocatedBytes: usedBytes + pooledBytes });
  };
  await model.fit(x, y, { batchSize: 4, epochs: EPOCHS, callbacks: { onBatchEnd, onEpochEnd } });
  expect(steps).toBe(EPOCHS * STEPS_PER_EPOCH);
  expect(held.slice(2)).toEqual(held.slice(2).map(() => held[1]));
  model.dispose();
  optimizer.dispose();
  tf.dispose([x, y]);
  expect({ tensors: tf.memory().numTensors, bytes: backend.memoryReport().usedBytes }).toEqual(start);
});

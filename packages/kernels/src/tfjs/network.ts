/** A small convolutional network of tfjs-layers, with batch-norm and dropout, and what it is trained on. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { random, randomIntegers } from '../testing/compare.ts';

const CLASSES = 5;
export const IMAGES = 16;

/**
 * Every weight and every mask of dropout comes of a seed, so that it starts and trains alike on every backend. No bias before
 * batch-norm: its gradient is nothing but rounding, of which Adam would make whole steps.
 */
export function network({ dropoutSeed = 3 } = {}): tfl.Sequential {
  const kernelInitializer = (seed: number) => tfl.initializers.glorotUniform({ seed });
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [10, 10, 3], filters: 8, kernelSize: 3, padding: 'same', useBias: false, kernelInitializer: kernelInitializer(1) }),
      tfl.layers.batchNormalization(),
      tfl.layers.reLU(),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      tfl.layers.conv2d({ filters: 12, kernelSize: 3, useBias: false, kernelInitializer: kernelInitializer(2) }),
      tfl.layers.batchNormalization(),
      tfl.layers.reLU(),
      tfl.layers.globalAveragePooling2d({}),
      tfl.layers.dropout({ rate: 0.25, seed: dropoutSeed }),
      tfl.layers.dense({ units: CLASSES, activation: 'softmax', kernelInitializer: kernelInitializer(4) }),
    ],
  }); // prettier-ignore
}

/** Images [16, 10, 10, 3] in [-1, 1) and labels [16, 5]. */
export function examples(): { x: tf.Tensor4D; y: tf.Tensor2D } {
  return tf.tidy(() => ({
    x: tf.tensor4d(random(IMAGES * 300, 5), [IMAGES, 10, 10, 3]),
    y: tf.oneHot(tf.tensor1d(randomIntegers(IMAGES, CLASSES, 6), 'int32'), CLASSES) as tf.Tensor2D,
  }));
}

/**
 * Losses of each step and weights at the end; on the current backend.
 * @returns what onBatchEnd was told: before the update of the step
 */
export async function fit(
  optimizer: tf.Optimizer,
  { epochs = 5, dropoutSeed = 3 } = {},
): Promise<{ losses: number[]; model: tfl.Sequential }> {
  const model = network({ dropoutSeed });
  const { x, y } = examples();
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const losses: number[] = [];
  const onBatchEnd = (_batch: number, logs?: tfl.Logs): void => void losses.push(logs?.['loss'] ?? NaN);
  await model.fit(x, y, { batchSize: 4, epochs, shuffle: false, callbacks: { onBatchEnd } });
  tf.dispose([x, y]);
  return { losses, model };
}

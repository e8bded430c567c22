// Batch-norm adapted to images of another kind (AdaBN; Li, Wang, Shi, Liu and Hou 2016, arXiv:1603.04779): the weights stay,
// and every batch-norm's moving mean and variance become those of the new images, which need no labels.
// Each batch runs on its own statistics; over batches of n_b images,
//   mean = sum n_b mean_b / n,   variance = sum n_b (variance_b + mean_b^2) / n - mean^2,
// the variance over all images, the means of the batches having their share of it.
import { assignValues } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { ResNet50 } from '../network/index.ts';
import type { ImageSource } from './types.ts';

/** How batch-norm is adapted. */
export interface AdaptOptions {
  /** Images whose statistics are taken at a time; a last batch of fewer than half as many is left out. */
  readonly batchSize: number;
  /** Called with the number of images done, and of all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const MOVING = /\/moving_(mean|variance)$/;

/**
 * Changes a network's moving statistics to those of a source.
 *
 * @param network with `batchNorm: 'train'` and `batchNormMomentum: 0`, so that a training pass leaves its batch's statistics
 * @returns the number of images looked at
 * @throws where the network keeps its statistics, or no image can be read
 */
export async function adaptBatchNorm(
  network: ResNet50,
  source: ImageSource,
  { batchSize, onProgress }: AdaptOptions,
): Promise<number> {
  const moving = [...network.variables].filter(([name]) => MOVING.test(name));
  if (moving.length === 0)
    throw new Error(
      "adaptBatchNorm: this network keeps its statistics; build it with batchNorm 'train' and momentum 0.",
    );
  const sums = new Map(moving.map(([name, { size }]) => [name, new Float64Array(size)]));
  const order = Int32Array.from({ length: source.length }, (_, i) => i);
  let seen = 0;
  for await (const { images, size } of source.batches(order, batchSize)) {
    if (seen > 0 && 2 * size < batchSize) break;
    const side = sideOf(images, size);
    tf.tidy(() => {
      const x = tf.tensor4d(images, [size, side, side, 3]);
      network.trainablePart(network.frozenPart(x), { training: true });
    });
    const read = new Map(
      await Promise.all(moving.map(async ([name, variable]) => [name, await variable.data<'float32'>()] as const)),
    );
    for (const [name, values] of read) {
      const sum = sums.get(name);
      const means = name.endsWith('variance') ? read.get(name.replace(/variance$/, 'mean')) : undefined;
      for (let i = 0; sum && i < sum.length; i++)
        sum[i] = (sum[i] ?? 0) + size * ((values[i] ?? 0) + (means ? (means[i] ?? 0) ** 2 : 0));
    }
    seen += size;
    onProgress?.(seen, source.length);
  }
  if (seen === 0) throw new Error('adaptBatchNorm: not one image could be read.');
  for (const [name, variable] of moving) {
    const mean = (of: string, i: number): number => (sums.get(of)?.[i] ?? 0) / seen;
    const isVariance = name.endsWith('variance');
    const about = name.replace(/variance$/, 'mean');
    const values = Float32Array.from({ length: variable.size }, (_, i) =>
      isVariance ? Math.max(0, mean(name, i) - mean(about, i) ** 2) : mean(name, i),
    );
    assignValues(variable, values);
  }
  return seen;
}

/** Images are square. */
const sideOf = (images: Float32Array, size: number): number => Math.round(Math.sqrt(images.length / (3 * size)));

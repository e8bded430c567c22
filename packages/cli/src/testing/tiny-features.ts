// A trunk small enough for every backend, as what is to be run.
import { randomWeights, ResNet50, type TrunkFeatures } from '@thaw/model';
// By path: what tests share is no export of the published package.
import { disturbBatchNorm, TINY } from '../../../model/src/testing/tiny.ts';

/** Side of its images. */
export const TINY_SIZE = 16;

/** @param trainable names of layers that are variables */
export function tinyFeatures(
  pooling: TrunkFeatures['pooling'] = 'average',
  trainable: ReadonlySet<string> = new Set(),
): TrunkFeatures {
  const weights = randomWeights({ seed: 3, architecture: TINY });
  disturbBatchNorm(weights.tensors);
  const network = new ResNet50(weights, { imageSize: TINY_SIZE, architecture: TINY, trainable });
  // 16 x 16 images leave a map of 2 x 2.
  const width = network.channels * (pooling === 'flatten' ? 4 : 1);
  return { network, pooling, width, imageSize: TINY_SIZE };
}

// Adapted statistics against a float64 network of the same weights, on the thaw backend and tfjs-cpu.
import { beforeAll, expect, test } from 'vitest';
import { ResNet50 } from '../network/index.ts';
import { describeOnBackends, useBackend } from '../testing/backends.ts';
import { referenceForward } from '../testing/reference-network.ts';
import { disturbBatchNorm, noise, TINY } from '../testing/tiny.ts';
import { randomWeights } from '../weights/index.ts';
import { adaptBatchNorm } from './adapt-batch-norm.ts';
import type { ImageBatch, ImageSource } from './types.ts';

const SIZE = 16;
const PIXELS = SIZE * SIZE * 3;

/** Images of noise, in batches. */
function source(count: number): ImageSource & { values: Float32Array } {
  const values = noise(count * PIXELS, 9);
  async function* batches(indices: Int32Array, batchSize: number): AsyncGenerator<ImageBatch> {
    for (let from = 0; from < indices.length; from += batchSize) {
      const size = Math.min(batchSize, indices.length - from);
      yield { images: values.slice(from * PIXELS, (from + size) * PIXELS), labels: new Int32Array(size), size };
    }
  }
  return { length: count, labels: new Int32Array(count), values, batches };
}

function build(batchNorm: 'train' | 'keras') {
  const weights = randomWeights({ seed: 3, architecture: TINY });
  disturbBatchNorm(weights.tensors);
  const network = new ResNet50(weights, { imageSize: SIZE, architecture: TINY, batchNorm, batchNormMomentum: 0 });
  return { weights, network };
}

describeOnBackends('batch-norm adapted to other images', 'cpu', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([
    [4, 4],
    [7, 4],
    [9, 4],
  ])('%d images, %d at a time: the means and variances of the batches, in float64', async (count, batchSize) => {
    const images = source(count);
    const { weights, network } = build('train');
    const untouched = new Map(
      [...network.variables.keys()].map((name) => [name, weights.tensors.get(name)!.data.slice()]),
    );
    const seen = await adaptBatchNorm(network, images, { batchSize });
    // Nine are two batches of four: the one that is left over has too little to say.
    expect(seen).toBe(count === 9 ? 8 : count);
    const sizes = count === 7 ? [4, 3] : Array<number>(seen / 4).fill(4);
    let from = 0;
    const passes = sizes.map((size) => {
      const data = Float64Array.from(images.values.subarray(from * PIXELS, (from += size) * PIXELS));
      const { statistics } = referenceForward(
        { shape: [size, SIZE, SIZE, 3], data },
        { variant: network.variant, table: network.table, values: weights.tensors, onBatch: () => true },
      );
      return { size, statistics };
    });
    for (const [name, variable] of network.variables) {
      const [, layer = '', kind = ''] = /^(.*)\/(.*)$/.exec(name) ?? [];
      const found = await variable.data();
      if (!kind.startsWith('moving')) expect([...found]).toEqual([...untouched.get(name)!]);
      else
        found.forEach((value, c) => {
          let mean = 0;
          let square = 0;
          for (const { size, statistics } of passes) {
            const of = statistics.get(layer)!;
            // Each batch's variance is Keras's moving one, the unbiased estimate.
            const variance = (of.biasedVariance[c]! * of.count) / (of.count - 1);
            mean += (size * of.mean[c]!) / seen;
            square += (size * (variance + of.mean[c]! ** 2)) / seen;
          }
          // Float32 through up to nine layers of sums over at most 27 products: 1e-5 of values about 1, with room.
          expect(Math.abs(value - (kind === 'moving_mean' ? mean : square - mean * mean)), `${name} ${c}`).toBeLessThan(
            1e-4,
          );
        });
    }
    network.dispose();
  });

  test('a network that keeps its statistics is refused', async () => {
    const { network } = build('keras');
    await expect(adaptBatchNorm(network, source(4), { batchSize: 4 })).rejects.toThrow('keeps its statistics');
    network.dispose();
  });
});

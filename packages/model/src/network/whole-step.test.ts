// One whole training step of the real network, 2 images of 32x32, on the hand-written kernels against tfjs-cpu: the loss,
// every gradient and every moving statistic. In mixed precision the same against float32.
//
// How well gradients can agree is the network's own doing. Moving the images by a relative 2^-22 on tfjs-cpu moves the
// gradients by at most 2e-6 (Frobenius, per variable) with all batch-norms frozen, by 2.3e-5 with all but conv5 trainable,
// and by 0.58 with everything trainable: in conv5 images are 1x1, so a batch of 2 has two values per channel, which
// batch-norm maps to +-1 and whose gradient is what rounding leaves. There only the loss is compared. The bounds are about
// 50 times those figures, for a rounding in each of some hundred kernels instead of one at the input.
import { dense, globalAveragePool, softmaxCrossEntropy } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveFreeze, type BatchNormPolicy } from '../freeze/index.ts';
import { loadWeights } from '../node/weights.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { needsFloat16, noAdapter, useBackend, type TestBackend } from '../testing/backends.ts';
import { cifarImages } from '../testing/cifar.ts';
import { relativeError } from '../testing/numbers.ts';
import { missingShared, sharedFiles } from '../testing/shared.ts';
import { noise } from '../testing/tiny.ts';
import type { TrunkWeights } from '../weights/index.ts';
import { ResNet50, type Precision } from './index.ts';

interface Step {
  loss: number;
  gradients: Map<string, Float32Array>;
  /** Everything that may move, after the step. */
  statistics: Map<string, Float32Array>;
}

const missing = missingShared(sharedFiles.weights, sharedFiles.cifarTest);

describe.skipIf(missing || noAdapter)(
  `one step of the real network on thaw and on cpu (needs ../shared and WebGPU${noAdapter ? `; ${noAdapter}` : ''})`,
  // Half a minute each on an idle processor; on a busy one some have passed two minutes.
  { timeout: 600_000 },
  () => {
    let weights: TrunkWeights;
    let pixels: Float32Array;

    beforeAll(async () => {
      weights = await loadWeights({ source: 'tf-official', home: sharedFiles.home });
      pixels = await cifarImages(sharedFiles.cifarTest, 2);
    });
    afterAll(() => {
      if (tf.findBackend('thaw')) tf.removeBackend('thaw');
    });

    /** @param scale that the backward pass starts from */
    async function step(
      backend: TestBackend,
      spec: string,
      batchNorm: BatchNormPolicy,
      precision: Precision = 'float32',
      scale = 1,
    ): Promise<Step> {
      await useBackend(backend);
      const table = layerTable(VARIANTS[weights.variant], { imageSize: 32 });
      const net = new ResNet50(weights, { trainable: resolveFreeze(spec, table), batchNorm, imageSize: 32, precision });
      const images = tf.tensor4d(pixels, [2, 32, 32, 3]);
      const kernel = tf.tensor2d(
        noise(20_480, 3).map((v) => v * 0.05),
        [2048, 10],
      );
      const bias = tf.zeros<tf.Rank.R1>([10]);
      const labels = tf.tensor1d([3, 8], 'int32');
      const lossOf = (): tf.Scalar =>
        tf.mean(softmaxCrossEntropy(dense(globalAveragePool(net.trainablePart(images)), kernel, bias), labels));
      const start = tf.scalar(scale);
      const { value, grads } = tf.engine().gradients(lossOf, [...net.trainables.values()], start);
      const [loss = NaN] = await value.data();
      const gradients = new Map<string, Float32Array>();
      for (const [i, name] of [...net.trainables.keys()].entries())
        gradients.set(
          name,
          Float32Array.from(await grads[i]!.data(), (value) => value / scale),
        );
      const statistics = new Map<string, Float32Array>();
      for (const [name, tensor] of net.state()) {
        if (name.includes('/moving_')) statistics.set(name, Float32Array.from(await tensor.data()));
      }
      tf.dispose([images, kernel, bias, labels, start, value, grads]);
      net.dispose();
      return { loss, gradients, statistics };
    }

    function worst(got: Map<string, Float32Array>, want: Map<string, Float32Array>): { name: string; error: number } {
      expect([...got.keys()]).toEqual([...want.keys()]);
      const errors = [...want].map(([name, values]) => ({ name, error: relativeError(got.get(name)!, values) }));
      return errors.reduce((a, b) => (b.error > a.error || Number.isNaN(b.error) ? b : a), { name: '', error: 0 });
    }

    test.each([
      // spec, policy, number of gradients, bounds for loss, gradients and statistics
      ['all', 'frozen', 159, 1e-5, 1e-4, 0],
      [':-32', 'keras', 129, 1e-5, 1e-3, 1e-5],
      ['all', 'keras', 159, 1e-2, Infinity, 1e-4],
    ] as const)(
      '%s trainable, batch-norm %s',
      async (spec, policy, count, lossBound, gradientBound, statisticBound) => {
        const want = await step('cpu', spec, policy);
        const got = await step('thaw', spec, policy);
        expect(got.gradients.size).toBe(count);
        expect(Math.abs(got.loss - want.loss) / want.loss).toBeLessThan(lossBound);
        const gradient = worst(got.gradients, want.gradients);
        expect(gradient.error, gradient.name).toBeLessThan(gradientBound);
        const statistic = worst(got.statistics, want.statistics);
        expect(statistic.error, statistic.name).toBeLessThanOrEqual(statisticBound);
      },
    );

    // Roundings to float16 of 139 filters, sums and outputs come to sqrt(139) 2^-11 = 6e-3, and to sqrt(2) times that with those
    // of the way back. The network's own doing, above, makes 8 times that of a gradient with frozen batch-norms, twice as much
    // where it is the worst of 159, and with batch-norms that train more than the gradient itself. Moving statistics take a
    // hundredth of what a batch is off by.
    test.for([
      // spec, policy, bounds for gradients and statistics
      ['all', 'frozen', 0.14, 0],
      [':-32', 'keras', Infinity, 1e-4],
    ] as const)('in mixed precision, %s trainable, batch-norm %s', async (one, context) => {
      const [spec, policy, gradientBound, statisticBound] = one;
      await useBackend('thaw');
      needsFloat16(context);
      const want = await step('thaw', spec, policy);
      const got = await step('thaw', spec, policy, 'mixed', 2 ** 16);
      expect(Math.abs(got.loss - want.loss) / want.loss).toBeLessThan(6e-3);
      const gradient = worst(got.gradients, want.gradients);
      expect(gradient.error, gradient.name).toBeLessThan(gradientBound);
      const statistic = worst(got.statistics, want.statistics);
      expect(statistic.error, statistic.name).toBeLessThanOrEqual(statisticBound);
    });
  },
);

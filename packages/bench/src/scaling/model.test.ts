// Step times of several ranks, and where gradients come from, by hand calculation.
import { describe, expect, test } from 'vitest';
import { stepGradients } from './gradients.ts';
import { allReduceSeconds, predictScaling, type ScalingModel } from './model.ts';

const link = { bytesPerSecond: 1e9, latencySeconds: 0 };
/** One second, of which a tenth is the update; copies at 10 and 5 GB/s; two ranks. */
const MODEL: ScalingModel = {
  gradients: { buckets: [{ bytes: 1e9, readyAt: 0.9 }], backwardEnd: 0.9 },
  computeSeconds: 1,
  ranks: 2,
  link,
  staging: { deviceBytesPerSecond: 10e9, hostBytesPerSecond: 5e9 },
};
const TWO = { ...MODEL, gradients: { buckets: [{ bytes: 1e9, readyAt: 0.5 }, { bytes: 1e9, readyAt: 0.9 }], backwardEnd: 0.9 } }; // prettier-ignore

describe('an all-reduce', () => {
  const slow = { bytesPerSecond: 1e9, latencySeconds: 1e-3 };
  test('around a ring: 2 x 3/4 of the bytes, and 6 messages of 4 ranks', () => {
    expect(allReduceSeconds(1e9, 4, slow)).toBeCloseTo(1.5 + 0.006, 12);
    expect(allReduceSeconds(1e9, 2, slow)).toBeCloseTo(1 + 0.002, 12);
    expect(allReduceSeconds(1e9, 1, slow)).toBe(0);
  });

  test('by halving and doubling: as many bytes, 2 log2 N messages', () => {
    expect(allReduceSeconds(1e9, 8, slow, 'halving')).toBeCloseTo(1.75 + 0.006, 12);
    expect(allReduceSeconds(1e9, 6, slow, 'halving')).toBeCloseTo(10 / 6 + 0.006, 12);
  });
});

describe('a step', () => {
  test('of one rank is what it computes', () => {
    expect(predictScaling({ ...MODEL, ranks: 1 })).toEqual({ stepSeconds: 1, efficiency: 1, linkSeconds: 0, stagingSeconds: 0 }); // prettier-ignore
  });

  test('whose one bucket is complete at the end of the backward pass hides nothing', () => {
    // 0.9 computed, 0.1 to the host, 1 + 0.1 added up, 0.2 copied, 0.1 to the device, 0.1 updated.
    const found = predictScaling(MODEL);
    expect(found.stepSeconds).toBeCloseTo(2.5, 12);
    expect(found.efficiency).toBeCloseTo(0.4, 12);
    expect(found.linkSeconds).toBeCloseTo(1.1, 12);
    expect(found.stagingSeconds).toBeCloseTo(0.2, 12);
    expect(predictScaling({ ...MODEL, overlap: false }).stepSeconds).toBeCloseTo(2.5, 12);
  });

  test('with two buckets adds the first up during the backward pass', () => {
    // First: out at 0.6, added up at 1.7. Second: out at 1.1, added up at 2.8, copied at 3.0, in at 3.1; updated at 3.2.
    expect(predictScaling(TWO).stepSeconds).toBeCloseTo(3.2, 12);
    // At once: out at 1.1, added up at 3.3, copied at 3.7, in at 3.9; updated at 4.0.
    expect(predictScaling({ ...TWO, overlap: false }).stepSeconds).toBeCloseTo(4, 12);
  });

  test('on a link of no cost still pays for its copies', () => {
    const free = { ...TWO, link: { bytesPerSecond: Infinity, latencySeconds: 0 } };
    // Out at 0.6 and, behind 0.4 more of computing, at 1.1; added up at 1.2, copied at 1.4, in at 1.5; updated at 1.6.
    expect(predictScaling(free).stepSeconds).toBeCloseTo(1.6, 12);
    expect(predictScaling(free).stagingSeconds).toBeCloseTo(0.4, 12);
  });

  test('in float16 sends half the bytes, twice past the host', () => {
    // 0.95 out, 1.05 padded, 1.30 at those who add it up, 1.40 out of MPI's buffer, 1.50 in the queue, 1.55 in; 1.575 the part out,
    // 1.825 gathered, 2.025 copied twice, 2.075 in, 2.175 updated.
    expect(predictScaling({ ...MODEL, compression: 'f16' }).stepSeconds).toBeCloseTo(2.175, 12);
  });

  test('grows by messages where ranks are many and buckets small', () => {
    const small = {
      ...MODEL,
      ranks: 1024,
      gradients: { buckets: [{ bytes: 0, readyAt: 0.9 }], backwardEnd: 0.9 },
      link: { bytesPerSecond: 1e9, latencySeconds: 1e-5 },
    };
    expect(predictScaling(small).stepSeconds).toBeCloseTo(1 + 2 * 1023 * 1e-5, 12);
    expect(predictScaling({ ...small, algorithm: 'halving' }).stepSeconds).toBeCloseTo(1 + 20 * 1e-5, 12);
  });
});

describe('gradients', () => {
  /** torchvision's resnet50 has 25,557,032 parameters, 2,049,000 of them in its fc; the article's head 66,322. */
  const ALL = 4 * (25_557_032 - 2_049_000 + 66_322);
  const sum = (part: Parameters<typeof stepGradients>[0]['part']): number =>
    stepGradients({ part, imageSize: 32, batchSize: 32 }).buckets.reduce((total, { bytes }) => total + bytes, 0);

  test('of all layers are the parameters, in buckets of 25 MiB that are complete one after the other', () => {
    const { buckets, backwardEnd } = stepGradients({ part: { thaw: 'all' }, imageSize: 32, batchSize: 32 });
    expect(sum({ thaw: 'all' })).toBe(ALL);
    for (const { bytes } of buckets.slice(0, -1)) expect(bytes).toBeGreaterThanOrEqual(25 * 2 ** 20);
    const ready = buckets.map(({ readyAt }) => readyAt);
    expect(ready).toEqual(ready.toSorted((a, b) => a - b));
    // No layer does more than twice as much backward as forward, and no gradient is complete before the forward pass is.
    expect(ready[0]).toBeGreaterThan(backwardEnd / 3);
    expect(ready.at(-1)).toBe(backwardEnd);
    expect(backwardEnd).toBeLessThan(1);
  });

  test('of a part are fewer; of the head alone its own', () => {
    // conv5 has 14,964,736 and its block before it 1,117,184 in Keras's last 42 layers, without the biases of convolutions.
    expect(sum({ thaw: '-42:' })).toBe(4 * (14_964_736 + 1_117_184 + 66_322));
    expect(stepGradients({ part: 'head', imageSize: 32, batchSize: 32 })).toEqual({
      buckets: [{ bytes: 4 * 66_322, readyAt: 1 }],
      backwardEnd: 1,
    });
  });
});

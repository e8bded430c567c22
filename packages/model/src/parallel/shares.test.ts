// Evaluation and features shared by ranks against those of one process: the same bits, each image once, no rank left waiting.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createHead } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { classSource } from '../testing/class-source.ts';
import { describeOnBackends, useBackend } from '../testing/backends.ts';
import { onRanks } from '../testing/memory-group.ts';
import { TINY } from '../testing/tiny.ts';
import { Classifier, evaluateClassifier, evaluateFeatures, extractFeatures, type Features, type ImageSource, type TrunkRunner } from '../training/index.ts'; // prettier-ignore
import type { FeatureClassifier } from '../classical/types.ts';
import { randomWeights } from '../weights/index.ts';
import { OtherRankError, shareOf } from './shares.ts';

describe('shareOf', () => {
  // 10 images in batches of 3 are 4 batches, the last of one image.
  test.each([
    [10, 3, 1, [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]],
    [10, 3, 2, [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]],
    [10, 3, 3, [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]],
    [10, 3, 5, [[], [0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]],
    [2, 8, 3, [[], [], [0, 1]]],
    [0, 8, 2, [[], []]],
  ])('%i images in batches of %i on %i ranks', (length, batchSize, size, shares) => {
    expect(shares.map((_, rank) => [...shareOf(length, batchSize, { rank, size })])).toEqual(shares);
  }); // prettier-ignore
});

/** Features [2] of an image: its number, and its label. */
const numbers: TrunkRunner = {
  width: 2,
  inFlight: 2,
  prepare: () => Promise.resolve(),
  run: async (images) => images,
  dispose: () => undefined,
};
const LENGTH = 11;
/** Image i is [i, 3 i]; those of `unreadable` are missing. */
function numbered(unreadable: readonly number[] = []): ImageSource {
  const labels = Int32Array.from({ length: LENGTH }, (_, i) => i % 3);
  return {
    length: LENGTH,
    labels,
    async *batches(positions, batchSize) {
      const left = positions.filter((position) => !unreadable.includes(position));
      for (let at = 0; at < left.length; at += batchSize) {
        const rows = left.subarray(at, at + batchSize);
        const images = Float32Array.from([...rows].flatMap((row) => [row, 3 * row]));
        yield await Promise.resolve({ images, labels: rows.map((row) => labels[row]!), size: rows.length });
      }
    },
  };
}

describe('features', () => {
  test.each([
    [2, []],
    [3, []],
    [7, []],
    // The whole share of rank 1 of 3.
    [3, [4, 5, 6, 7]],
    [2, [0, 7, 10]],
  ])('%i ranks, %j unreadable: all of the others in order, on every rank', async (size, unreadable) => {
    const found = await onRanks(size, (group) => extractFeatures(numbers, numbered(unreadable), { batchSize: 2, group })); // prettier-ignore
    const read = Array.from({ length: LENGTH }, (_, i) => i).filter((i) => !unreadable.includes(i));
    const wanted = { width: 2, values: Float32Array.from(read.flatMap((i) => [i, 3 * i])), labels: Int32Array.from(read, (i) => i % 3) }; // prettier-ignore
    expect(found).toEqual(Array.from({ length: size }, () => wanted));
  });

  test('stopped on one rank, all stop; what fails on one is told on all', async () => {
    const stop = new AbortController();
    stop.abort();
    const stopped = await onRanks(3, (group) => extractFeatures(numbers, numbered(), { batchSize: 2, group, ...(group.rank === 1 && { signal: stop.signal }) })); // prettier-ignore
    expect(stopped).toEqual([undefined, undefined, undefined]);

    const failing: TrunkRunner = { ...numbers, run: () => Promise.reject(new RangeError('too large')) };
    const failed = await onRanks(
      3,
      (group) =>
      extractFeatures(group.rank === 2 ? failing : numbers, numbered(), { batchSize: 2, group }).catch((error: unknown) => error), // prettier-ignore
    );
    expect(failed[2]).toEqual(new RangeError('too large'));
    for (const error of [failed[0], failed[1]]) {
      expect(error).toBeInstanceOf(OtherRankError);
      expect(error).toMatchObject({ rank: 2, message: 'Rank 2: too large' });
    }
  });

  test('progress is of all images', async () => {
    const told: number[] = [];
    await onRanks(2, (group) => extractFeatures(numbers, numbered(), { batchSize: 2, group, onProgress: (done) => group.rank === 0 && told.push(done) })); // prettier-ignore
    // Rank 0 has three batches of six images, a half of which is told as a half of eleven.
    expect(told).toEqual([4, 7, 11]);
  });
});

test('an evaluation of features: all ranks have that of one process', async () => {
  const labels = Int32Array.from({ length: 1100 }, (_, i) => i % 2);
  const values = Float32Array.from({ length: 2200 }, (_, i) => ((i >> 1) % 7 < 4 === (i % 2 === 0) ? 0.75 : 0.25));
  const features: Features = { values, labels, width: 2 };
  const echo: FeatureClassifier = { inputs: 2, classes: 2, probabilities: async (rows) => rows, dispose: () => undefined }; // prettier-ignore
  const alone = await evaluateFeatures(echo, features);
  // Of 14 rows in turn 4 of 7 of either class are taken for class 0: 78 times, and 2 and 3 in the last 8 rows.
  expect(alone.confusion).toEqual([[314, 236], [315, 235]]); // prettier-ignore
  for (const size of [2, 3, 5]) expect(await onRanks(size, (group) => evaluateFeatures(echo, features, { group }))).toEqual(new Array(size).fill(alone)); // prettier-ignore
});

describeOnBackends('a classifier that ranks evaluate together', 'cpu', (backend) => {
  let classifier: Classifier;
  beforeAll(async () => {
    await useBackend(backend);
    const network = new ResNet50(randomWeights({ seed: 3, architecture: TINY }), { imageSize: 16, architecture: TINY });
    classifier = new Classifier(network, createHead({ spec: 'linear', classes: 3, inputs: network.channels, seed: 1, dropout: 0, l2: 0 })); // prettier-ignore
    return () => classifier.dispose();
  });

  test.each([2, 3, 6])('%i ranks: the probabilities of one process, bit for bit', async (size) => {
    const source = classSource(19, 3, 16);
    const alone = await evaluateClassifier(classifier, source, 16, 4);
    expect(alone.labels).toEqual(source.labels);
    expect(new Set(alone.probabilities).size).toBeGreaterThan(19);
    const before = tf.memory().numTensors;
    const together = await onRanks(size, (group) => evaluateClassifier(classifier, source, 16, 4, { group }));
    for (const evaluation of together) expect(evaluation).toEqual(alone);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('without one image that can be read, every rank says so', async () => {
    const none: ImageSource = { ...classSource(9, 3, 16), batches: async function* () {} };
    const said = await onRanks(3, (group) => evaluateClassifier(classifier, none, 16, 2, { group }).catch(String));
    expect(said).toEqual(new Array(3).fill('Error: evaluate: not one image could be read.'));
  });
});

// Nearest neighbours by hand; every kind through a file and back; damaged files.
import { beforeAll, describe, expect, test } from 'vitest';
import { describeOnBackends, useBackend } from '../testing/backends.ts';
import { readSafetensors, SafetensorsError, writeSafetensors } from '../weights/index.ts';
import { uniformNumbers } from '../weights/random.ts';
import { fitClassical, readClassical, type HeadlessKind } from './classical.ts';
import { NearestNeighbours } from './knn.ts';
import { fitPca } from './pca.ts';
import { ClassicalError } from './types.ts';

const KINDS: readonly HeadlessKind[] = ['tree', 'forest', 'boosting', 'knn'];
const options = { classes: 2, neighbours: 3, trees: 5, depth: 3, seed: 1 };

/** Two classes apart along the first of four columns. */
function sample(n: number) {
  const uniform = uniformNumbers(4);
  const labels = Int32Array.from({ length: n }, (_, i) => i % 2);
  const values = Float32Array.from({ length: 4 * n }, (_, i) => uniform() + (i % 4 === 0 ? 3 * (labels[i >> 2] ?? 0) : 0)); // prettier-ignore
  return { values, labels, width: 4 };
}

describeOnBackends('nearest neighbours', 'cpu', (backend) => {
  beforeAll(() => useBackend(backend));

  test('answer with the shares among the nearest', async () => {
    // On a line at 0, 1, 2, 10, 11: the three nearest of 0.4 are classes 0, 0, 1; of 9 they are 1 (at 10), 1 (11), 1 (2).
    const known = { values: Float32Array.of(0, 1, 2, 10, 11), labels: Int32Array.of(0, 0, 1, 1, 1), width: 1 };
    const model = new NearestNeighbours(known, 2, 3);
    const found = [...(await model.probabilities(Float32Array.of(0.4, 9), 2))];
    model.dispose();
    [2 / 3, 1 / 3, 0, 1].forEach((share, i) => expect(found[i]).toBeCloseTo(share, 6));
  });

  test('are found far from the origin, and among more queries than a pass takes', async () => {
    // 1000 + i: without the mean taken off, float32 could not tell the squares of 1e6 apart.
    const values = Float32Array.from({ length: 150 }, (_, i) => 1000 + i / 8);
    const labels = Int32Array.from({ length: 150 }, (_, i) => i % 3);
    const model = new NearestNeighbours({ values, labels, width: 1 }, 3, 1);
    const found = await model.probabilities(values, 150);
    model.dispose();
    for (const [i, label] of labels.entries()) expect(found[3 * i + label], `image ${i}`).toBe(1);
  });

  test('more neighbours than images are refused', () => {
    expect(() => new NearestNeighbours(sample(4), 2, 5)).toThrow('5 neighbours cannot be found among 4 images.');
  });
});

describe('a file', () => {
  beforeAll(() => useBackend('cpu'));

  test.each(KINDS)('of %s, with a projection, gives the same probabilities', async (kind) => {
    const features = sample(30);
    const model = await fitClassical(features, { ...options, kind }, await fitPca(features, 2));
    const before = await model.probabilities(features.values, 30);
    const read = readClassical(model.encode(), 'c.safetensors', { inputs: 4, classes: 2 });
    expect(read).toMatchObject({ kind, inputs: 4, classes: 2 });
    expect(await read.probabilities(features.values, 30)).toEqual(before);
    for (const [i, label] of features.labels.entries())
      expect(before[2 * i + label], `image ${i}`).toBeGreaterThan(0.5);
    model.dispose();
    read.dispose();
  });

  test.each(KINDS)('of %s that is cut short is refused', async (kind) => {
    const file = (await fitClassical(sample(30), { ...options, kind })).encode();
    expect(() => readClassical(file.subarray(0, file.length - 8), 'c.safetensors', { inputs: 4, classes: 2 })).toThrow(
      SafetensorsError,
    );
  });

  test('without a tensor, or of something else, is refused by name', async () => {
    const { tensors, metadata } = readSafetensors(
      (await fitClassical(sample(30), { ...options, kind: 'tree' })).encode(),
    );
    const kept = new Map([...tensors].filter(([name]) => name !== 'left').map(([name, { shape, bytes }]) => [name, { shape, data: new Int32Array(bytes.slice().buffer) }])); // prettier-ignore
    expect(() => readClassical(writeSafetensors(kept, metadata), 'c.safetensors', { inputs: 4, classes: 2 })).toThrow(
      new ClassicalError("c.safetensors: 'threshold' is missing or not of real numbers."),
    );
    expect(() => readClassical(writeSafetensors(new Map(), {}), 'x', { inputs: 4, classes: 2 })).toThrow(
      "x: no classifier of Thaw (its metadata has no 'thaw').",
    );
    expect(() =>
      readClassical(writeSafetensors(new Map(), { thaw: '{"kind":"svm"}' }), 'x', { inputs: 4, classes: 2 }),
    ).toThrow(ClassicalError);
  });
});

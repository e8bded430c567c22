import { describe, expect, test } from 'vitest';
import { generatedDataset } from './generated.ts';
import type { ImageDataset } from './dataset.ts';

describe('generatedDataset', () => {
  test('has balanced classes with names of their own', () => {
    const data = generatedDataset({ count: 100 });
    expect(data.length).toBe(100);
    expect(new Set(data.classes).size).toBe(10);
    expect(data.classes[0]).toBe('red disc');
    expect([...data.labels].filter((label) => label === 7).length).toBe(10);
    expect(new Set(generatedDataset({ count: 30, classes: 30 }).classes).size).toBe(30);
  });

  test('draws the same pixels for the same seed, others for another seed, split or index', async () => {
    const read = async (seed: number, split: 'train' | 'test', index: number) =>
      Buffer.from(await generatedDataset({ count: 20, seed, split }).readImage(index, 32)).toString('hex');
    expect(await read(1, 'train', 3)).toBe(await read(1, 'train', 3));
    const images = [
      await read(1, 'train', 3),
      await read(2, 'train', 3),
      await read(1, 'test', 3),
      await read(1, 'train', 13),
    ];
    expect(new Set(images).size).toBe(4);
  });

  test('can be learnt: softmax regression on coarse pixels is far above chance on images it has not seen', async () => {
    const train = await features(generatedDataset({ count: 1500, seed: 5 }));
    const test = await features(generatedDataset({ count: 500, seed: 5, split: 'test' }));
    const accuracy = softmaxRegression(train, test, 10);
    // Chance is 0.1; a linear model on pixels cannot see shapes well, so it must not be trivial either.
    expect(accuracy).toBeGreaterThan(0.3);
    expect(accuracy).toBeLessThan(0.98);
  });

  test('refuses what cannot be drawn', () => {
    expect(() => generatedDataset({ count: 10, classes: 31 })).toThrow('31 generated classes: give 2 to 30');
    expect(() => generatedDataset({ count: 0 })).toThrow('0 generated images');
  });
});

interface Samples {
  readonly x: Float64Array[];
  readonly y: Int32Array;
}

/** 8 x 8 pixels, centred on 0, and their squares. */
async function features(data: ImageDataset): Promise<Samples> {
  const x: Float64Array[] = [];
  for (let i = 0; i < data.length; i++) {
    const values = [...(await data.readImage(i, 8))].map((byte) => byte / 128 - 1);
    x.push(Float64Array.from([1, ...values, ...values.map((value) => value * value)]));
  }
  return { x, y: data.labels };
}

function softmaxRegression(train: Samples, test: Samples, classes: number): number {
  const width = train.x[0]!.length;
  const weights = new Float64Array(classes * width);
  const scores = (x: Float64Array) =>
    Array.from({ length: classes }, (_, k) => x.reduce((sum, value, j) => sum + value * weights[k * width + j]!, 0));
  for (let epoch = 0; epoch < 15; epoch++) {
    train.x.forEach((x, i) => {
      const exp = scores(x).map((score) => Math.exp(Math.min(50, score)));
      const total = exp.reduce((a, b) => a + b, 0);
      for (let k = 0; k < classes; k++) {
        const gradient = exp[k]! / total - (train.y[i] === k ? 1 : 0);
        for (let j = 0; j < width; j++) weights[k * width + j]! -= 0.005 * gradient * x[j]!;
      }
    });
  }
  const right = test.x.filter((x, i) => {
    const s = scores(x);
    return s.indexOf(Math.max(...s)) === test.y[i];
  });
  return right.length / test.x.length;
}

// Parquet files of images and labels: splits by name, classes from the footer, rows read in any order, and damaged files.
import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { png, temporaryFolder, writeTree } from '../testing/files.ts';
import { parquetFile } from '../testing/parquet.ts';
import { openDataset, openSplit } from './open.ts';

/** Image i is of colour (10 i, 0, 0). */
const images = await Promise.all(Array.from({ length: 7 }, (_, i) => png([10 * i, 0, 0])));
const names = ['cat', 'dog'];
const labels = [0, 1, 1, 0, 1, 0, 0];
const firstByte = async (data: { readImage: (i: number, size: number) => Promise<Uint8Array> }, i: number) =>
  (await data.readImage(i, 2))[0];

describe('Parquet', () => {
  test('a folder as the hub has them, over several files and row groups', async () => {
    const home = await temporaryFolder();
    const root = await temporaryFolder();
    await writeTree(root, {
      'data/train-00000-of-00002.parquet': parquetFile({ images: images.slice(0, 4), labels: labels.slice(0, 4), names, rowGroupSize: 3 }), // prettier-ignore
      'data/train-00001-of-00002.parquet': parquetFile({ images: images.slice(4), labels: labels.slice(4), names }),
      'data/validation-00000-of-00001.parquet': parquetFile({ images: images.slice(2, 3), labels: [1], names }),
      'data/test-00000-of-00001.parquet': parquetFile({ images: images.slice(0, 3), labels: [-1, 0, -1], names }),
      'README.md': 'a card',
    });
    const { train, validation, test: last, classes, notes } = await openDataset(root, { home });
    expect([...classes]).toEqual(names);
    expect([...train.labels]).toEqual(labels);
    expect([...(validation?.labels ?? [])]).toEqual([1]);
    expect([...(last?.labels ?? [])]).toEqual([0]);
    expect(notes).toEqual([expect.stringMatching(/ test: left out 2 images without a label$/)]);
    for (const i of [6, 0, 4, 3]) expect(await firstByte(train, i)).toBe(10 * i);
    expect(await firstByte(last!, 0)).toBe(10);
    expect(train.describe(5)).toBe(`${join(root, 'data/train-00001-of-00002.parquet')} row 1`);
    const before = await readdir(join(home, 'datasets/unpacked'));
    const again = await openSplit(root, 'train', { home });
    expect(again.dataset.hash).toBe(train.hash);
    expect(await readdir(join(home, 'datasets/unpacked'))).toEqual(before);
  });

  test('a file alone, its classes the numbers in it; an image that is missing is named', async () => {
    const home = await temporaryFolder();
    const file = join(home, 'some.parquet');
    await writeFile(file, parquetFile({ images: [images[1]!, null, images[2]!], labels: [10, 9, 10] }));
    const { train, classes } = await openDataset(file, { home });
    expect([[...classes], [...train.labels]]).toEqual([
      ['9', '10'],
      [1, 0, 1],
    ]);
    await expect(train.readImage(1, 2)).rejects.toThrow(`${file} row 1: the file is empty`);
    expect(await firstByte(train, 2)).toBe(20);
  });

  test('a test part without a label is left out, and said to be', async () => {
    const home = await temporaryFolder();
    const root = await temporaryFolder();
    await writeTree(root, {
      'train-0.parquet': parquetFile({ images, labels, names }),
      'test-0.parquet': parquetFile({ images: images.slice(0, 2), labels: [-1, -1], names }),
    });
    const { test: last, notes } = await openDataset(root, { home });
    expect(last).toBeUndefined();
    expect(notes).toEqual([expect.stringMatching(/ test: none of its 2 images has a label; it is left out$/)]);
    await expect(openSplit(root, 'test', { home })).rejects.toThrow('none of its 2 images has a label');
  });

  test('a pack that was cut off is written anew', async () => {
    const home = await temporaryFolder();
    const file = join(home, 'some.parquet');
    await writeFile(file, parquetFile({ images, labels, names }));
    await openDataset(file, { home });
    const cache = join(home, 'datasets/unpacked');
    const [pack = ''] = (await readdir(cache)).filter((name) => name.endsWith('.images'));
    await truncate(join(cache, pack), 5);
    const { train } = await openDataset(file, { home });
    expect(await firstByte(train, 6)).toBe(60);
  });

  test.each([
    ['no Parquet file', () => Buffer.from('hello, I am not one'), /some.parquet: cannot be read as a Parquet file/],
    [
      'cut off',
      (whole: Uint8Array) => whole.subarray(0, whole.length - 9),
      /some.parquet: cannot be read as a Parquet file/,
    ],
    ['its images cut out', (whole: Uint8Array) => whole.slice(whole.length - 700), /some.parquet: /],
  ])('%s', async (_, damage, message) => {
    const home = await temporaryFolder();
    const file = join(home, 'some.parquet');
    await writeFile(file, damage(parquetFile({ images, labels, names })));
    await expect(openDataset(file, { home })).rejects.toThrow(message);
  });

  test('labels that the footer has no name for, and classes of a model that has others', async () => {
    const home = await temporaryFolder();
    const file = join(home, 'some.parquet');
    await writeFile(file, parquetFile({ images: images.slice(0, 2), labels: [0, 5], names }));
    await expect(openDataset(file, { home })).rejects.toThrow('row 1: label 5 is none of the 2 classes (0 to 1)');
    await writeFile(file, parquetFile({ images: images.slice(0, 2), labels: [0, 1], names }));
    await expect(openDataset(file, { home, classes: ['cat', 'cow'] })).rejects.toThrow('dog is not one of the classes cat, cow'); // prettier-ignore
  });
});

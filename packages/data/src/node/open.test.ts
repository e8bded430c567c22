import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cifarFiles, png, realDataset, temporaryFolder, writeTree } from '../testing/files.ts';
import { CIFAR10, CIFAR100 } from './cifar.ts';
import { openDataset, openSplit } from './open.ts';

const image = await png([9, 9, 9]);
const offline = { download: false } as const;

describe('openDataset', () => {
  test.each(['cifar10', 'cifar-10', 'CIFAR10'])('%s from the home', async (name) => {
    const home = await temporaryFolder();
    await writeTree(join(home, 'datasets', CIFAR10.folder), cifarFiles(CIFAR10, 2));
    const data = await openDataset(name, { home, ...offline });
    expect([data.train.length, data.validation, data.test?.length]).toEqual([10, undefined, 2]);
    expect(data.name).toBe('CIFAR-10');
    expect(data.notes[0]).toBe('CIFAR-10 train: data_batch_1.bin has 2 records; the published file has 10000');
  });

  test('an unpacked CIFAR folder by its path, with coarse labels', async () => {
    const root = await temporaryFolder();
    await writeTree(root, cifarFiles(CIFAR100, 2));
    const data = await openDataset(root, { home: '/nowhere', labels: 'coarse' });
    expect([data.name, data.classes.length, data.test?.length]).toEqual(['CIFAR-100', 20, 2]);
  });

  test('generated', async () => {
    const data = await openDataset('generated', { home: '/nowhere', generated: { train: 60, test: 30, classes: 6 } });
    expect([data.train.length, data.test?.length, data.classes.length]).toEqual([60, 30, 6]);
    expect((await openDataset('generated', { home: '/nowhere' })).train.length).toBe(2000);
  });

  test('a folder with splits: the classes are those of the training images', async () => {
    const root = await temporaryFolder();
    const names = ['train/a', 'train/b', 'train/c', 'valid/a', 'valid/b', 'valid/c', 'test/b', 'test/c'];
    await writeTree(root, Object.fromEntries(names.map((name) => [`${name}/1.png`, image])));
    const data = await openDataset(root, { home: '/nowhere' });
    expect([...(data.validation?.labels ?? [])]).toEqual([0, 1, 2]);
    expect([...(data.test?.labels ?? [])]).toEqual([1, 2]);
    expect(data.notes.length).toBe(1);
    expect(data.notes[0]).toMatch(/ test: no images of a$/);
    await writeTree(root, { 'valid/d/1.png': image });
    await expect(openDataset(root, { home: '/nowhere' })).rejects.toThrow('d is not one of the classes a, b, c');
  });

  test('a folder without splits, by path and by its name in the home', async () => {
    const home = await temporaryFolder();
    await writeTree(home, { 'datasets/pets/cats/1.png': image, 'datasets/pets/dogs/1.png': image });
    for (const name of ['pets', join(home, 'datasets/pets')]) {
      const data = await openDataset(name, { home });
      expect([data.train.length, data.validation, data.test]).toEqual([2, undefined, undefined]);
    }
  });

  test('what is wrong is named', async () => {
    const home = await temporaryFolder();
    await expect(openDataset('cifar11', { home })).rejects.toThrow(
      `cifar11: neither a data set (cifar10, cifar100, generated, hf:owner/name) nor a folder, a table (.csv), a Parquet file or tar shards; looked for cifar11 and ${join(home, 'datasets/cifar11')}`,
    );
    await writeTree(home, { 'x/val/a/1.png': image, 'x/val/b/1.png': image });
    await expect(openDataset(join(home, 'x'), { home })).rejects.toThrow('has val but no train folder to learn from');
    await expect(openDataset('cifar10', { home, ...offline })).rejects.toThrow('thaw download cifar10');
    await expect(openDataset('generated', { home, classes: ['a'] })).rejects.toThrow('are not the 1 expected ones');
  });
});

describe('openSplit', () => {
  test('opens one split; without a name the test images, else validation, else all', async () => {
    const root = await temporaryFolder();
    const names = ['train/a', 'train/b', 'val/a', 'val/b'];
    await writeTree(root, Object.fromEntries(names.map((name) => [`${name}/1.png`, image])));
    const options = { home: '/nowhere' };
    expect((await openSplit(root, undefined, options)).dataset.describe(0)).toBe(join(root, 'val/a/1.png'));
    expect((await openSplit(root, 'train', options)).dataset.describe(1)).toBe(join(root, 'train/b/1.png'));
    await expect(openSplit(root, 'test', options)).rejects.toThrow('has no test split, only train and val');
    expect((await openSplit(join(root, 'train'), undefined, options)).dataset.length).toBe(2);
    expect((await openSplit('generated', 'test', options)).dataset.name).toBe('generated test');
  });
});

const real = realDataset('hymenoptera');

test.skipIf(!real)('hymenoptera by name (skipped where ../shared/thaw-home or THAW_HOME is absent)', async () => {
  const data = await openDataset('hymenoptera', { home: real!.home });
  expect([data.train.length, data.validation?.length, data.test]).toEqual([244, 153, undefined]);
});

import type { ImageDataset } from '../dataset.ts';
import { chmod, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { batches } from '../batches.ts';
import { allIndices } from '../sampling.ts';
import { png, realDataset, temporaryFolder, writeTree } from '../testing/files.ts';
import { findSplits, openImageFolder } from './folder.ts';

const red = await png([255, 0, 0]);
const blue = await png([0, 0, 255], 6, 3);

/** cats (2 images, one nested) and dogs (1), with things to ignore. */
async function pets(extra: Record<string, string | Uint8Array> = {}): Promise<string> {
  const root = await temporaryFolder();
  await writeTree(root, {
    'cats/b.png': red,
    'cats/a/deep.PNG': red,
    'cats/.hidden.png': red,
    'cats/notes.txt': 'hello',
    'dogs/rex.png': blue,
    'dogs/.DS_Store': '',
    '.git/config.png': red,
    ...extra,
  });
  return root;
}

const filesOf = (data: ImageDataset): string[] => Array.from({ length: data.length }, (_, i) => data.describe(i));

describe('class folders', () => {
  test('classes, labels and files in the order of names; hidden files ignored, others counted', async () => {
    const root = await pets({ 'README.md': '' });
    const data = await openImageFolder(root);
    expect(data.classes).toEqual(['cats', 'dogs']);
    expect([...data.labels]).toEqual([0, 0, 1]);
    expect(filesOf(data)).toEqual(['cats/a/deep.PNG', 'cats/b.png', 'dogs/rex.png'].map((name) => join(root, name)));
    expect(data.describe(2)).toBe(join(root, 'dogs/rex.png'));
    expect(data.imageSize).toBe(null);
    expect(data.notes).toEqual(['ignored 2 files that are not images (README.md, cats/notes.txt)']);
    expect([...new Set(await data.readImage(2, 5))]).toEqual([0, 255]);
    await expect(data.readImage(3, 5)).rejects.toThrow('no image 3');
  });

  test('upper case sorts before lower case, as code units do, on every platform', async () => {
    const root = await temporaryFolder();
    await writeTree(root, { 'b/x.png': red, 'a/x.png': red, 'B/x.png': red, 'ä/x.png': red, '10/x.png': red });
    expect((await openImageFolder(root)).classes).toEqual(['10', 'B', 'a', 'b', 'ä']);
  });

  test('images outside the class folders are noted', async () => {
    const data = await openImageFolder(await pets({ 'lost.png': red }));
    expect(data.length).toBe(3);
    expect(data.notes[0]).toBe('ignored 1 images outside the class folders (lost.png, ...)');
  });

  test('links are followed, but not in circles; a dead link is a corrupt image', async () => {
    const root = await pets();
    const elsewhere = await temporaryFolder();
    await writeTree(elsewhere, { 'far.png': blue });
    await symlink(elsewhere, join(root, 'birds'));
    await symlink('..', join(root, 'cats/up'));
    await symlink(join(root, 'nothing.png'), join(root, 'dogs/dead.png'));
    const data = await openImageFolder(root);
    expect(data.classes).toEqual(['birds', 'cats', 'dogs']);
    expect(filesOf(data).filter((file) => file.startsWith(join(root, 'birds')))).toEqual([join(root, 'birds/far.png')]);
    const stream = batches(data, {
      indices: allIndices(data.length),
      batchSize: 100,
      imageSize: 4,
      preprocessing: 'none',
    });
    for await (const batch of stream) expect(batch.size).toBe(data.length - 1);
    expect(stream.skipped.map((image) => image.path)).toEqual([join(root, 'dogs/dead.png')]);
    expect(stream.skipped[0]!.reason).toBe('the file does not exist');
  });

  test('a corrupt image is skipped by name, or fails the run', async () => {
    const root = await pets({ 'dogs/bad.jpg': 'not a picture' });
    const data = await openImageFolder(root);
    const options = { indices: allIndices(4), batchSize: 2, imageSize: 4, preprocessing: 'none' } as const;
    const stream = batches(data, options);
    const sizes: number[] = [];
    for await (const batch of stream) sizes.push(batch.size);
    expect(sizes).toEqual([2, 1]);
    expect(stream.skipped).toEqual([
      { index: 2, path: join(root, 'dogs/bad.jpg'), reason: expect.stringContaining('not an image') as string },
    ]);
    const strict = async () => {
      for await (const batch of batches(data, { ...options, strict: true })) expect(batch.size).toBe(2);
    };
    await expect(strict()).rejects.toThrow(join(root, 'dogs/bad.jpg'));
  });

  test('the hash follows names, sizes and times, not the place', async () => {
    const [one, two] = [await pets(), await pets()];
    for (const root of [one, two]) {
      for (const file of ['cats/b.png', 'cats/a/deep.PNG', 'dogs/rex.png']) await utimes(join(root, file), 1000, 1000);
    }
    const hash = async (root: string) => (await openImageFolder(root)).hash;
    expect(await hash(one)).toBe(await hash(two));
    await utimes(join(two, 'cats/b.png'), 2000, 2000);
    const touched = await hash(two);
    expect(touched).not.toBe(await hash(one));
    await writeFile(join(two, 'dogs/new.png'), red);
    expect(await hash(two)).not.toBe(touched);
  });
});

describe('given classes', () => {
  test('keep their order; a class without a folder is noted', async () => {
    const data = await openImageFolder(await pets(), { classes: ['dogs', 'birds', 'cats'] });
    expect([...data.labels]).toEqual([2, 2, 0]);
    expect(data.classes).toEqual(['dogs', 'birds', 'cats']);
    expect(data.notes).toContain('no images of birds');
  });

  test('an unknown class folder is an error, a single folder is none', async () => {
    const root = await pets();
    await expect(openImageFolder(root, { classes: ['cats', 'birds'] })).rejects.toThrow(
      `${join(root, 'dogs')}: dogs is not one of the classes cats, birds`,
    );
    await rm(join(root, 'dogs'), { recursive: true });
    expect((await openImageFolder(root, { classes: ['cats', 'dogs'] })).length).toBe(2);
  });
});

describe('splits', () => {
  test.each(['val', 'validation', 'valid', 'Validation'])('train and %s', async (name) => {
    const root = await temporaryFolder();
    await writeTree(root, {
      'train/a/1.png': red,
      'train/b/1.png': red,
      [`${name}/a/2.png`]: red,
      [`${name}/b/2.png`]: blue,
    });
    expect(await findSplits(root)).toEqual({ train: 'train', val: name });
    expect((await openImageFolder(root, { split: 'val' })).describe(0)).toBe(join(root, name, 'a/2.png'));
    await expect(openImageFolder(root, { split: 'test' })).rejects.toThrow(
      `${root}: has no test/ or testing/ with class folders inside; it has train, ${name}`,
    );
    await expect(openImageFolder(root)).rejects.toThrow(`${root}: is divided into train, ${name}`);
  });

  test('a class called train is a class', async () => {
    const root = await temporaryFolder();
    await writeTree(root, { 'train/1.png': red, 'plane/1.png': red });
    expect(await findSplits(root)).toBe(null);
    expect((await openImageFolder(root)).classes).toEqual(['plane', 'train']);
    await expect(openImageFolder(root, { split: 'val' })).rejects.toThrow('its folders are not splits');
  });

  test('two folders for one split are an error', async () => {
    const root = await temporaryFolder();
    await writeTree(root, { 'val/a/1.png': red, 'valid/a/1.png': red });
    await expect(findSplits(root)).rejects.toThrow('both val and valid could be the val split');
  });
});

describe('what is wrong is said before anything is decoded', () => {
  test('an empty class folder', async () => {
    const root = await pets();
    await mkdir(join(root, 'empty'));
    await expect(openImageFolder(root)).rejects.toThrow(
      `${join(root, 'empty')}: the class folder has no images; put images in it or remove the folder`,
    );
    await writeTree(root, { 'empty/a.txt': '', 'empty/b.csv': '' });
    await expect(openImageFolder(root)).rejects.toThrow(
      'has no images, only 2 files that are not images (a.txt, b.csv)',
    );
  });

  test('one class only', async () => {
    const root = await temporaryFolder();
    await writeTree(root, { 'all/cats/1.png': red, 'all/dogs/1.png': red });
    await expect(openImageFolder(root)).rejects.toThrow(
      `only one class folder, all; a classifier needs at least two. If all contains the class folders, name it instead: ${join(root, 'all')}`,
    );
  });

  test('no images, or images without classes', async () => {
    const root = await temporaryFolder();
    await expect(openImageFolder(root)).rejects.toThrow(`${root}: the folder has no images and no class folders`);
    await writeTree(root, { '1.png': red, '2.png': red });
    await expect(openImageFolder(root)).rejects.toThrow(`${root}: has 2 images but no class folders`);
  });

  test('no folder, a file, a link to itself', async () => {
    const root = await pets();
    await expect(openImageFolder(join(root, 'none'))).rejects.toThrow('none: the folder does not exist');
    await expect(openImageFolder(join(root, 'cats/b.png'))).rejects.toThrow('b.png: is a file, not a folder of images');
    await symlink('loop', join(root, 'loop'));
    await expect(openImageFolder(join(root, 'loop'))).rejects.toThrow('is a symbolic link that leads back to itself');
  });

  test.skipIf(process.getuid?.() === 0)('an unreadable class folder (skipped as root, who may read all)', async () => {
    const root = await pets();
    await chmod(join(root, 'dogs'), 0o000);
    await expect(openImageFolder(root)).rejects.toThrow(
      `${join(root, 'dogs')}: the folder may not be accessed by this user; check its permissions`,
    );
    await chmod(join(root, 'dogs'), 0o700);
  });
});

const real = realDataset('hymenoptera');

test.skipIf(!real)('hymenoptera (skipped where ../shared/thaw-home or THAW_HOME is absent)', async () => {
  const train = await openImageFolder(real!.path, { split: 'train' });
  const val = await openImageFolder(real!.path, { split: 'val' });
  expect([train.length, val.length]).toEqual([244, 153]);
  expect(train.classes).toEqual(['ants', 'bees']);
  const stream = batches(val, { indices: allIndices(153), batchSize: 32, imageSize: 64, preprocessing: 'torchvision' });
  let images = 0;
  for await (const batch of stream) images += batch.size;
  expect([images, stream.skipped.length]).toEqual([153, 0]);
});

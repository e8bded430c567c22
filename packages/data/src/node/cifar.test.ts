import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { batches } from '../batches.ts';
import { allIndices, countPerClass } from '../sampling.ts';
import { cifarFiles, cifarRecord, realDataset, temporaryFolder, writeTree } from '../testing/files.ts';
import { CIFAR10, CIFAR100, readCifar } from './cifar.ts';

describe('a small CIFAR-10', () => {
  const small = async () => {
    const folder = await temporaryFolder();
    await writeTree(folder, cifarFiles(CIFAR10, 3));
    return folder;
  };

  test('planes become pixels, files follow one another', async () => {
    const data = await readCifar(await small(), CIFAR10, 'train');
    expect(data.length).toBe(15);
    expect([...data.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4]);
    expect(data.classes).toEqual(Array.from({ length: 10 }, (_, i) => `fine${i}`));
    expect(data.imageSize).toEqual({ height: 32, width: 32 });
    // Record 2 of data_batch_2: shift 12; pixel p of channel c is p + 50 c + 12 modulo 256
    const rgb = await data.readImage(5, 32);
    expect([...rgb.subarray(0, 6)]).toEqual([12, 62, 112, 13, 63, 113]);
    expect([...rgb.subarray(3 * 1023)]).toEqual([(1023 + 12) % 256, (1023 + 62) % 256, (1023 + 112) % 256]);
    expect(data.describe(5)).toBe('data_batch_2.bin record 2');
    expect(data.notes[0]).toBe('data_batch_1.bin has 3 records; the published file has 10000');
  });

  test('test split, other sizes, and indices that are none', async () => {
    const data = await readCifar(await small(), CIFAR10, 'test');
    expect(data.length).toBe(3);
    expect(data.describe(2)).toBe('test_batch.bin record 2');
    expect((await data.readImage(0, 64)).length).toBe(64 * 64 * 3);
    await expect(data.readImage(3, 32)).rejects.toThrow('CIFAR-10 test: no image 3; it has 3, counted from 0');
    expect(() => data.describe(-1)).toThrow('no image -1');
  });

  test('the hash follows the bytes', async () => {
    const folder = await small();
    const before = (await readCifar(folder, CIFAR10, 'test')).hash;
    expect((await readCifar(folder, CIFAR10, 'test')).hash).toBe(before);
    const path = join(folder, 'test_batch.bin');
    const bytes = await readFile(path);
    bytes[5000]! ^= 1;
    await writeFile(path, bytes);
    expect((await readCifar(folder, CIFAR10, 'test')).hash).not.toBe(before);
  });

  test('a file that is cut off is named with the byte', async () => {
    const folder = await small();
    const path = join(folder, 'data_batch_3.bin');
    await writeFile(path, (await readFile(path)).subarray(0, 2 * 3073 + 100));
    await expect(readCifar(folder, CIFAR10, 'train')).rejects.toThrow(
      `${path}: ends at byte 6246, 100 bytes into record 2; a record is 3073 bytes`,
    );
    await writeFile(path, '');
    await expect(readCifar(folder, CIFAR10, 'train')).rejects.toThrow(`${path}: ends at byte 0, it is empty`);
  });

  test('a label out of range is named with the byte', async () => {
    const folder = await small();
    const path = join(folder, 'test_batch.bin');
    await writeFile(path, Buffer.concat([cifarRecord([9], 0), cifarRecord([10], 0)]));
    await expect(readCifar(folder, CIFAR10, 'test')).rejects.toThrow(
      `${path}: byte 3073, the label of record 1, is 10; CIFAR-10 has labels 0 to 9`,
    );
  });

  test('missing files and wrong class names are named', async () => {
    const folder = await small();
    await writeFile(join(folder, 'batches.meta.txt'), 'cat\ndog\n');
    await expect(readCifar(folder, CIFAR10, 'test')).rejects.toThrow('has 2 class names, expected 10');
    await expect(readCifar(join(folder, 'no'), CIFAR10, 'test')).rejects.toThrow('the file does not exist');
    await expect(readCifar(folder, CIFAR10, 'test', { labels: 'coarse' })).rejects.toThrow('CIFAR-10 has no coarse');
  });
});

test('a small CIFAR-100: fine and coarse labels', async () => {
  const folder = await temporaryFolder();
  await writeTree(folder, {
    ...cifarFiles(CIFAR100, 2),
    'train.bin': Buffer.concat([cifarRecord([4, 99], 0), cifarRecord([19, 0], 7)]),
  });
  const fine = await readCifar(folder, CIFAR100, 'train');
  expect([...fine.labels]).toEqual([99, 0]);
  expect(fine.classes[99]).toBe('fine99');
  expect([...(await fine.readImage(1, 32)).subarray(0, 3)]).toEqual([7, 57, 107]);
  const coarse = await readCifar(folder, CIFAR100, 'train', { labels: 'coarse' });
  expect([...coarse.labels]).toEqual([4, 19]);
  expect(coarse.classes.length).toBe(20);
  expect(coarse.hash).not.toBe(fine.hash);
});

const real = realDataset('cifar-10-batches-bin');

describe.skipIf(!real)('the real CIFAR-10 (skipped where ../shared/thaw-home or THAW_HOME is absent)', () => {
  test('test split: 1,000 images of each of the ten classes', async () => {
    const data = await readCifar(real!.path, CIFAR10, 'test');
    expect(data.length).toBe(10_000);
    expect([...countPerClass(data.labels, 10)]).toEqual(new Array(10).fill(1000));
    expect(data.classes).toEqual([
      'airplane',
      'automobile',
      'bird',
      'cat',
      'deer',
      'dog',
      'frog',
      'horse',
      'ship',
      'truck',
    ]);
    expect(data.notes).toEqual([]);
  });

  test('record 17 is the bytes of the file', async () => {
    const data = await readCifar(real!.path, CIFAR10, 'test');
    const file = await readFile(join(real!.path, 'test_batch.bin'));
    const at = 17 * 3073;
    expect(data.labels[17]).toBe(file[at]);
    const planar = new Uint8Array(3072);
    const rgb = await data.readImage(17, 32);
    for (let i = 0; i < 3072; i++) planar[(i % 3) * 1024 + Math.floor(i / 3)] = rgb[i]!;
    const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    expect(sha(planar)).toBe(sha(file.subarray(at + 1, at + 3073)));
  });

  test('batches cost next to nothing beside a training step', async () => {
    const data = await readCifar(real!.path, CIFAR10, 'test');
    const start = performance.now();
    let images = 0;
    const options = { batchSize: 32, imageSize: 32, preprocessing: 'tf-official' } as const;
    for await (const batch of batches(data, { ...options, indices: allIndices(10_000) })) images += batch.size;
    const perImage = (performance.now() - start) / images;
    console.info(`CIFAR-10 batches: ${(perImage * 1000).toFixed(1)} us per image`);
    // 9 us were measured on two cores at 32 x 32; the bound leaves room for a busy machine.
    expect(perImage).toBeLessThan(0.2);
  });
});

// Tar shards as data sets: what samples are, which classes, splits by name, the kept index, and archives that are damaged or lie.
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as tar from 'tar';
import { describe, expect, test } from 'vitest';
import { allIndices } from '../../sampling.ts';
import { batches } from '../../batches.ts';
import { png, temporaryFolder, writeTree } from '../../testing/files.ts';
import { sample, shardOf, TAR_END, tarEntry, type ShardEntry } from '../../testing/shards.ts';
import { openDataset, openSplit } from '../open.ts';

/** Image i is of colour (10 i, 0, 0). */
const images = await Promise.all(Array.from({ length: 8 }, (_, i) => png([10 * i, 0, 0])));
const image = (i: number): Uint8Array => images[i] ?? new Uint8Array(0);
const firstByte = async (data: { readImage: (i: number, size: number) => Promise<Uint8Array> }, i: number) =>
  (await data.readImage(i, 2))[0];

/** A folder with one shard of these entries, opened. */
async function openOne(entries: readonly ShardEntry[] | Uint8Array, more: Record<string, string> = {}) {
  const [home, root] = [await temporaryFolder(), await temporaryFolder()];
  await writeTree(root, { 'a.tar': entries instanceof Uint8Array ? entries : shardOf(entries), ...more });
  const { dataset, notes } = await openSplit(root, undefined, { home });
  return { home, root, dataset, notes, labels: [...dataset.labels], classes: [...dataset.classes] };
}

describe('samples', () => {
  test('files that agree up to the first dot are one, the label from .cls or .json, before the image or after it', async () => {
    const { dataset, labels, classes, notes, root } = await openOne([
      ...sample('a/0', image(1), 'cat'),
      { path: 'a/1.jpeg', body: image(2) },
      { path: 'a/1.json', body: '{"label": "dog", "width": 4}' },
      { path: 'a/2.seg.png', body: image(7) },
      { path: 'a/2.PNG', body: image(3) },
      { path: 'a/2.cls', body: ' dog\n' },
      { path: 'a/2.json', body: '{"cls": "cat"}' },
      { path: 'b/2.webp', body: image(4) },
      { path: 'b/2.json', body: '{"cls": "cat", "label": 5}' },
    ]);
    expect(classes).toEqual(['cat', 'dog']);
    expect(labels).toEqual([0, 1, 1, 0]);
    for (const i of [3, 0, 2, 1]) expect(await firstByte(dataset, i)).toBe(10 * (i + 1));
    expect(dataset.describe(2)).toBe(`${join(root, 'a.tar')}/a/2.PNG`);
    expect(notes).toEqual([]);
    expect(await dataset.readSide?.(0)).toBe(4);
  });

  test('images without a label, labels without an image and other files are left out, and it is said', async () => {
    const { labels, notes, dataset } = await openOne([
      { path: 'README' },
      { path: '._0.png', body: 'a fork of macOS' },
      ...sample('0', image(1), 3),
      { path: '1.png', body: image(2) },
      { path: '2.cls', body: '3' },
      ...sample('3', image(3), -1),
      ...sample('4', image(4), '007'),
      { path: '5.json', body: '{"caption": "a cat"}' },
      { path: '5.png', body: image(5) },
      { path: '6.png', body: image(5) },
      { path: '6.cls', body: '' },
    ]);
    expect([...dataset.classes]).toEqual(['3', '7']);
    expect(labels).toEqual([0, 1]);
    expect(await firstByte(dataset, 1)).toBe(40);
    expect(notes).toEqual(['left out 4 images without a label', 'left out 1 samples without an image']);
  });

  test('what other programs write: folders, long names, extended headers, no end', async () => {
    const source = await temporaryFolder();
    const long = `${'folder-'.repeat(12)}/${'name'.repeat(40)}`;
    await writeTree(source, { [`${long}.png`]: image(5), [`${long}.cls`]: '1', 'b.png': image(6), 'b.cls': '0' });
    const whole = join(source, 'whole.tar');
    await tar.create({ cwd: source, file: whole }, [long.split('/')[0] ?? '', 'b.cls', 'b.png']);
    const written = await readFile(whole);
    const { dataset } = await openOne(written.subarray(0, written.length - 1024));
    // A folder's files come in whatever order.
    const [far, near] = dataset.describe(0).endsWith('b.png') ? [1, 0] : [0, 1];
    expect(dataset.describe(far)).toContain(`${long}.png`);
    expect([dataset.labels[far], dataset.labels[near]]).toEqual([1, 0]);
    expect(await firstByte(dataset, far)).toBe(50);
    expect(await firstByte(dataset, near)).toBe(60);
    const gnu = Buffer.concat([
      tarEntry({ path: '././@LongLink', type: 'NextFileHasLongPath', body: `${long}.cls\0` }),
      tarEntry({ path: long.slice(0, 99), body: '4' }),
      tarEntry({ path: '././@LongLink', type: 'NextFileHasLongPath', body: `${long}.png\0` }),
      tarEntry({ path: long.slice(0, 99), body: image(2) }),
      ...sample('x', image(3), 5).map(tarEntry),
    ]);
    const other = await openOne(gnu);
    expect([other.labels, other.classes]).toEqual([[0, 1], ['4', '5']]); // prettier-ignore
    expect(await firstByte(other.dataset, 0)).toBe(20);
  });

  test('contents large enough to be sought over', async () => {
    const large = Buffer.concat([image(3), Buffer.alloc(300_000)]);
    const entries = Array.from({ length: 20 }, (_, i) => sample(String(i), i % 3 === 0 ? large : image(i % 8), i % 2));
    const { dataset, labels } = await openOne(entries.flat());
    expect(labels).toEqual(entries.map((_, i) => i % 2));
    for (const i of [0, 1, 2, 9, 18, 19]) expect(await firstByte(dataset, i)).toBe(i % 3 === 0 ? 30 : 10 * (i % 8));
  });
});

describe('classes', () => {
  const numbered = [...sample('0', image(0), 1), ...sample('1', image(1), 0)];
  test('are named by a file beside the shards', async () => {
    for (const more of [{ 'classes.txt': 'ants\n\nbees\n' }, { 'classes.json': '["ants", "bees"]' }]) {
      const { classes, labels } = await openOne(numbered, more);
      expect([classes, labels]).toEqual([['ants', 'bees'], [1, 0]]); // prettier-ignore
    }
    const mixed = await openOne([...numbered, ...sample('2', image(2), 'bees')], { 'classes.txt': 'ants\nbees' });
    expect(mixed.labels).toEqual([1, 0, 1]);
  });

  test.each([
    ['ants\nbees', 2, /a\.tar\/2\.png: its label 2 is none of the 2 classes of .*classes\.txt$/],
    ['ants\nbees', 'wasps', /a\.tar\/2\.png: its label wasps is none of the 2 classes/],
    ['ants\nants', 0, /classes\.txt: names the class ants twice/],
    ['ants', 0, /classes\.txt: names 1 classes/],
  ])('%j and the label %j', async (text, label, message) => {
    await expect(openOne([...numbered, ...sample('2', image(2), label)], { 'classes.txt': text })).rejects.toThrow(message); // prettier-ignore
  });

  test('a damaged classes.json, one class alone, none at all, classes of a model that has others', async () => {
    await expect(openOne(numbered, { 'classes.json': '{' })).rejects.toThrow('classes.json: is not JSON');
    await expect(openOne(numbered, { 'classes.json': '{"a": 1}' })).rejects.toThrow("is not a list of the classes' names"); // prettier-ignore
    await expect(openOne(sample('0', image(0), 1))).rejects.toThrow('only one class, 1');
    await expect(openOne([{ path: '0.png', body: image(0) }])).rejects.toThrow('none of its 1 images has a label');
    const { root, home } = await openOne(numbered);
    const open = openSplit(root, 'train', { home, classes: ['ants', 'bees'] });
    await expect(open).rejects.toThrow('its label 1 is not one of the classes ants, bees; a file classes.txt beside');
  });
});

describe('where shards are', () => {
  const shard = (first: number, count: number): Buffer =>
    shardOf(Array.from({ length: count }, (_, i) => sample(String(i), image(first + i), (first + i) % 2)).flat());

  test('splits by name or by folder; the classes may lie above the folders', async () => {
    const [home, flat, nested] = [await temporaryFolder(), await temporaryFolder(), await temporaryFolder()];
    const files = { 'x-train-000.tar': shard(0, 3), 'x-train-001.tar': shard(3, 2), 'x-val-000.tar': shard(5, 2), 'test-0.tar': shard(1, 2) }; // prettier-ignore
    await writeTree(flat, { ...files, 'classes.txt': 'ants\nbees' });
    await writeTree(nested, { 'train/a.tar': shard(0, 3), 'train/b.tar': shard(3, 2), 'validation/a.tar': shard(5, 2), 'test/a.tar': shard(1, 2), 'classes.txt': 'ants\nbees' }); // prettier-ignore
    for (const root of [flat, nested]) {
      const { train, validation, test: last, classes } = await openDataset(root, { home });
      expect(classes).toEqual(['ants', 'bees']);
      expect([...train.labels]).toEqual([0, 1, 0, 1, 0]);
      expect([...(validation?.labels ?? [])]).toEqual([1, 0]);
      expect([...(last?.labels ?? [])]).toEqual([1, 0]);
      expect(await firstByte(train, 4)).toBe(40);
      expect(await firstByte(validation!, 0)).toBe(50);
    }
  });

  test('patterns and ranges', async () => {
    const [home, root] = [await temporaryFolder(), await temporaryFolder()];
    await writeTree(root, { 'train-09.tar': shard(0, 2), 'train-10.tar': shard(2, 2), 'train-11.tar': shard(4, 2), 'notes.txt': '' }); // prettier-ignore
    const lengthOf = async (name: string): Promise<number> =>
      (await openDataset(name, { home, cwd: root })).train.length;
    expect(await lengthOf('train-{09..11}.tar')).toBe(6);
    expect(await lengthOf(join(root, 'train-{10..11}.tar'))).toBe(4);
    expect(await lengthOf('train-{09,11}.tar')).toBe(4);
    expect(await lengthOf('train-1*.tar')).toBe(4);
    expect(await lengthOf('./train-10.tar')).toBe(2);
    expect((await openDataset('train-{09..11}.tar', { home, cwd: root })).name).toBe('train');
    await expect(lengthOf('train-{09..12}.tar')).rejects.toThrow(`there is no ${join(root, 'train-12.tar')}`);
    await expect(lengthOf('test-*.tar')).rejects.toThrow('test-*.tar: no file matches this pattern');
    await expect(lengthOf('{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}.tar')).rejects.toThrow('100000 shards or more');
    await expect(lengthOf('train-12.tar')).rejects.toThrow('train-12.tar: neither a data set');
  });

  test('an archive beside folders of classes is no shard', async () => {
    const [home, root] = [await temporaryFolder(), await temporaryFolder()];
    await writeTree(root, { 'ants/0.png': image(0), 'bees/0.png': image(1), 'backup.tar': shard(0, 2) });
    expect([...(await openDataset(root, { home })).classes]).toEqual(['ants', 'bees']);
    await mkdir(join(root, 'train'));
    await writeTree(root, { 'train/x/0.png': image(0), 'train/y/0.png': image(0), 'train/x.tar': shard(0, 2) });
    expect([...(await openDataset(join(root, 'train'), { home })).classes]).toEqual(['x', 'y']);
  });
});

test('the index is kept, told while it is made, made anew when a shard changes, and when it is damaged', async () => {
  const [home, root] = [await temporaryFolder(), await temporaryFolder()];
  const path = join(root, 'a.tar');
  await writeFile(path, shardOf([...sample('0', image(1), 0), ...sample('1', image(2), 1)]));
  const told: number[][] = [];
  const open = () => openDataset(root, { home, onIndex: (done, total) => told.push([done, total]) });
  const { train } = await open();
  const { size } = await stat(path);
  expect(told).toEqual([[size, size]]);
  const cache = join(home, 'datasets', 'indexes');
  const kept = await readdir(cache);
  expect(kept.length).toBe(1);
  const again = await open();
  expect([told.length, again.train.hash, [...again.train.labels]]).toEqual([1, train.hash, [...train.labels]]);
  expect(again.train.describe(1)).toBe(train.describe(1));
  expect(await firstByte(again.train, 1)).toBe(20);
  await writeFile(join(cache, kept[0] ?? ''), 'damaged');
  expect([...(await open()).train.labels]).toEqual([0, 1]);
  expect(told.length).toBe(2);
  await utimes(path, 1, 1);
  const changed = await open();
  expect(told.length).toBe(3);
  expect(changed.train.hash).not.toBe(train.hash);
});

describe('archives that are damaged or lie', () => {
  const good = [...sample('0', image(1), 0), ...sample('1', image(2), 1)];
  const bytes = Buffer.concat(good.map(tarEntry));
  test.each([
    ['cut off within a body', bytes.subarray(0, bytes.length - 500), /a\.tar: is cut off: 1\.png would end at byte \d+, the file ends at \d+; copy it again/],
    ['cut off within a header', bytes.subarray(0, 1024 + 100), /a\.tar: is cut off within the header at byte 1024/],
    ['empty', Buffer.alloc(0), /no images in .*a\.tar/],
    ['text', Buffer.alloc(2000, 'hello '), /a\.tar: is no tar file, or damaged: the header at byte 0 has a wrong checksum/],
    ['packed', gzipSync(bytes), /a\.tar: is packed with gzip.*gunzip/],
    ['a size beyond the file', Buffer.concat([tarEntry({ path: 'x.png', size: 2 ** 33, body: 'x' }), TAR_END]), /is cut off: x\.png/],
    ['a damaged header in the middle', Buffer.concat([bytes, Buffer.alloc(512, 1), bytes]), /the header at byte 4096 has a wrong checksum/],
    ['a name of gigabytes', tarEntry({ path: 'x', type: 'ExtendedHeader', size: 2 ** 21, body: Buffer.alloc(2 ** 21) }), /announces a name of 2097152 bytes/],
    ['a label of megabytes', shardOf([{ path: 'x.cls', body: Buffer.alloc(2 ** 20 + 1, 'a') }]), /x\.cls has 1048577 bytes, too many for a label/],
    ['a label of noise', shardOf([{ path: 'x.cls', body: Buffer.from([1, 2, 3]) }]), /x\.cls holds neither the number nor the name of a class/],
    ['JSON that is none', shardOf([{ path: 'x.json', body: '{"label": 1' }]), /a\.tar: x\.json is not JSON/],
  ])('%s', async (_, archive, message) => {
    await expect(openOne(archive)).rejects.toThrow(message);
  }); // prettier-ignore

  test('links, devices and names that lead out are no images and touch nothing; names are safe to print', async () => {
    const { labels, dataset, root } = await openOne([
      { path: '../../outside.cls', body: '0' },
      { path: '../../outside.png', body: image(3) },
      { path: 'l.cls', body: '1' },
      { path: 'l.png', type: 'SymbolicLink', linkpath: '/etc/passwd' },
      { path: 'h.png', type: 'Link', linkpath: '../../outside.png' },
      { path: 'd.png', type: 'BlockDevice' },
      { path: 'f.png', type: 'Directory' },
      ...sample('/etc/\u001b[31m', image(4), 1),
    ]);
    expect(labels).toEqual([0, 1]);
    expect(await firstByte(dataset, 0)).toBe(30);
    expect(dataset.describe(0)).toBe(`${join(root, 'a.tar')}/../../outside.png`);
    expect(dataset.describe(1)).toBe(`${join(root, 'a.tar')}//etc/?[31m.png`);
    expect(await readdir(root)).toEqual(['a.tar']);
  });

  test('a shard that is cut off after it was looked through: its images are skipped and named', async () => {
    const { dataset, root } = await openOne(good);
    await writeFile(join(root, 'a.tar'), bytes.subarray(0, 2000));
    await expect(dataset.readImage(1, 4)).rejects.toThrow('a.tar/1.png: its file');
    const stream = batches(dataset, { indices: allIndices(2), batchSize: 1, imageSize: 4, preprocessing: 'none' });
    const seen: number[] = [];
    for await (const { indices } of stream) seen.push(...indices);
    expect([seen, stream.skipped.map(({ index }) => index)]).toEqual([[0], [1]]);
  });
});

test('an epoch of thousands of images in training order: each once, mixed over the shards, every label its own', async () => {
  const [home, root] = [await temporaryFolder(), await temporaryFolder()];
  const shards = Array.from({ length: 4 }, (_, s) => Array.from({ length: 750 }, (_, i) => sample(`${s}-${i}`, image(s), s)).flat()); // prettier-ignore
  for (const [s, entries] of shards.entries()) await writeFile(join(root, `train-${s}.tar`), shardOf(entries));
  const { train } = await openDataset(root, { home });
  const order = train.order?.(allIndices(3000), 1, 1) ?? new Int32Array(0);
  expect(order).not.toEqual(allIndices(3000));
  const seen = new Set<number>();
  for await (const batch of batches(train, { indices: order, batchSize: 100, imageSize: 1, preprocessing: 'none' })) {
    for (const index of batch.indices) seen.add(index);
    batch.labels.forEach((label, i) => expect(batch.images[3 * i]).toBe(10 * label));
    // The shards are sorted by class, and yet every batch has images of each.
    expect(new Set(batch.labels).size).toBe(4);
  }
  expect(seen.size).toBe(3000);
});

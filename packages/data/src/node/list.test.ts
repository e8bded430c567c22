import { join } from 'node:path';
import { expect, test } from 'vitest';
import { png, realDataset, temporaryFolder, writeTree } from '../testing/files.ts';
import { listImages, openImageList } from './list.ts';

const image = await png([1, 2, 3]);

test('files in the order given, folders searched, other files and doubles left out', async () => {
  const root = await temporaryFolder();
  await writeTree(root, {
    'z.png': image,
    'dir/b.jpg': image,
    'dir/a/c.webp': image,
    'dir/.h.png': image,
    'l.txt': '',
  });
  const at = (name: string) => join(root, name);
  expect(await listImages([at('z.png'), at('l.txt'), at('dir'), at('z.png')])).toEqual({
    images: [at('z.png'), at('dir/a/c.webp'), at('dir/b.jpg')],
    ignored: [at('l.txt')],
  });
});

test('opens as a data set without classes', async () => {
  const root = await temporaryFolder();
  await writeTree(root, { '1.png': image, '2.png': image, 'x.txt': '' });
  const data = await openImageList([root]);
  expect([...data.labels]).toEqual([-1, -1]);
  expect(data.classes).toEqual([]);
  expect(data.notes).toEqual([`ignored 1 file that is not an image (${join(root, 'x.txt')})`]);
  expect([...(await data.readImage(1, 2)).subarray(0, 3)]).toEqual([1, 2, 3]);
});

test('says what is missing', async () => {
  const root = await temporaryFolder();
  await expect(listImages([])).rejects.toThrow('no image files or folders were given');
  await expect(listImages([join(root, 'no.png')])).rejects.toThrow('no.png: does not exist');
  await expect(listImages([root])).rejects.toThrow(`${root}: no images`);
  await writeTree(root, { 'x.txt': '' });
  await expect(listImages([root])).rejects.toThrow('only 1 file that is not an image');
});

const real = realDataset('imagenet-samples');

test.skipIf(!real)(
  '50 photographs of ImageNet (skipped where ../shared/thaw-home or THAW_HOME is absent)',
  async () => {
    const data = await openImageList([real!.path]);
    expect(data.length).toBe(50);
    expect((await data.readImage(49, 224, { resizeShorter: 256 / 224 })).length).toBe(224 * 224 * 3);
  },
);

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import * as tar from 'tar';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DatasetMissingError, HashMismatchError } from '../errors.ts';
import { cifarFiles, temporaryFolder, writeTree } from '../testing/files.ts';
import { CIFAR10, CIFAR100, type CifarFormat } from './cifar.ts';
import { ensureCifar, openCifar10, openCifar100 } from './home.ts';

/** The bytes of a small archive of the published form, and their MD5. */
async function archiveOf(format: CifarFormat, files = cifarFiles(format, 2), folder = format.folder) {
  const root = await temporaryFolder();
  await writeTree(join(root, folder), files);
  await tar.create({ gzip: true, cwd: root, file: join(root, 'x.tar.gz') }, [folder]);
  const bytes = await readFile(join(root, 'x.tar.gz'));
  return { bytes, md5: createHash('md5').update(bytes).digest('hex') };
}

async function serve(bytes: Uint8Array) {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/`, requests: () => requests };
}

describe('ensureCifar', () => {
  test.each([CIFAR10, CIFAR100])('downloads, checks and unpacks $title, once', async (format) => {
    const { bytes, md5 } = await archiveOf(format);
    const server = await serve(bytes);
    const home = join(await temporaryFolder(), 'new');
    const open = format === CIFAR10 ? openCifar10 : openCifar100;
    const data = await open(home, 'train', { url: server.url, md5 });
    expect(data.length).toBe(2 * format.files.train.length);
    expect(await readdir(join(home, 'datasets'))).toEqual([format.folder]);
    await open(home, 'test', { url: server.url, md5 });
    expect(server.requests()).toBe(1);
  });

  test('data that is there is used without network, and nothing is written', async () => {
    const home = await temporaryFolder();
    await writeTree(join(home, 'datasets', CIFAR10.folder), cifarFiles(CIFAR10, 1));
    const before = await readdir(home, { recursive: true });
    expect((await openCifar10(home, 'test', { url: 'http://127.0.0.1:9/' })).length).toBe(1);
    expect(await readdir(home, { recursive: true })).toEqual(before);
  });

  test('an archive that is there is unpacked, into the writable cache, and kept', async () => {
    const { bytes, md5 } = await archiveOf(CIFAR10);
    const [home, cacheHome] = [await temporaryFolder(), await temporaryFolder()];
    await writeTree(home, { 'datasets/cifar-10-binary.tar.gz': bytes });
    const source = { home, cacheHome, md5, download: false };
    const folder = await ensureCifar(CIFAR10, source);
    expect(folder).toBe(join(cacheHome, 'datasets', CIFAR10.folder));
    expect(await readdir(join(home, 'datasets'))).toEqual(['cifar-10-binary.tar.gz']);
    // Found in the cache the second time.
    await writeFile(join(home, 'datasets/cifar-10-binary.tar.gz'), 'broken');
    expect(await ensureCifar(CIFAR10, source)).toBe(folder);
  });

  test('missing and not to be downloaded: says where it looked and how to get it', async () => {
    const home = await temporaryFolder();
    const result = openCifar100(home, 'test', { download: false });
    await expect(result).rejects.toBeInstanceOf(DatasetMissingError);
    await expect(result).rejects.toThrow(
      `CIFAR-100 is not in ${join(home, 'datasets/cifar-100-binary')}; get it with: thaw download cifar100`,
    );
  });

  test('an archive with the wrong hash is not unpacked', async () => {
    const { bytes } = await archiveOf(CIFAR10);
    const home = await temporaryFolder();
    await writeTree(home, { 'datasets/cifar-10-binary.tar.gz': bytes });
    await expect(openCifar10(home, 'test')).rejects.toBeInstanceOf(HashMismatchError);
    expect(existsSync(join(home, 'datasets', CIFAR10.folder))).toBe(false);
  });

  test('a damaged or foreign archive leaves no folder behind', async () => {
    const good = await archiveOf(CIFAR10);
    const cut = good.bytes.subarray(0, good.bytes.length >> 1);
    const foreign = await archiveOf(CIFAR10, { 'readme.txt': 'hello' });
    for (const [bytes, message] of [
      [cut, /cannot be unpacked/],
      [foreign.bytes, /has no cifar-10-batches-bin\/data_batch_1.bin/],
    ] as const) {
      const home = await temporaryFolder();
      await writeTree(home, { 'datasets/cifar-10-binary.tar.gz': bytes });
      const md5 = createHash('md5').update(bytes).digest('hex');
      await expect(openCifar10(home, 'test', { md5 })).rejects.toThrow(message);
      expect(await readdir(join(home, 'datasets'))).toEqual(['cifar-10-binary.tar.gz']);
    }
  });

  test('only the data set is unpacked, whatever else the archive has', async () => {
    const root = await temporaryFolder();
    await writeTree(join(root, CIFAR10.folder), cifarFiles(CIFAR10, 1));
    await writeTree(root, { 'other/evil.txt': 'no' });
    await tar.create({ gzip: true, cwd: root, file: join(root, 'x.tar.gz') }, [CIFAR10.folder, 'other']);
    const bytes = await readFile(join(root, 'x.tar.gz'));
    const home = await temporaryFolder();
    await writeTree(home, { 'datasets/cifar-10-binary.tar.gz': bytes });
    await openCifar10(home, 'test', { md5: createHash('md5').update(bytes).digest('hex') });
    expect((await readdir(join(home, 'datasets'))).sort()).toEqual([CIFAR10.folder, 'cifar-10-binary.tar.gz']);
  });
});

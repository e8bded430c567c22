// Names of images: files, folders, patterns, addresses on a server that misbehaves, standard input, lists.
import { writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { png, realDataset, temporaryFolder, writeTree } from '../testing/files.ts';
import { shardOf } from '../testing/shards.ts';
import { fetchImage } from './fetch-image.ts';
import { listedImages, namedImages } from './inputs.ts';

const image = await png([1, 2, 3]);

async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* parts;
}

async function names(given: readonly string[], cwd: string): Promise<string[]> {
  return (await namedImages(given, { cwd })).images.map(({ name }) => name);
}

test('files in the order given, folders searched, other files and doubles left out', async () => {
  const root = await temporaryFolder();
  const files = { 'z.png': image, 'dir/b.jpg': image, 'dir/a/c.webp': image, 'dir/.h.png': image, 'l.txt': '' };
  await writeTree(root, files);
  const { images, notes } = await namedImages(['z.png', 'l.txt', 'dir', join(root, 'z.png')], { cwd: root });
  expect(images.map(({ name }) => name)).toEqual(
    ['z.png', 'dir/a/c.webp', 'dir/b.jpg'].map((name) => join(root, name)),
  );
  expect(notes).toEqual([`ignored 1 file that is not an image (${join(root, 'l.txt')})`]);
  expect(await images[0]!.read()).toEqual(Buffer.from(image));
});

test('patterns, where there is no such file; folders that match are searched', async () => {
  const root = await temporaryFolder();
  await writeTree(root, { 'a1.png': image, 'a2.png': image, 'b[1].png': image, 'b1.png': image, 'a3/x.png': image, 'n.txt': '' });
  const at = (...found: string[]) => found.map((name) => join(root, name));
  expect(await names(['a*'], root)).toEqual(at('a1.png', 'a2.png', 'a3/x.png'));
  expect(await names(['**/x.png', '[ab]1.png'], root)).toEqual(at('a3/x.png', 'a1.png', 'b1.png'));
  expect(await names(['b[1].png'], root)).toEqual(at('b[1].png'));
  expect(await names([join(root, '{a1,b1}.png')], '/')).toEqual(at('a1.png', 'b1.png'));
  await expect(names(['c*.png'], root)).rejects.toThrow('c*.png: no file matches this pattern');
}); // prettier-ignore

test('says what is missing', async () => {
  const root = await temporaryFolder();
  await expect(names([], root)).rejects.toThrow('no image files or folders were given');
  await expect(names(['no.png'], root)).rejects.toThrow('no.png: does not exist');
  await expect(names(['.'], root)).rejects.toThrow('.: no images');
  await writeTree(root, { 'x.txt': '' });
  await expect(names(['.'], root)).rejects.toThrow('only 1 file that is not an image');
});

test('standard input: one image, or nothing', async () => {
  const [one] = (await namedImages(['-'], { cwd: '/', stdin: chunks(image.subarray(0, 9), image.subarray(9)) })).images;
  expect(one!.name).toBe('-');
  expect(await one!.read()).toEqual(Buffer.from(image));
  const [none] = (await namedImages(['-'], { cwd: '/' })).images;
  await expect(none!.read()).rejects.toThrow('-: nothing came on standard input');
});

test('a list of names, in pieces, with empty lines and line ends of Windows', async () => {
  const found: string[] = [];
  for await (const { name } of listedImages(chunks('a.p', 'ng\r\n\n/x/b b.jpg\nhttps://e.org/c', '.png'), { cwd: '/w' })) found.push(name); // prettier-ignore
  expect(found).toEqual(['/w/a.png', '/x/b b.jpg', 'https://e.org/c.png']);
  const itself = listedImages(chunks('-\n'), { cwd: '/' });
  await expect(itself.next()).rejects.toThrow('a list of images cannot name standard input');
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('an address: redirected, whatever it calls itself', async () => {
  const at = await serve((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/image' }).end();
    else response.writeHead(200, { 'content-type': 'text/html' }).end(image);
  });
  const { images } = await namedImages([`${at}/moved`], { cwd: '/' });
  expect(images[0]!.name).toBe(`${at}/moved`);
  expect(await images[0]!.read()).toEqual(Buffer.from(image));
});

test.each<[string, RequestListener, string]>([
  ['answers an error', (_, response) => response.writeHead(404).end(), 'the server answers 404 Not Found'],
  ['says that it is too large', (_, response) => response.writeHead(200, { 'content-length': 5000 }).write('x'), 'is larger than 0.0009765625 MiB'],
  ['is too large and does not say so', (_, response) => response.end('x'.repeat(5000)), 'is larger than'],
  ['stalls', (_, response) => response.writeHead(200).write('x'), 'did not arrive within 0.3 s'],
  ['breaks off', (_, response) => response.writeHead(200, { 'content-length': 100 }).write('x', () => response.destroy()), 'cannot be reached'],
])('a server that %s', async (_, answer, why) => {
  const address = await serve(answer);
  await expect(fetchImage(address, { maxBytes: 1024, timeoutMs: 300 })).rejects.toThrow(`${address}: ${why}`);
}); // prettier-ignore

test('a server that is not there, an address that is none, a request that is given up', async () => {
  await expect(fetchImage('http://127.0.0.1:1/a.png')).rejects.toThrow('http://127.0.0.1:1/a.png: cannot be reached: ');
  await expect(fetchImage('http://')).rejects.toThrow('http://: is not an address');
  const address = await serve(() => undefined);
  await expect(fetchImage(address, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
});

const real = realDataset('imagenet-samples');

test.skipIf(!real)(
  '50 photographs of ImageNet (skipped where ../shared/thaw-home or THAW_HOME is absent)',
  async () => {
    expect(await names([real!.path], '/')).toHaveLength(50);
  },
);

test('a tar shard is its images, one of them that was cut off is named', async () => {
  const root = await temporaryFolder();
  const path = join(root, 'a.tar');
  await writeFile(path, shardOf([{ path: 'x/0.png', body: image }, { path: 'x/1.png', body: image }])); // prettier-ignore
  const { images } = await namedImages(['*.tar'], { cwd: root });
  expect(images.map(({ name }) => name)).toEqual([`${path}/x/0.png`, `${path}/x/1.png`]);
  expect(Buffer.from((await images[1]?.read()) ?? []).equals(Buffer.from(image))).toBe(true);
  await writeFile(path, 'no archive');
  await expect(namedImages(['a.tar'], { cwd: root })).rejects.toThrow(
    `${path}: is cut off within the header at byte 0`,
  );
});

// Hostile data sets: archives, CIFAR, images, tables, Parquet files, configurations of runs.
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CommandError } from '../errors.ts';
import { readRunConfig } from '../runs/folder.ts';
import { DataError } from '../../../data/src/errors.ts';
import { allIndices } from '../../../data/src/sampling.ts';
import { unpack } from '../../../data/src/node/archive.ts';
import { CIFAR10, CIFAR100, readCifar } from '../../../data/src/node/cifar.ts';
import { openTable, readTable } from '../../../data/src/node/csv.ts';
import { decodeImage } from '../../../data/src/node/decode.ts';
import { openParquet } from '../../../data/src/node/parquet.ts';
import { openShards } from '../../../data/src/node/shards/open-shards.ts';
import { cifarFiles, png } from '../../../data/src/testing/files.ts';
import { parquetFile } from '../../../data/src/testing/parquet.ts';
import { sample, shardOf } from '../../../data/src/testing/shards.ts';
import { damaged, FUZZ_TIMEOUT, survives } from './cases.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'thaw-fuzz-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly link: string;
  readonly body: string;
  /** Instead of the body's. */
  readonly size: string;
}

/** A header of ustar with its checksum, and the body. */
function tarEntry({ name, type, link, body, size }: Entry): Buffer {
  const header = Buffer.alloc(512);
  header.write(name.slice(0, 100), 0, 'latin1');
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100, 'latin1');
  header.write(size.padStart(11, '0').slice(0, 12), 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write(type, 156, 'latin1');
  header.write(link.slice(0, 100), 157, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((a, b) => a + b, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const padded = Buffer.alloc(Math.ceil(body.length / 512) * 512);
  padded.write(body, 'latin1');
  return Buffer.concat([header, padded]);
}
const file = (name: string, body: string): Entry => ({
  name,
  type: '0',
  link: '',
  body,
  size: body.length.toString(8),
});
const tarOf = (entries: readonly Entry[]): Buffer => Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)]);
/** Two samples, of what is no image. */
const LABELLED = ['ants', 'bees'].flatMap((label) => [file(`${label}.cls`, label), file(`${label}.png`, 'none')]);
const WANTED = [file('set/a.bin', 'aaaa'), file('set/names.txt', 'one\ntwo\n')];

/** Unpacks beside a file that must stay as it is, and looks at everything that there is afterwards. */
async function unpackBeside(archive: Buffer): Promise<void> {
  const root = await mkdtemp(join(folder, 'tar-'));
  try {
    await writeFile(join(root, 'outside'), 'untouched');
    await mkdir(join(root, 'datasets'));
    const path = join(root, 'archive.tar.gz');
    await writeFile(path, archive);
    try {
      await unpack(path, 'set', join(root, 'datasets', 'set'), ['a.bin', 'names.txt']);
    } finally {
      expect(await readFile(join(root, 'outside'), 'utf8')).toBe('untouched');
      expect((await readdir(root)).sort()).toEqual(['archive.tar.gz', 'datasets', 'outside']);
      expect((await readdir(join(root, 'datasets'))).filter((name) => name !== 'set')).toEqual([]);
      for (const entry of await readdir(join(root, 'datasets'), { recursive: true })) {
        const found = await lstat(join(root, 'datasets', entry));
        expect(found.isFile() || found.isDirectory(), entry).toBe(true);
        expect(found.isDirectory() || found.nlink === 1, entry).toBe(true);
      }
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

test('tar: entries that lead out, links, devices, sizes that lie', { timeout: 2 * FUZZ_TIMEOUT }, async () => {
  const paths = ['set/a.bin', 'set/../../outside', '../../outside', '../outside', '/tmp/thaw-fuzz-outside', 'set/../../../outside', 'set/sub', 'set/sub/a', 'set', 'set/', './set/a.bin', 'set/\0x', 'C:\\outside', 'set/..\\..\\outside', '']; // prettier-ignore
  const entry: fc.Arbitrary<Entry> = fc.record({
    name: fc.oneof(fc.constantFrom(...paths), fc.string({ maxLength: 20 }).map((text) => `set/${text}`)), // prettier-ignore
    // Files, hard and symbolic links, devices, folders, fifos, extended headers, long names, and what nobody knows.
    type: fc.constantFrom(
      '0',
      '0',
      '0',
      '\0',
      '1',
      '2',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      'x',
      'g',
      'L',
      'K',
      'D',
      'S',
      '?',
    ),
    link: fc.constantFrom(...paths, '..', '/etc/passwd', '/tmp'),
    body: fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom(...paths, '26 path=../../../outside\n', '30 linkpath=/tmp/thaw-outside\n')), // prettier-ignore
    size: fc.oneof(fc.constant(''), fc.constantFrom('0', '77777777777', '10', '-1', '\x80\0\0\0\0\0\0\0\x7f\xff\xff\xff')), // prettier-ignore
  });
  const honest = entry.map((one) => (one.size === '' ? { ...one, size: one.body.length.toString(8) } : one));
  const archive = fc
    .tuple(fc.array(honest, { maxLength: 5 }), fc.boolean())
    .map(([entries, isFirst]) => gzipSync(tarOf(isFirst ? [...entries, ...WANTED] : [...WANTED, ...entries])));
  await survives(archive, unpackBeside, [DataError], 'archive.tar.gz');
});

test('tar, byte by byte, packed and unpacked', { timeout: 2 * FUZZ_TIMEOUT }, async () => {
  const tar = tarOf(WANTED);
  await survives(damaged([tar, gzipSync(tar)]), unpackBeside, [DataError], 'archive.tar.gz');
});

test.each([CIFAR10, CIFAR100])('$title', { timeout: FUZZ_TIMEOUT }, async (format) => {
  const root = join(folder, format.id);
  await mkdir(root);
  const valid = Object.entries(cifarFiles(format, 2));
  const cases = fc
    .constantFrom(...valid)
    .chain(([name, bytes]) =>
      damaged([Buffer.from(bytes)]).map((changed) => ({ name, changed, length: changed.length })),
    );
  const parse = async ({ name, changed }: { name: string; changed: Buffer }): Promise<void> => {
    for (const [other, bytes] of valid) await writeFile(join(root, other), other === name ? changed : bytes);
    for (const split of ['train', 'test'] as const) {
      const data = await readCifar(root, format, split);
      expect([...data.labels].every((label) => label >= 0 && label < data.classes.length)).toBe(true);
      await data.readImage(data.length - 1, 32);
    }
  };
  await survives(cases, parse, [DataError], root);
});

test('images of every format', { timeout: 3 * FUZZ_TIMEOUT }, async () => {
  const drawn = sharp(Buffer.from(await png([200, 40, 90], 24, 16)));
  const valid = await Promise.all([
    drawn.clone().jpeg().toBuffer(),
    drawn.clone().jpeg({ progressive: true }).toBuffer(),
    drawn.clone().png().toBuffer(),
    drawn.clone().png({ progressive: true }).toBuffer(),
    drawn.clone().webp().toBuffer(),
    drawn.clone().gif().toBuffer(),
    drawn.clone().tiff({ compression: 'lzw' }).toBuffer(),
    drawn.clone().avif({ effort: 0 }).toBuffer(),
  ]);
  const parse = async (bytes: Buffer): Promise<void> => {
    expect((await decodeImage(bytes, 'x.jpg', 16)).length).toBe(16 * 16 * 3);
  };
  await survives(damaged(valid), parse, [DataError], 'x.jpg');
});

test('tables of paths and labels', { timeout: FUZZ_TIMEOUT }, async () => {
  const path = join(folder, 'table.csv');
  const valid = ['path,label\na.jpg,cat\nb.jpg,dog\n', 'file;class;split\na.png;1;train\n"b;""c"".png";2;test\n', 'a.jpg\tcat\nb.jpg\tdog\n'].map((text) => Buffer.from(text)); // prettier-ignore
  const parse = async (bytes: Buffer): Promise<void> => {
    await writeFile(path, bytes);
    const data = await openTable(path, await readTable(path), 'train');
    expect([...data.labels].every((label) => label >= 0 && label < data.classes.length)).toBe(true);
  };
  await survives(damaged(valid), parse, [DataError], 'table.csv');
});

test('Parquet files', { timeout: 3 * FUZZ_TIMEOUT }, async () => {
  const images = await Promise.all([0, 1, 2].map((i) => png([80 * i, 0, 0])));
  const valid = [
    parquetFile({ images, labels: [0, 1, 0], names: ['cat', 'dog'] }),
    parquetFile({ images, labels: [0, 1, 1], names: ['cat', 'dog'], rowGroupSize: 1 }),
  ].map((bytes) => Buffer.from(bytes));
  const path = join(folder, 'train.parquet');
  const cache = join(folder, 'unpacked');
  const parse = async (bytes: Buffer): Promise<void> => {
    await writeFile(path, bytes);
    await rm(cache, { recursive: true, force: true });
    const data = await openParquet({ train: [path] }, { name: 'train.parquet', split: 'train', cache });
    for (let i = 0; i < data.length; i++) await data.readImage(i, 4);
  };
  // The footer is at the end.
  const reversed = damaged(valid.map((bytes) => Buffer.from(bytes).reverse())).map((bytes) => Buffer.from(bytes).reverse()); // prettier-ignore
  await survives(fc.oneof(damaged(valid), reversed), parse, [DataError], 'train.parquet');
});

/** Looks through a shard and reads what is in it. */
async function parseShard(bytes: Buffer): Promise<void> {
  const [path, cache] = [join(folder, 'train.tar'), join(folder, 'indexes')];
  await writeFile(path, bytes);
  await rm(cache, { recursive: true, force: true });
  const data = await openShards({ train: [path] }, { name: 'train.tar', split: 'train', cache });
  expect([...data.labels].every((label) => label >= 0 && label < data.classes.length)).toBe(true);
  const order = data.order(allIndices(data.length), 1, 1);
  expect([...order].sort((a, b) => a - b)).toEqual([...allIndices(data.length)]);
  const pass = data.readAhead(order);
  const read = await Promise.allSettled(Array.from(order, (_, position) => pass.readImage(position, 4)));
  for (const one of read) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(DataError);
}

test('tar shards, byte by byte', { timeout: 2 * FUZZ_TIMEOUT }, async () => {
  const images = await Promise.all([0, 1, 2].map((i) => png([80 * i, 0, 0])));
  const valid = [
    shardOf(images.flatMap((image, i) => sample(`a/${i}`, image, i % 2))),
    shardOf([
      { path: 'x', type: 'ExtendedHeader', body: '20 path=folder/0.png\n' },
      ...images.flatMap((image, i) => [{ path: `${i}.png`, body: image }, { path: `${i}.json`, body: `{"label":"${'ab'[i % 2]}"}` }]),
    ]),
  ]; // prettier-ignore
  for (const bytes of valid) await parseShard(bytes);
  await survives(damaged(valid), parseShard, [DataError], 'train.tar');
});

test('tar shards whose headers say anything', { timeout: 2 * FUZZ_TIMEOUT }, async () => {
  const entry: fc.Arbitrary<Entry> = fc.record({
    name: fc.oneof(fc.constantFrom('0.png', '0.cls', '0.json', '1.png', '../0.png', '/etc/0.cls', '.png', 'a/.cls', '0.', '__proto__.cls', ''), fc.string({ maxLength: 20 })),
    type: fc.constantFrom('0', '0', '0', '\0', '1', '2', '3', '5', '7', 'x', 'g', 'L', 'K', 'N', 'X', 'D', 'S', '?'),
    link: fc.constantFrom('', '../../outside', '/etc/passwd'),
    body: fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom('0', '-1', '007', '1e99', 'cat', '__proto__', '{"cls":0}', '{"label":"__proto__"}', '[]', 'null', '21 path=../../x.png\n', '12 size=-4\n', '20 size=99999999999\n', '12 size=0.5\n')),
    size: fc.oneof(fc.constant(''), fc.constantFrom('0', '77777777777', '10', '-1', '\x80\0\0\0\0\0\0\0\x7f\xff\xff\xff', '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff')),
  }); // prettier-ignore
  const honest = entry.map((one) => (one.size === '' ? { ...one, size: one.body.length.toString(8) } : one));
  const archive = fc
    .tuple(fc.array(honest, { maxLength: 8 }), fc.boolean())
    .map(([entries, isFirst]) => tarOf(isFirst ? [...entries, ...LABELLED] : [...LABELLED, ...entries]));
  await survives(archive, parseShard, [DataError], 'train.tar');
});

const config = {
  thaw: '0.1.0', created: '2026-11-26', command: 'thaw train', preset: 'custom', settings: { epochs: 2, data: 'x' },
  data: { name: 'x', classes: ['a', 'b'], train: 4, validation: 1, test: 0 },
  weights: { source: 'random', hash: 'h' },
  network: { thaw: 'none', batchNorm: 'keras', imageSize: 32, head: 'linear', seed: 1, precision: 'float32' },
  device: { backend: 'cpu', name: 'JavaScript', driver: 'd', isSoftware: true },
  versions: { thaw: '0.1.0' },
}; // prettier-ignore

test('config.json of a run', { timeout: FUZZ_TIMEOUT }, async () => {
  const parse = async (text: Buffer | string): Promise<void> => {
    await writeFile(join(folder, 'config.json'), text);
    const read = await readRunConfig(folder);
    expect(read.data.classes.length).toBeGreaterThanOrEqual(2);
  };
  const paths = Object.entries(config).flatMap(([name, value]) => [[name], ...(typeof value === 'object' ? Object.keys(value).map((key) => [name, key]) : [])]); // prettier-ignore
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 1e300, null, '', [], {}, '__proto__'));
  const structured = fc.tuple(fc.constantFrom(...paths), odd).map(([[name = '', key], value]) => {
    const copy: Record<string, unknown> = structuredClone(config);
    if (key === undefined) copy[name] = value;
    else (copy[name] as Record<string, unknown>)[key] = value;
    return Buffer.from(JSON.stringify(copy));
  });
  const valid = Buffer.from(JSON.stringify(config));
  await parse(valid);
  await survives(fc.oneof(damaged([valid]), structured), parse, [CommandError], folder);
});

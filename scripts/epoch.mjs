// Reads an epoch of a large data set in training order and prints the memory that it takes, a JSON line every tenth. The data set
// is made first, of 64 JPEG images of noise under new names, and deleted afterwards.
//   node scripts/epoch.mjs [--kind shards|parquet|folder] [--images 1000000] [--side 32] [--batch-size 32] [--folder /tmp/...]
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { inRoot } from './lib/paths.mjs';

const require = createRequire(inRoot('packages', 'data', 'package.json'));
const { batches, openDataset } = await import(pathToFileURL(inRoot('packages', 'data', 'dist', 'node.js')).href);
/** A dependency of @thaw/data. @param {string} name */
const ofData = (name) => import(pathToFileURL(require.resolve(name)).href);
const { values: given } = parseArgs({
  options: {
    kind: { type: 'string', default: 'shards' },
    images: { type: 'string', default: '1000000' },
    side: { type: 'string', default: '32' },
    'batch-size': { type: 'string', default: '32' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const images = Number(given.images);
const side = Number(given.side);
const CLASSES = 10;
/** Images of a shard, a Parquet file or a folder. */
const TOGETHER = 10_000;

const root = await mkdtemp(join(given.folder, 'thaw-epoch-'));
try {
  const data = join(root, 'data');
  await mkdir(data);
  const made = performance.now();
  const pictures = await draw();
  /** @type {Record<string, (folder: string, pictures: Buffer[]) => Promise<number>>} */
  const makers = { shards: makeShards, parquet: makeParquet, folder: makeFolder };
  const make = makers[given.kind];
  if (!make) throw new Error(`--kind ${given.kind}: give shards, parquet or folder`);
  const bytes = await make(data, pictures);
  report({ kind: given.kind, images, side, made: seconds(made), bytes });
  await epoch(data, join(root, 'home'));
} finally {
  await rm(root, { recursive: true, force: true });
}

/** @param {string} data @param {string} home */
async function epoch(data, home) {
  let start = performance.now();
  await openDataset(data, { home });
  report({ opened: seconds(start), ...memory() });
  start = performance.now();
  const { train } = await openDataset(data, { home });
  report({ openedAgain: seconds(start), ...memory() });
  const all = Int32Array.from({ length: train.length }, (_, i) => i);
  start = performance.now();
  const order = train.order?.(all, 1, 1) ?? shuffled(all);
  report({ ordered: seconds(start), ...memory() });
  const seen = new Uint8Array(train.length);
  const every = Math.max(1, Math.floor(images / 10));
  let [done, wrong, most] = [0, 0, 0];
  start = performance.now();
  const options = {
    indices: order,
    batchSize: Number(given['batch-size']),
    imageSize: side,
    preprocessing: 'tf-official',
  };
  for await (const batch of batches(train, options)) {
    for (const [i, index] of batch.indices.entries()) {
      seen[index] = (seen[index] ?? 0) + 1;
      if (batch.labels[i] !== train.labels[index]) wrong++;
    }
    const before = done;
    done += batch.size;
    most = Math.max(most, process.memoryUsage().rss);
    if (Math.floor(done / every) > Math.floor(before / every))
      report({ read: done, seconds: seconds(start), ...memory() });
  }
  const once = seen.every((count) => count === 1);
  report({ read: done, seconds: seconds(start), once, wrong, mostMiB: Math.round(most / 2 ** 20) });
  if (!once || wrong > 0) process.exitCode = 1;
}

async function draw() {
  const { default: sharp } = await ofData('sharp');
  const one = () =>
    sharp({
      create: {
        width: side,
        height: side,
        channels: 3,
        background: '#000',
        noise: { type: 'gaussian', mean: 128, sigma: 30 },
      },
    })
      .jpeg()
      .toBuffer();
  return Promise.all(Array.from({ length: 64 }, one));
}

/** @param {string} folder @param {Buffer[]} pictures */
async function makeShards(folder, pictures) {
  const { Header } = (await ofData('tar')).default;
  /** @param {string} path @param {Buffer} body */
  const entry = (path, body) => {
    const block = Buffer.alloc(512);
    new Header({ path, type: 'File', mode: 0o644, size: body.length, mtime: new Date(0) }).encode(block, 0);
    return [block, body, Buffer.alloc(-body.length & 511)];
  };
  let bytes = 0;
  for (let first = 0; first < images; first += TOGETHER) {
    const parts = [];
    for (let i = first; i < Math.min(first + TOGETHER, images); i++) {
      const key = String(i).padStart(9, '0');
      parts.push(
        ...entry(`${key}.cls`, Buffer.from(String(i % CLASSES))),
        ...entry(`${key}.jpg`, pictureOf(pictures, i)),
      );
    }
    const shard = Buffer.concat([...parts, Buffer.alloc(1024)]);
    bytes += shard.length;
    await writeFile(join(folder, `train-${String(first / TOGETHER).padStart(6, '0')}.tar`), shard);
  }
  return bytes;
}

/** @param {string} folder @param {Buffer[]} pictures */
async function makeParquet(folder, pictures) {
  const { parquetWriteBuffer } = await ofData('hyparquet-writer');
  let bytes = 0;
  for (let first = 0; first < images; first += TOGETHER) {
    const rows = Array.from({ length: Math.min(TOGETHER, images - first) }, (_, i) => first + i);
    const file = parquetWriteBuffer({
      columnData: [
        { name: 'image', data: rows.map((i) => new Uint8Array(pictureOf(pictures, i))), type: 'BYTE_ARRAY' },
        { name: 'label', data: rows.map((i) => BigInt(i % CLASSES)), type: 'INT64' },
      ],
      rowGroupSize: 1000,
    });
    bytes += file.byteLength;
    await writeFile(join(folder, `train-${String(first / TOGETHER).padStart(6, '0')}.parquet`), new Uint8Array(file));
  }
  return bytes;
}

/** @param {string} folder @param {Buffer[]} pictures */
async function makeFolder(folder, pictures) {
  let bytes = 0;
  for (let label = 0; label < CLASSES; label++) {
    await mkdir(join(folder, `class-${label}`));
    for (let i = label; i < images; i += CLASSES) {
      const picture = pictureOf(pictures, i);
      bytes += picture.length;
      await writeFile(join(folder, `class-${label}`, `${String(i).padStart(9, '0')}.jpg`), picture);
    }
  }
  return bytes;
}

/** What training does where a data set has no order of its own. @param {Int32Array} values */
function shuffled(values) {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [values[i], values[j]] = [values[j] ?? 0, values[i] ?? 0];
  }
  return values;
}

/** @param {Buffer[]} pictures @param {number} i */
function pictureOf(pictures, i) {
  return pictures[i % pictures.length] ?? Buffer.alloc(0);
}

/** In MiB. */
function memory() {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return Object.fromEntries(
    Object.entries({ rss, heapUsed, arrayBuffers }).map(([name, value]) => [name, Math.round(value / 2 ** 20)]),
  );
}

/** @param {number} start */
function seconds(start) {
  return Math.round((performance.now() - start) / 10) / 100;
}

/** @param {object} line */
function report(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

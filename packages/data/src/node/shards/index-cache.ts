// Indexes of shards, kept: looking through a million headers takes a minute, reading what was found takes none.

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { DataError } from '../../errors.ts';
import { CompactTexts } from '../compact-texts.ts';
import { makeWritable } from '../download.ts';
import { explain } from '../paths.ts';
import { writeWhole } from '../write-whole.ts';
import { indexShards, type IndexOptions, type ShardIndex } from './shard-index.ts';

/** Of the index: another one reads none of the files of this. */
const VERSION = 1;
const DIGEST_BYTES = 32;

/** A shard as it lies on the disk. */
export interface Shard {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** @throws DataError where one is missing or no file */
export async function statShards(paths: readonly string[]): Promise<Shard[]> {
  return Promise.all(
    paths.map(async (path) => {
      const found = await stat(path).catch((error: unknown) => {
        throw new DataError(`${path}: the shard ${explain(error)}`, { cause: error });
      });
      if (!found.isFile()) throw new DataError(`${path}: is a folder, not a tar file`);
      return { path, size: found.size, mtimeMs: found.mtimeMs };
    }),
  );
}

/** The index of shards, from `folder` where these were looked through before and have not changed since. */
export async function cachedIndex(
  shards: readonly Shard[],
  folder: string,
  options: IndexOptions = {},
): Promise<ShardIndex> {
  const facts = shards.map(({ path, size, mtimeMs }) => [resolve(path), size, mtimeMs]);
  const key = createHash('sha256')
    .update(JSON.stringify([VERSION, facts]))
    .digest('hex')
    .slice(0, 32);
  const file = join(folder, `${key}.index`);
  const kept = await readIndex(file);
  if (kept) return kept;
  await makeWritable(folder);
  const index = await indexShards(shards, options);
  const { names, ...rest } = index;
  const bytes = serialize({ ...rest, names: { bytes: names.bytes, ends: names.ends } });
  try {
    await writeWhole(file, Buffer.concat([digest(bytes), bytes]));
  } catch (error) {
    throw new DataError(`${file}: the file ${explain(error)}; it would hold the index of the shards`, { cause: error });
  }
  return index;
}

/** Undefined where there is none, or it is damaged. */
async function readIndex(file: string): Promise<ShardIndex | undefined> {
  const bytes = await readFile(file).catch(() => undefined);
  if (!bytes || !digest(bytes.subarray(DIGEST_BYTES)).equals(bytes.subarray(0, DIGEST_BYTES))) return undefined;
  // The digest says that it is what was written above.
  const { names, ...rest } = deserialize(bytes.subarray(DIGEST_BYTES)) as Omit<ShardIndex, 'names'> & {
    names: { bytes: Uint8Array; ends: Float64Array };
  };
  return { ...rest, names: new CompactTexts(names.bytes, names.ends) };
}

const digest = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

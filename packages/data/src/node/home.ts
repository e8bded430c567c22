// Where CIFAR lies: <home>/datasets/<folder>; used from there, else unpacked from its archive, else downloaded.

import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatasetMissingError } from '../errors.ts';
import { unpack } from './archive.ts';
import { CIFAR10, CIFAR100, readCifar, type CifarDataset, type CifarFormat, type CifarReadOptions } from './cifar.ts';
import { download, makeWritable, type DownloadOptions } from './download.ts';
import { checkHash } from './hash.ts';
import { withLock } from './lock.ts';
import { statOrNull } from './paths.ts';

/** Where CIFAR is looked for, and whether it may be fetched. */
export interface CifarSource {
  /** The data folder (THAW_HOME). May be read-only where the data is in it. */
  readonly home: string;
  /** Looked into after `home`, and where missing data is put; default `home`. */
  readonly cacheHome?: string | undefined;
  /** Fetches what is missing; default true. */
  readonly download?: boolean | undefined;
  /** A mirror of the archive. */
  readonly url?: string | undefined;
  /** MD5 of the archive, where it is not the published one. */
  readonly md5?: string | undefined;
  /** Called as bytes of a download arrive. */
  readonly onProgress?: DownloadOptions['onProgress'];
  /** Stops a download. */
  readonly signal?: AbortSignal | undefined;
}

/** Which labels are read, and where missing data comes from. */
export type CifarOptions = CifarReadOptions & Partial<Omit<CifarSource, 'home'>>;

/**
 * The folder with the unpacked files, which is made where it is missing.
 * @throws DatasetMissingError where it is missing and may not be downloaded
 */
export async function ensureCifar(format: CifarFormat, source: CifarSource): Promise<string> {
  const homes = [...new Set([source.home, source.cacheHome ?? source.home])];
  const datasets = homes.map((home) => join(home, 'datasets'));
  for (const folder of datasets) {
    const there = join(folder, format.folder);
    if (await statOrNull(there)) return there;
  }
  const target = join(source.cacheHome ?? source.home, 'datasets', format.folder);
  const required = [...format.files.train, ...format.files.test, ...format.labels.map((label) => label.names)];
  const md5 = source.md5 ?? format.md5;
  const archiveName = basename(new URL(format.url).pathname);
  for (const folder of datasets) {
    const archive = join(folder, archiveName);
    if (!(await statOrNull(archive))) continue;
    await checkHash(archive, { md5 }, 'delete the file and download it again', source.signal);
    await unpack(archive, format.folder, target, required);
    return target;
  }
  if (source.download === false) {
    throw new DatasetMissingError(
      `${format.title} is not in ${datasets.map((folder) => join(folder, format.folder)).join(' or ')}; ` +
        `get it with: thaw download ${format.id}`,
    );
  }
  const archive = join(source.cacheHome ?? source.home, 'datasets', archiveName);
  const { onProgress, signal } = source;
  const fetchAndUnpack = async (): Promise<void> => {
    if (await statOrNull(target)) return; // by another process, meanwhile
    await download(source.url ?? format.url, archive, { md5, onProgress, signal });
    await unpack(archive, format.folder, target, required);
    await rm(archive, { force: true });
  };
  await makeWritable(dirname(target));
  await withLock(`${target}.lock`, `getting ${format.title}`, fetchAndUnpack, { signal });
  return target;
}

/** CIFAR-10 from `<home>/datasets/cifar-10-batches-bin`, downloaded (170 MB) where it is missing. */
export async function openCifar10(
  home: string,
  split: 'train' | 'test',
  options: CifarOptions = {},
): Promise<CifarDataset> {
  return readCifar(await ensureCifar(CIFAR10, { ...options, home }), CIFAR10, split, options);
}

/** CIFAR-100 from `<home>/datasets/cifar-100-binary`, downloaded (161 MB) where it is missing. */
export async function openCifar100(
  home: string,
  split: 'train' | 'test',
  options: CifarOptions = {},
): Promise<CifarDataset> {
  return readCifar(await ensureCifar(CIFAR100, { ...options, home }), CIFAR100, split, options);
}

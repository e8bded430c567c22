// Image folders: a folder for each class, either right inside or under train/, val/ and test/.

import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DataError } from '../errors.ts';
import { listed } from './class-names.ts';
import { CompactTextsBuilder } from './compact-texts.ts';
import { FileDataset } from './file-dataset.ts';
import { explain, statOrNull, visibleEntries } from './paths.ts';
import { describeIgnored, findImages } from './walk.ts';
import { isImageName } from './decode.ts';
import { SPLIT_NAMES, type SplitName } from './split-names.ts';

/** Which part of a folder is opened, and of which classes. */
export interface ImageFolderOptions {
  /** Which of the folder's splits; leave it out where the class folders lie right inside. */
  readonly split?: SplitName | undefined;
  /**
   * The classes and their order, of a model that exists. A class folder that is not among them is an error, a class
   * without a folder is noted. Default: the folders' names in code-unit order, at least two.
   */
  readonly classes?: readonly string[] | undefined;
}

/** The split folders of `path`, or null where its folders are classes. */
export async function findSplits(path: string): Promise<Partial<Record<SplitName, string>> | null> {
  const found: Partial<Record<SplitName, string>> = {};
  const folders = await subfolders(path);
  for (const split of ['train', 'val', 'test'] as const) {
    const named = folders.filter((name) => SPLIT_NAMES[split].includes(name.toLowerCase()));
    // A class may be called "train": a split's folder has folders in it.
    const matches: string[] = [];
    for (const name of named) if ((await subfolders(join(path, name))).length > 0) matches.push(name);
    if (matches.length > 1) {
      throw new DataError(`${path}: both ${matches.join(' and ')} could be the ${split} split; rename one of them`);
    }
    if (matches[0] !== undefined) found[split] = matches[0];
  }
  return Object.keys(found).length > 0 ? found : null;
}

/**
 * Opens a folder of images by class. Nothing is decoded here.
 * @throws DataError where the folder cannot be read, has no images, an empty class, or fewer than two classes
 */
export async function openImageFolder(path: string, options: ImageFolderOptions = {}): Promise<FileDataset> {
  await checkFolder(path);
  const splits = await findSplits(path);
  if (!options.split) {
    if (splits) {
      const names = Object.values(splits).join(', ');
      throw new DataError(`${path}: is divided into ${names}; open one of these splits, not the whole`);
    }
    return openClassFolders(path, basename(resolve(path)), options.classes);
  }
  const folder = splits?.[options.split];
  if (folder === undefined) {
    const wanted = SPLIT_NAMES[options.split].map((name) => `${name}/`).join(' or ');
    const there = splits ? `it has ${Object.values(splits).join(', ')}` : 'its folders are not splits';
    throw new DataError(`${path}: has no ${wanted} with class folders inside; ${there}`);
  }
  return openClassFolders(join(path, folder), `${basename(resolve(path))} ${options.split}`, options.classes);
}

async function openClassFolders(path: string, name: string, given?: readonly string[]): Promise<FileDataset> {
  const folders = await subfolders(path);
  if (folders.length === 0) throw new DataError(await noClasses(path));
  const classes = given ?? folders;
  const unknown = folders.find((folder) => !classes.includes(folder));
  if (unknown !== undefined) {
    throw new DataError(`${join(path, unknown)}: ${unknown} is not one of the classes ${listed(classes)}`);
  }
  const files = new CompactTextsBuilder();
  const labels: number[] = [];
  const notes: string[] = [];
  const ignored: string[] = await looseFiles(path);
  for (const folder of folders) {
    const found = await findImages(join(path, folder), path);
    if (found.images.length === 0) {
      const others = found.ignored.length > 0 ? `, only ${describeIgnored(found.ignored)}` : '';
      throw new DataError(
        `${join(path, folder)}: the class folder has no images${others}; put images in it or remove the folder`,
      );
    }
    const label = classes.indexOf(folder);
    for (const image of found.images) {
      files.push(`${folder}/${image}`);
      labels.push(label);
    }
    for (const file of found.ignored) ignored.push(`${folder}/${file}`);
  }
  if (!given && folders.length === 1) {
    throw new DataError(
      `${path}: only one class folder, ${folders[0]}; a classifier needs at least two. ` +
        `If ${folders[0]} contains the class folders, name it instead: ${join(path, folders[0] ?? '')}`,
    );
  }
  const missing = classes.filter((name) => !folders.includes(name));
  if (missing.length > 0) notes.push(`no images of ${listed(missing)}`);
  const loose = ignored.filter((file) => !file.includes('/') && isImageName(file));
  const others = ignored.filter((file) => !loose.includes(file));
  if (loose.length > 0) notes.push(`ignored ${loose.length} images outside the class folders (${loose[0]}, ...)`);
  if (others.length > 0) notes.push(`ignored ${describeIgnored(others)}`);
  return FileDataset.create({
    name,
    classes,
    root: path,
    files: files.build(),
    labels: Int32Array.from(labels),
    notes,
  });
}

async function noClasses(path: string): Promise<string> {
  const images = (await looseFiles(path)).filter((file) => isImageName(file));
  if (images.length === 0) return `${path}: the folder has no images and no class folders`;
  return (
    `${path}: has ${images.length} images but no class folders; to train or evaluate, sort them into a folder for ` +
    'each class; to have them named, use thaw predict'
  );
}

/** @throws DataError where `path` is not a folder that can be read */
export async function checkFolder(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    throw new DataError(`${path}: the folder ${explain(error)}`, { cause: error });
  });
  if (!found.isDirectory()) throw new DataError(`${path}: is a file, not a folder of images`);
  await visibleEntries(path);
}

async function subfolders(path: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await visibleEntries(path)) {
    const isFolder = entry.isSymbolicLink()
      ? ((await statOrNull(join(path, entry.name)))?.isDirectory() ?? false)
      : entry.isDirectory();
    if (isFolder) names.push(entry.name);
  }
  return names;
}

async function looseFiles(path: string): Promise<string[]> {
  const folders = new Set(await subfolders(path));
  return (await visibleEntries(path)).map((entry) => entry.name).filter((name) => !folders.has(name));
}

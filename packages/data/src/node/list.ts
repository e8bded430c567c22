// Image files without classes, for prediction: files and folders as a shell's glob hands them over.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.ts';
import { isImageName } from './decode.ts';
import { FileDataset } from './file-dataset.ts';
import { explain } from './paths.ts';
import { describeIgnored, findImages } from './walk.ts';

/** Image files, and the files among the given ones that are not images by their names. */
export interface ImageList {
  /** Paths of the images. */
  readonly images: readonly string[];
  /** Paths of what is no image by its name. */
  readonly ignored: readonly string[];
}

/**
 * The images among `paths`, in order; folders are searched to any depth. A file named twice is listed once.
 * @throws DataError where a path does not exist or there is no image at all
 */
export async function listImages(paths: readonly string[]): Promise<ImageList> {
  if (paths.length === 0) throw new DataError('no image files or folders were given');
  const images = new Set<string>();
  const ignored: string[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((error: unknown) => {
      throw new DataError(`${path}: ${explain(error)}`, { cause: error });
    });
    if (found.isDirectory()) {
      const inside = await findImages(path);
      for (const image of inside.images) images.add(join(path, image));
      ignored.push(...inside.ignored.map((file) => join(path, file)));
    } else if (isImageName(path)) {
      images.add(path);
    } else {
      ignored.push(path);
    }
  }
  if (images.size === 0) {
    const others = ignored.length > 0 ? `, only ${describeIgnored(ignored)}` : '';
    throw new DataError(`${paths.join(', ')}: no images${others}`);
  }
  return { images: [...images], ignored };
}

/** Opens `listImages(paths)` as a data set without classes: every label is -1. */
export async function openImageList(paths: readonly string[]): Promise<FileDataset> {
  const { images, ignored } = await listImages(paths);
  return FileDataset.create({
    name: images.length === 1 ? (images[0] ?? '') : `${images.length} images`,
    classes: [],
    labels: new Int32Array(images.length).fill(-1),
    files: images,
    keys: images,
    notes: ignored.length > 0 ? [`ignored ${describeIgnored(ignored)}`] : [],
  });
}

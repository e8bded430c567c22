// Images without labels: every image under a folder, at any depth.
import { basename, resolve } from 'node:path';
import { DataError } from '../errors.ts';
import { CompactTexts } from './compact-texts.ts';
import { FileDataset } from './file-dataset.ts';
import { checkFolder } from './folder.ts';
import { findImages } from './walk.ts';

/** Every image is of the class "unlabelled". @throws DataError where the folder is missing or holds no image */
export async function openUnlabelled(path: string): Promise<FileDataset> {
  await checkFolder(path);
  const { images } = await findImages(path);
  if (images.length === 0) throw new DataError(`${path}: there is no image in it`);
  return FileDataset.create({
    name: basename(resolve(path)),
    classes: ['unlabelled'],
    labels: new Int32Array(images.length),
    root: path,
    files: CompactTexts.of(images),
    notes: [],
  });
}

// A data set of image files: paths and labels in memory, never pixels.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { checkIndex, type ImageDataset, type ReadOptions } from '../dataset.ts';
import { decodeImageFile, shorterSideOf } from './decode.ts';
import { mapLimited } from './paths.ts';

export interface FileDatasetInit {
  readonly name: string;
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  /** One file for each label. */
  readonly files: readonly string[];
  /** The files' names as the hash has them: relative, with forward slashes. */
  readonly keys: readonly string[];
  /** What the user should know: files that were ignored, classes without images. */
  readonly notes: readonly string[];
}

/** Labelled image files. Make one with `openImageFolder`. */
export class FileDataset implements ImageDataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  readonly length: number;
  readonly hash: string;
  readonly imageSize = null;
  /** Path of each image. */
  readonly files: readonly string[];
  /** What the user should know: files that were ignored, classes without images. */
  readonly notes: readonly string[];

  private constructor(init: FileDatasetInit, hash: string) {
    this.name = init.name;
    this.classes = init.classes;
    this.labels = init.labels;
    this.length = init.files.length;
    this.files = init.files;
    this.notes = init.notes;
    this.hash = hash;
  }

  /** Looks at every file's size and time for the hash, but opens none. */
  static async create(init: FileDatasetInit): Promise<FileDataset> {
    const facts = await mapLimited(init.files, 32, async (file, i) => {
      // A file that is gone or a dead link is found when it is read; the others still count.
      const found = await stat(file).catch(() => null);
      return [init.keys[i], init.labels[i], found?.size, found?.mtimeMs].join('\0');
    });
    const hash = createHash('sha256').update(JSON.stringify([init.classes, facts]));
    return new FileDataset(init, hash.digest('hex'));
  }

  async readImage(index: number, size: number, options?: ReadOptions): Promise<Uint8Array> {
    return decodeImageFile(this.describe(index), size, options);
  }

  readSide(index: number): Promise<number> {
    const path = this.describe(index);
    return shorterSideOf(path, path);
  }

  describe(index: number): string {
    checkIndex(this, index);
    return this.files[index] ?? '';
  }
}

// A data set of image files: paths and labels in memory, never pixels.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { checkIndex, type ImageDataset, type ReadOptions } from '../dataset.ts';
import type { CompactTexts } from './compact-texts.ts';
import { decodeImageFile, shorterSideOf } from './decode.ts';
import { mapLimited } from './paths.ts';

export interface FileDatasetInit {
  readonly name: string;
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  /** The folder that relative paths start from. */
  readonly root: string;
  /** Path of the file for each label. */
  readonly files: CompactTexts;
  /** What the user should know: files that were ignored, classes without images. */
  readonly notes: readonly string[];
}

/** Files whose sizes and times are in memory at once. */
const HASHED_TOGETHER = 4096;

/** Labelled image files. Make one with `openImageFolder`. */
export class FileDataset implements ImageDataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly labels: Int32Array;
  readonly length: number;
  readonly hash: string;
  readonly imageSize = null;
  /** What the user should know: files that were ignored, classes without images. */
  readonly notes: readonly string[];

  readonly #init: FileDatasetInit;

  private constructor(init: FileDatasetInit, hash: string) {
    this.name = init.name;
    this.classes = init.classes;
    this.labels = init.labels;
    this.length = init.files.length;
    this.notes = init.notes;
    this.#init = init;
    this.hash = hash;
  }

  /** Looks at every file's size and time for the hash, but opens none. */
  static async create(init: FileDatasetInit): Promise<FileDataset> {
    const { files, labels, classes } = init;
    const hash = createHash('sha256').update(`[${JSON.stringify(classes)},[`);
    for (let start = 0; start < files.length; start += HASHED_TOGETHER) {
      const some = Array.from({ length: Math.min(HASHED_TOGETHER, files.length - start) }, (_, i) => start + i);
      const facts = await mapLimited(some, 32, async (i) => {
        // A file that is gone or a dead link is found when it is read; the others still count.
        const found = await stat(pathOf(init, i)).catch(() => null);
        const key = files.at(i).replaceAll('\\', '/');
        return JSON.stringify([key, labels[i], found?.size, found?.mtimeMs].join('\0'));
      });
      hash.update(`${start > 0 ? ',' : ''}${facts.join(',')}`);
    }
    return new FileDataset(init, hash.update(']]').digest('hex'));
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
    return pathOf(this.#init, index);
  }
}

function pathOf({ root, files }: FileDatasetInit, index: number): string {
  const path = files.at(index);
  return isAbsolute(path) ? path : join(root, path);
}

// Features of a frozen trunk on disk, keyed by everything they depend on. A damaged file is made again.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Precision } from '../network/index.ts';
import type { Features, FeatureStore } from '../training/types.ts';
import { readSafetensors, toFloat32, toInt32, writeSafetensors } from '../weights/index.ts';
import { writeAtomically } from './atomic.ts';

/** What features depend on, beside the source's own key. */
export interface FeatureKey {
  /** Of the trunk's weights. */
  readonly weightsHash: string;
  /** Name of the images' preprocessing. */
  readonly preprocessing: string;
  /** Height and width of the images, pixels. */
  readonly imageSize: number;
  /** In which the trunk computed. */
  readonly precision: Precision;
  /** Of the images in the source and which of them are taken, in order. */
  readonly dataHash: string;
}

/** Features as safetensors, in a folder. */
export class FileFeatureStore implements FeatureStore {
  constructor(
    private readonly folder: string,
    private readonly key: FeatureKey,
    /** Told of a file that could not be used. */
    private readonly onNote: (note: string) => void = () => undefined,
  ) {}

  /** Path of the file for a part of the data. */
  path(key: string): string {
    const { weightsHash, preprocessing, imageSize, precision, dataHash } = this.key;
    // Files from before there was a choice are float32's.
    const parts = [
      weightsHash,
      preprocessing,
      imageSize,
      dataHash,
      key,
      ...(precision === 'float32' ? [] : [precision]),
    ];
    const hash = createHash('sha256').update(JSON.stringify(parts));
    return join(this.folder, `${hash.digest('hex').slice(0, 32)}.safetensors`);
  }

  async load(key: string): Promise<Features | undefined> {
    const path = this.path(key);
    const file = await readFile(path).catch(() => undefined);
    if (!file) return undefined;
    try {
      const { tensors } = readSafetensors(file, path);
      const features = tensors.get('features');
      const labels = tensors.get('labels');
      const values = features && toFloat32(features);
      const classes = labels && toInt32(labels);
      const [, width] = features?.shape ?? [];
      if (!values || !classes || width === undefined || classes.length * width !== values.length)
        throw new Error('features and labels are not what they should be');
      return { values, labels: classes, width };
    } catch (error) {
      this.onNote(`the feature cache ${path} cannot be used and is made again: ${error instanceof Error ? error.message : String(error)}`); // prettier-ignore
      return undefined;
    }
  }

  async save(key: string, { values, labels, width }: Features): Promise<void> {
    const tensors = new Map([
      ['features', { shape: [labels.length, width], data: values }],
      ['labels', { shape: [labels.length], data: labels }],
    ] as const);
    await writeAtomically(this.path(key), writeSafetensors(tensors));
  }
}

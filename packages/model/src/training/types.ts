// What training asks of others: images by index, a store for features, a store for checkpoints; and what it reports.
import type { ImageView, LossScaleState, Normalisation } from '@thaw/kernels';

export interface ImageBatch {
  /** [size, height, width, 3], preprocessed as the trunk's variant says. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly size: number;
}

/** Images as the device makes the network's input of them. */
export interface PixelBatch {
  /** [size, height, width, 3], RGB from 0 to 255. */
  readonly images: Float32Array;
  /** How each image is looked at. */
  readonly views: readonly ImageView[];
  readonly labels: Int32Array;
  readonly size: number;
}

/** Images that are enlarged, augmented and normalised on the device. */
export interface PixelSource {
  readonly height: number;
  readonly width: number;
  readonly normalisation: Normalisation;
  /** Whether they look different in every epoch. */
  readonly isAugmented: boolean;
  /** As ImageSource.batches. @param epoch whose views they are, from 1; without it the images are as they are */
  batches(indices: Int32Array, batchSize: number, epoch?: number): AsyncIterable<PixelBatch>;
}

export interface ImageSource {
  readonly length: number;
  /** Class of each image. */
  readonly labels: Int32Array;
  /** Batches of the images at `indices`, in that order; the last may be shorter, and corrupt images may be missing. */
  batches(indices: Int32Array, batchSize: number): AsyncIterable<ImageBatch>;
  /** The same images for the device to prepare, where that pays: training and evaluation take these. */
  readonly pixels?: PixelSource | undefined;
}

/** Features of a source, kept between runs. `key` names the source. */
export interface FeatureStore {
  load(key: string): Promise<Features | undefined>;
  save(key: string, features: Features): Promise<void>;
}

/** The frozen trunk's output for each image. */
export interface Features {
  /** [length, width] */
  readonly values: Float32Array;
  readonly labels: Int32Array;
  readonly width: number;
}

export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  readonly validationMacroF1?: number;
  /** Of the epoch's last step. */
  readonly learningRate: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Seconds of the epoch spent waiting for data. */
  readonly dataSeconds: number;
}

export type NamedTensors = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

export interface Progress {
  /** Epochs finished. */
  readonly epoch: number;
  /** Steps done of the next epoch, and the sums over them. */
  readonly step: number;
  readonly lossSum: number;
  readonly correct: number;
  readonly seen: number;
  readonly totalSteps: number;
  readonly bestEpoch: number;
  readonly bestScore: number;
  readonly history: readonly EpochRecord[];
  readonly optimizerSteps: Readonly<Record<string, number>>;
  /** Of mixed precision, where something of the trunk trains; `skipped` counts the steps of the whole run. */
  readonly lossScale?: LossScaleState | undefined;
}

export interface Checkpoint {
  /** Variables of the head, and of the trunk where it trains. */
  readonly variables: NamedTensors;
  readonly optimizer: NamedTensors;
  /** The averages of the variables, where they are averaged and are not the variables' own values here. */
  readonly average?: NamedTensors | undefined;
  readonly progress: Progress;
}

export interface CheckpointStore {
  saveLast(checkpoint: Checkpoint): Promise<void>;
  saveBest(checkpoint: Checkpoint): Promise<void>;
}

// What training asks of others: images by index, a store for features, a store for checkpoints; and what it reports.
import type { ImageView, LossScaleState, Normalisation } from '@thaw/kernels';

/** Images as the network reads them. */
export interface ImageBatch {
  /** [size, height, width, 3], preprocessed as the trunk's variant says. */
  readonly images: Float32Array;
  /** [size] */
  readonly labels: Int32Array;
  /** Number of images. */
  readonly size: number;
  /** How many of the asked-for indices are behind, those of unreadable images included; default: as many as images came. */
  readonly taken?: number | undefined;
}

/** How a pass goes over unreadable images. */
export interface PassOptions {
  /** Whether the next image makes up for one; false cuts batches at multiples of their size, even to nothing. Default true. */
  readonly fill?: boolean | undefined;
}

/** Images as the device makes the network's input of them. */
export interface PixelBatch {
  /** [size, height, width, 3], RGB from 0 to 255. */
  readonly images: Float32Array;
  /** How each image is looked at. */
  readonly views: readonly ImageView[];
  /** [size] */
  readonly labels: Int32Array;
  /** Number of images. */
  readonly size: number;
  /** As ImageBatch has it. */
  readonly taken?: number | undefined;
}

/** Images that are enlarged, augmented and normalised on the device. */
export interface PixelSource {
  /** Of the images on the host, pixels. */
  readonly height: number;
  /** Of the images on the host, pixels. */
  readonly width: number;
  /** From RGB to the network's input. */
  readonly normalisation: Normalisation;
  /** Whether they look different in every epoch. */
  readonly isAugmented: boolean;
  /** As ImageSource.batches. @param epoch whose views they are, from 1; without it the images are as they are */
  batches(indices: Int32Array, batchSize: number, epoch?: number, options?: PassOptions): AsyncIterable<PixelBatch>;
}

/** Images by index, as training and evaluation ask for them. */
export interface ImageSource {
  /** Number of images. */
  readonly length: number;
  /** Class of each image. */
  readonly labels: Int32Array;
  /** Batches of the images at `indices`, in that order; the last may be shorter, and corrupt images may be missing. */
  batches(indices: Int32Array, batchSize: number, options?: PassOptions): AsyncIterable<ImageBatch>;
  /**
   * All positions in the order of an epoch, from 1: the same for a seed and epoch on every process. None where any permutation
   * reads as fast.
   */
  order?(seed: number, epoch: number): Int32Array | undefined;
  /** The same images for the device to prepare, where that pays: training and evaluation take these. */
  readonly pixels?: PixelSource | undefined;
}

/** Features of a source, kept between runs. `key` names the source. */
export interface FeatureStore {
  /** What was saved under the key; undefined where nothing was. */
  load(key: string): Promise<Features | undefined>;
  /** Keeps features under a key. */
  save(key: string, features: Features): Promise<void>;
}

/** The frozen trunk's output for each image. */
export interface Features {
  /** [length, width] */
  readonly values: Float32Array;
  /** [length] */
  readonly labels: Int32Array;
  /** Length of a feature vector. */
  readonly width: number;
}

/** What an epoch came to. */
export interface EpochRecord {
  /** From 1, over all phases. */
  readonly epoch: number;
  /** Name of the phase that it belongs to, where there are several. */
  readonly phase?: string | undefined;
  /** Mean cross-entropy over the training images, nats; with the head's L2 penalty, where there is one. */
  readonly loss: number;
  /** Share of the training images predicted right, as they were learned from. */
  readonly accuracy: number;
  /** Mean cross-entropy over the validation images, nats. */
  readonly validationLoss?: number;
  /** Share of the validation images predicted right. */
  readonly validationAccuracy?: number;
  /** Mean of F1 over the classes. */
  readonly validationMacroF1?: number;
  /** Of the epoch's last step. */
  readonly learningRate: number;
  /** Of the epoch's steps, its validation left out. */
  readonly seconds: number;
  /** Over those seconds. */
  readonly imagesPerSecond: number;
  /** Seconds of the epoch spent waiting for data. */
  readonly dataSeconds: number;
}

/** Tensors on the host, by name. */
export type NamedTensors = ReadonlyMap<
  string,
  {
    /** Of the tensor. */
    readonly shape: readonly number[];
    /** Its values. */
    readonly data: Float32Array;
  }
>;

/** How far a run has come: all that is needed to go on with it. */
export interface Progress {
  /** Which phase of the run it is in, from 0; absent where there is one alone. */
  readonly phase?: number | undefined;
  /** Epochs finished, of the phase. */
  readonly epoch: number;
  /** Steps done of the next epoch, and the sums over them. */
  readonly step: number;
  /** Of the next epoch's order of images, how many are behind; absent in checkpoints from before unreadable ones counted. */
  readonly position?: number | undefined;
  /** What the device had summed since the sums below were last read. */
  readonly unread?:
    | {
        /** Of the images' losses. */
        readonly loss: number;
        /** Images predicted right. */
        readonly correct: number;
      }
    | undefined;
  /** Of the images' losses. */
  readonly lossSum: number;
  /** Images predicted right. */
  readonly correct: number;
  /** Images. */
  readonly seen: number;
  /** Of the phase. */
  readonly totalSteps: number;
  /** Images in a step, over all ranks; absent in checkpoints from before there were several. */
  readonly globalBatch?: number | undefined;
  /** From 1, over all phases; 0 before the first. */
  readonly bestEpoch: number;
  /** Its validation accuracy; -1 before the first. */
  readonly bestScore: number;
  /** One record of each epoch. */
  readonly history: readonly EpochRecord[];
  /** Updates of each variable. */
  readonly optimizerSteps: Readonly<Record<string, number>>;
  /** Of mixed precision, where something of the trunk trains; `skipped` counts the steps of the whole run. */
  readonly lossScale?: LossScaleState | undefined;
}

/** The progress of a run without a step. */
export const NOT_BEGUN: Progress = {
  epoch: 0,
  step: 0,
  lossSum: 0,
  correct: 0,
  seen: 0,
  totalSteps: 0,
  bestEpoch: 0,
  bestScore: -1,
  history: [],
  optimizerSteps: {},
};

/** A run as it can be gone on with. */
export interface Checkpoint {
  /** Variables of the head, and of the trunk where it trains. */
  readonly variables: NamedTensors;
  /** Its moments or velocities. */
  readonly optimizer: NamedTensors;
  /** The averages of the variables, where they are averaged and are not the variables' own values here. */
  readonly average?: NamedTensors | undefined;
  /** How far the run has come. */
  readonly progress: Progress;
}

/** Where checkpoints are kept; each is kept whole or not at all, and what was kept before stays until then. */
export interface CheckpointStore {
  /** Keeps the run as it is now. */
  saveLast(checkpoint: Checkpoint): Promise<void>;
  /** Keeps the best epoch so far. */
  saveBest(checkpoint: Checkpoint): Promise<void>;
  /** What saveLast kept; where it can be had, a run that stops being finite says at which step and layer. */
  loadLast?(): Promise<Checkpoint | undefined>;
}

// What a training is given, what it tells as it goes, and what comes of it.
import type { LossScaleState } from '@thaw/kernels';
import type { LossScaling } from '../optimizers/loss-scaling.ts';
import type { OptimizerConfig } from '../optimizers/optimizer.ts';
import type { RateRules } from '../optimizers/rate-groups.ts';
import type { Schedule } from '../optimizers/schedule.ts';
import type { GradientCompression } from '../parallel/gradient-exchange.ts';
import type { Group } from '../parallel/group.ts';
import type { ClassWeighting } from './class-weights.ts';
import type { Classifier } from './classifier.ts';
import type { CoralRules } from './coral.ts';
import type { OnSmallerBatch } from './inference.ts';
import type { MixRules } from './mix.ts';
import type { TrunkRunner } from './trunk-runner.ts';
import type { Checkpoint, CheckpointStore, EpochRecord, Features, FeatureStore, ImageSource } from './types.ts';

/** What is trained on what, and how. */
export interface TrainOptions {
  /** What is trained, in place. */
  readonly classifier: Classifier;
  /** Images to learn from. */
  readonly train: ImageSource;
  /** Images to choose the best epoch by. */
  readonly validation?: ImageSource | undefined;
  /** Height and width of the source's images. */
  readonly imageSize: number;
  /** Passes over the images. */
  readonly epochs: number;
  /** Images in a step, of each rank. */
  readonly batchSize: number;
  /** Who trains together: every rank takes its share of each step's images. Default: this process alone. */
  readonly group?: Group | undefined;
  /** In which numbers gradients travel between ranks; f16 scales the loss as mixed precision does. Default none: float32. */
  readonly gradientCompression?: GradientCompression | undefined;
  /** Bytes of gradients after which a message of them leaves; default 25 MiB. */
  readonly gradientBucketBytes?: number | undefined;
  /** Whether batch-norms that train see the batches of all ranks as one. Default false: each its own, as PyTorch's DDP. */
  readonly syncBatchNorm?: boolean | undefined;
  /** Which, and its rates. */
  readonly optimizer: OptimizerConfig;
  /** Of the learning rate, over all epochs; default constant. */
  readonly schedule?: Schedule | undefined;
  /** Rates of the trunk's stages; default the head's. */
  readonly rates?: RateRules | undefined;
  /** Of the labels, in [0, 1); default 0. */
  readonly labelSmoothing?: number | undefined;
  /** What the images of each class count in the loss; default none, all the same. */
  readonly classWeighting?: ClassWeighting | undefined;
  /** How images are mixed with each other in a step; a head on kept features mixes nothing. Default: not at all. */
  readonly mix?: MixRules | undefined;
  /** Pulls features towards those of unlabelled images of another domain. Default: not. */
  readonly coral?: CoralRules | undefined;
  /** How much of itself the average of the weights keeps in a step; the averages are validated and kept. Default: none. */
  readonly averageDecay?: number | undefined;
  /** Epochs without a better validation accuracy after which training ends. Default: it goes on. */
  readonly patience?: number | undefined;
  /** Of a network in mixed precision in which something of the trunk trains; default dynamic. */
  readonly lossScaling?: LossScaling | undefined;
  /** Seed of the order of images. */
  readonly seed: number;
  /** Kept features of a frozen trunk. */
  readonly features?: FeatureStore | undefined;
  /** Who runs a frozen trunk over these images; the classifier's own backend by default. */
  readonly trunkRunner?: ((part: 'train' | 'validation') => TrunkRunner) | undefined;
  /** Where checkpoints are kept: at the start, after every epoch, and when the run is interrupted. Default: nowhere. */
  readonly checkpoints?: CheckpointStore | undefined;
  /** Seconds from one checkpoint to the next within an epoch, at least. Default: none within an epoch. */
  readonly checkpointSeconds?: number | undefined;
  /** Which phase of a run this is, and what came of those before it; default: the run has one alone. */
  readonly phase?: TrainPhase | undefined;
  /** A checkpoint to go on from, of this phase. */
  readonly resume?: Checkpoint | undefined;
  /** Interrupts the run, after a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every step: bounds the steps in flight on a device. */
  readonly settle?: (() => Promise<void>) | undefined;
}

/** A phase of a run. */
export interface TrainPhase {
  /** From 0. */
  readonly index: number;
  /** Its epochs are recorded with it. */
  readonly name: string;
  /** One record of each epoch before this phase. */
  readonly history: readonly EpochRecord[];
  /** Of the phases before, as in Progress. */
  readonly bestEpoch: number;
  /** Of the phases before, as in Progress. */
  readonly bestScore: number;
}

/** Where the training is, every twenty steps. */
export interface StepEvent {
  /** From 1, over all phases. */
  readonly epoch: number;
  /** Within the epoch, from 1. */
  readonly step: number;
  /** In the epoch. */
  readonly steps: number;
  /** Means over the epoch so far. */
  readonly loss: number;
  /** Mean over the epoch so far. */
  readonly accuracy: number;
  /** In this epoch so far. */
  readonly imagesPerSecond: number;
  /** Spent waiting for data in this epoch so far. */
  readonly dataSeconds: number;
}

/** What is told of a training as it goes. */
export interface TrainHooks {
  /** Something that the person should know although the training goes on. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** A phase begins, of so many images or steps. */
  onPhase?(name: string, total: number): void;
  /** Images of the phase done, and of all. */
  onProgress?(done: number, total: number): void;
  /** Every twenty steps, and at the end of an epoch. */
  onStep?(event: StepEvent): void;
  /** There is no memory to evaluate or extract features of a batch at a time, but of so many images. */
  onSmallerBatch?: OnSmallerBatch;
  /** An epoch is done, validated and kept; the next waits for the promise. */
  onEpoch?(record: EpochRecord): void | Promise<void>;
}

/** What came of a training. */
export interface TrainResult {
  /** One record of each epoch. */
  readonly history: readonly EpochRecord[];
  /** Whether the signal ended it. */
  readonly interrupted: boolean;
  /** Epoch whose weights are in the best checkpoint: highest validation accuracy, without validation the last. */
  readonly bestEpoch: number;
  /** Its validation accuracy; without validation its number. */
  readonly bestScore: number;
  /** Tensors alive after the second step and at the end of training: equal, or something leaks. */
  readonly memory: {
    /** After the second step. */
    readonly tensorsAfterStep2: number;
    /** At the end. */
    readonly tensorsAtEnd: number;
  };
  /** Steps run here, not those before a resumption. */
  readonly steps: number;
  /** Mean, waiting for data included. */
  readonly secondsPerStep: number;
  /** What the loss scale came to, and the steps that it had skipped; undefined where nothing was scaled. */
  readonly lossScale: LossScaleState | undefined;
  /** What the frozen trunk gave for the validation source, to evaluate again without running it. */
  readonly validationFeatures: Features | undefined;
}

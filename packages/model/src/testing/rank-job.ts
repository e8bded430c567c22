// What the ranks of a test do: train the tiny network on images whose class shows in a channel.
import { register, registerCoreGradients } from '@thaw/kernels';
import { openDevice } from '@thaw/kernels/node';
import * as tf from '@tensorflow/tfjs-core';
import { createHead } from '../head/head.ts';
import { ResNet50 } from '../network/index.ts';
import { resolveFreeze, type BatchNormPolicy } from '../freeze/index.ts';
import type { GradientCompression } from '../parallel/gradient-exchange.ts';
import type { Group } from '../parallel/group.ts';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { Classifier, featureWidth, trainClassifier, type Checkpoint, type EpochRecord, type NamedTensors } from '../training/index.ts'; // prettier-ignore
import { randomWeights } from '../weights/index.ts';
import { classSource } from './class-source.ts';
import { disturbBatchNorm, TINY } from './tiny.ts';

export interface RankJob {
  readonly backend: 'thaw' | 'cpu';
  readonly thaw: string;
  readonly batchNorm: BatchNormPolicy;
  /** Of each rank. */
  readonly batchSize: number;
  readonly images: number;
  readonly epochs: number;
  readonly compression?: GradientCompression;
  readonly syncBatchNorm?: boolean;
  /** Small ones make many buckets of the tiny network. */
  readonly bucketBytes?: number;
  readonly averageDecay?: number;
  readonly dropout?: number;
  /** Stops after so many steps, on rank 0. */
  readonly stopAfter?: number;
  /** Goes on from there. */
  readonly resume?: Checkpoint;
}

export interface RankResult {
  readonly variables: NamedTensors;
  readonly history: readonly EpochRecord[];
  readonly checkpoint: Checkpoint | undefined;
  readonly interrupted: boolean;
}

const SIZE = 16;

/** Without vitest, which a rank has not. */
async function open(backend: RankJob['backend']): Promise<GPUDevice | undefined> {
  registerCoreGradients();
  let device: GPUDevice | undefined;
  if (backend === 'cpu') await import('@tensorflow/tfjs-backend-cpu');
  else {
    ({ device } = await openDevice());
    register(device);
  }
  await tf.setBackend(backend);
  return device;
}

export async function runJob(job: RankJob, group: Group | undefined): Promise<RankResult> {
  const device = await open(job.backend);
  const weights = randomWeights({ seed: 3, architecture: TINY });
  disturbBatchNorm(weights.tensors);
  const table = layerTable(VARIANTS[weights.variant], { imageSize: SIZE, architecture: TINY });
  const trainable = resolveFreeze(job.thaw, table);
  const network = new ResNet50(weights, { trainable, batchNorm: job.batchNorm, imageSize: SIZE });
  const inputs = featureWidth([8], network);
  const head = createHead({ spec: [8], classes: 3, inputs, seed: 2, dropout: job.dropout ?? 0 });
  const classifier = new Classifier(network, head);
  const stop = new AbortController();
  let steps = 0;
  let kept: Checkpoint | undefined;
  const { history, interrupted } = await trainClassifier({
    classifier,
    train: classSource(job.images, 3, SIZE),
    validation: classSource(13, 3, SIZE),
    imageSize: SIZE,
    epochs: job.epochs,
    batchSize: job.batchSize,
    optimizer: { kind: 'sgd', learningRate: 0.05, momentum: 0.9 },
    seed: 5,
    averageDecay: job.averageDecay,
    group,
    gradientCompression: job.compression,
    syncBatchNorm: job.syncBatchNorm,
    gradientBucketBytes: job.bucketBytes,
    checkpoints: {
      saveLast: async (checkpoint) => void (kept = await Promise.resolve(checkpoint)),
      saveBest: () => Promise.resolve(),
    },
    resume: job.resume,
    signal: stop.signal,
    settle: async () => {
      await Promise.resolve();
      if (++steps === job.stopAfter && (group?.rank ?? 0) === 0) stop.abort();
    },
  });
  const variables = await classifier.state();
  classifier.dispose();
  device?.destroy();
  return { variables, history, checkpoint: kept, interrupted };
}

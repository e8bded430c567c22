// Settings of the training: how long, by which rule, from where.
import { CLASS_WEIGHTS, METHODS, SCHEDULES } from '@thaw/model';
import { z } from 'zod';
import { flag, real, share, text, whole, words, type OptionsOf } from './info.ts';

const DURATION = /^\d+(\.\d+)?(s|m|h)$/;

export const trainingSettings = {
  method: z.enum(METHODS),
  headEpochs: z.int().min(1),
  epochs: z.int().min(1),
  batchSize: z.int().min(1),
  optimizer: z.enum(['adam', 'sgd']),
  learningRate: z.number().gt(0),
  rateDecay: z.number().gt(0).max(1),
  schedule: z.enum(SCHEDULES),
  warmup: z.number().min(0).lt(1),
  momentum: z.number().min(0).lt(1),
  nesterov: z.boolean(),
  weightDecay: z.number().min(0),
  decayKernelsOnly: z.boolean(),
  labelSmoothing: z.number().min(0).lt(1),
  classWeights: z.enum(CLASS_WEIGHTS),
  mixup: z.number().min(0).max(1),
  cutmix: z.number().min(0).max(1),
  coral: z.string().min(1),
  coralWeight: z.number().gt(0),
  averageWeights: z.number().min(0).lt(1),
  patience: z.int().min(1),
  seed: z.int().min(0).max(0xffffffff),
  lossScale: z.union([z.literal('dynamic'), z.number().gt(0)]),
  resume: z.string().min(1),
  saveEvery: z.number().min(0),
  cacheFeatures: z.boolean(),
  timeBudget: z.string().regex(DURATION),
  minutes: z.number().gt(0).max(600),
} as const;

export const trainingOptions: OptionsOf<typeof trainingSettings> = {
  method: {
    flags: '--method <name>',
    description:
      'frozen: the head alone; fine-tune: the head first, then it and what --thaw names; gradual: the same, thawed block by block from the top',
    ...words(METHODS),
  },
  headEpochs: {
    flags: '--head-epochs <n>',
    description: 'of fine-tune and gradual: passes in which the head trains before the trunk does',
    ...whole(1),
  },
  epochs: { flags: '--epochs <n>', description: 'passes over the training images', ...whole(1) },
  batchSize: {
    flags: '--batch-size <n>',
    description: 'images per step, on each rank where there are several',
    ...whole(1),
  },
  optimizer: { flags: '--optimizer <name>', description: 'adam or sgd', ...words(['adam', 'sgd']) },
  learningRate: {
    flags: '--learning-rate <x>',
    description: 'step size of the optimizer',
    ...real('a number above 0'),
  },
  rateDecay: {
    flags: '--rate-decay <x>',
    description:
      "each stage of the trunk learns at x times the rate of the one above it, the top stage at x times the head's",
    ...real('a number above 0, at most 1'),
  },
  schedule: {
    flags: '--schedule <name>',
    description: 'the learning rate over the run: constant, cosine (down to 0), one-cycle (up, then down)',
    ...words(SCHEDULES),
  },
  warmup: {
    flags: '--warmup <share>',
    description: 'share of the steps in which the learning rate rises',
    ...share,
  },
  momentum: {
    flags: '--momentum <x>',
    description: 'momentum of sgd',
    ...share,
  },
  nesterov: { flags: '--nesterov', description: "Nesterov's momentum", ...flag },
  weightDecay: {
    flags: '--weight-decay <x>',
    description: 'weight decay: decoupled with adam, added to the gradient with sgd',
    ...real('a number of at least 0'),
  },
  decayKernelsOnly: {
    flags: '--decay-kernels-only',
    description: 'weight decay leaves biases and batch-norms alone',
    ...flag,
  },
  labelSmoothing: {
    flags: '--label-smoothing <share>',
    description: 'share of the target that all classes share evenly',
    ...share,
  },
  classWeights: {
    flags: '--class-weights <how>',
    description: 'none: every image counts the same in the loss; balanced: every class does',
    ...words(CLASS_WEIGHTS),
  },
  mixup: {
    flags: '--mixup <a>',
    description: 'blend each image and its label with another of the batch, in shares from Beta(a, a); 0.2 is usual',
    ...real('a number from 0, none, to 1'),
  },
  cutmix: {
    flags: '--cutmix <a>',
    description:
      'put a part of another image of the batch into each, the label likewise; 1 is usual. With --mixup, one of both in each step',
    ...real('a number from 0, none, to 1'),
  },
  coral: {
    flags: '--coral <folder>',
    description:
      'unlabelled images of the domain that the classifier is for: features of the training images are pulled towards theirs (Deep CORAL), where something of the trunk trains',
    ...text('a folder of images'),
  },
  coralWeight: {
    flags: '--coral-weight <x>',
    description: "what CORAL's distance of covariances counts in the loss",
    ...real('a number above 0'),
  },
  averageWeights: {
    flags: '--average-weights <decay>',
    description:
      'validate and keep a moving average of the weights, which keeps this share of itself in a step; 0 for none',
    ...share,
  },
  patience: {
    flags: '--patience <n>',
    description: 'stop after n epochs without a better validation accuracy',
    ...whole(1),
  },
  seed: {
    flags: '--seed <n>',
    description: 'seed of the split, the order, the head and the dropout',
    ...real('a whole number from 0 to 4294967295'),
  },
  lossScale: {
    flags: '--loss-scale <x>',
    description:
      'in mixed precision, what gradients are scaled by on their way through float16: dynamic, or a fixed number',
    number: true,
    expected: 'dynamic or a number above 0',
  },
  resume: {
    flags: '--resume <run>',
    description: 'go on with an interrupted run, in its own folder',
    ...text('a run folder'),
  },
  saveEvery: {
    flags: '--save-every <minutes>',
    description: 'minutes between checkpoints within an epoch; each epoch ends with one anyway',
    ...real('a number of minutes of at least 0'),
  },
  cacheFeatures: {
    flags: '--no-cache-features',
    description: 'run a frozen trunk though its features were kept, and keep none',
    ...flag,
  },
  timeBudget: {
    flags: '--time-budget <time>',
    description: 'about how long the run may take: what is not given is chosen so that it fits, such as the image size',
    ...text('a time such as 90s, 10m or 1h'),
  },
  minutes: {
    flags: '--minutes <n>',
    description: 'about how long the whole demo may take',
    ...real('a number of minutes from 0 to 600'),
  },
};

// Settings of the network: its weights, what of it trains, its head.
import { z } from 'zod';
import { flag, real, share, text, whole, words, type OptionsOf } from './info.ts';

export const WEIGHT_SOURCES = ['keras', 'torchvision', 'tf-official', 'random'] as const;
export type WeightSource = (typeof WEIGHT_SOURCES)[number];

export const PRECISIONS = ['float32', 'mixed'] as const;

export const PRESET_NAMES = ['article-1', 'article-2', 'article-2-last42', 'best'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

const HEAD = /^(article|linear|\d+(,\d+)*)$/;

export const modelSettings = {
  preset: z.enum(PRESET_NAMES),
  weights: z.enum(WEIGHT_SOURCES),
  weightsFile: z.string().min(1),
  run: z.string().min(1),
  checkpoint: z.enum(['best', 'last']),
  thaw: z.string().min(1),
  batchNorm: z.enum(['keras', 'frozen', 'train']),
  batchNormMomentum: z.number().min(0).lt(1),
  head: z.string().regex(HEAD),
  dropout: z.number().min(0).lt(1),
  l2: z.number().min(0),
  classes: z.int().min(2),
  top: z.boolean(),
  precision: z.enum(PRECISIONS),
} as const;

export const modelOptions: OptionsOf<typeof modelSettings> = {
  preset: {
    flags: '--preset <name>',
    description:
      "the article's settings: article-1 (trunk frozen), article-2 (all but the last 42 layers thawed), article-2-last42 (the last 42 thawed); or best: everything thawed at 160 x 160 pixels with augmentation, a schedule and rates by stage, for a large GPU",
    ...words(PRESET_NAMES),
  },
  weights: {
    flags: '--weights <source>',
    description: 'ImageNet weights: keras, torchvision, tf-official, or random for none',
    ...words(WEIGHT_SOURCES),
  },
  weightsFile: {
    flags: '--weights-file <file>',
    description: 'read the weights from this file instead of THAW_HOME',
    ...text('a file'),
  },
  run: {
    flags: '--run <folder>',
    description: 'use the network that this run trained',
    ...text('a run folder'),
  },
  checkpoint: {
    flags: '--checkpoint <name>',
    description: "which of the run's checkpoints",
    ...words(['best', 'last']),
  },
  thaw: {
    flags: '--thaw <layers>',
    description:
      'what trains besides the head: none, all, a block and above (conv5, conv4_block6), a slice (-42: or :-42), /a pattern/; commas add up',
    ...text('a freeze spec'),
  },
  batchNorm: {
    flags: '--batch-norm <mode>',
    description:
      'keras: batch statistics where thawed; frozen: stored statistics everywhere; train: batch statistics everywhere',
    ...words(['keras', 'frozen', 'train']),
  },
  batchNormMomentum: {
    flags: '--batch-norm-momentum <x>',
    description: 'share of itself that a moving statistic keeps in a step on batch statistics',
    ...share,
  },
  head: {
    flags: '--head <kind>',
    description: 'linear, article (dense 32, 16, 8), or widths of your own such as 256,64',
    expected: 'linear, article, or a list of widths such as 256,64',
  },
  dropout: {
    flags: '--dropout <share>',
    description: 'dropout before every dense layer of the head',
    ...share,
  },
  l2: {
    flags: '--l2 <factor>',
    description: "L2 penalty on the head's kernels",
    ...real('a number of at least 0'),
  },
  classes: {
    flags: '--classes <n>',
    description: 'classes of the head that is counted in',
    ...whole(2),
  },
  top: { flags: '--top', description: 'include the ImageNet classifier', ...flag },
  precision: {
    flags: '--precision <name>',
    description:
      'float32, or mixed: float16 storage in the trunk, float32 sums and weights; needs WebGPU with shader-f16',
    ...words(PRECISIONS),
  },
};

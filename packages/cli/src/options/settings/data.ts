// Settings of the images: which, and how they are looked at.
import { AUGMENTATION_POLICIES, AUGMENTATIONS } from '@thaw/data';
import { z } from 'zod';
import { flag, listOf, real, text, whole, words, type OptionsOf } from './info.ts';

const POLICIES = Object.keys(AUGMENTATION_POLICIES);
const AUGMENT = new RegExp(`^(${POLICIES.join('|')}|${listOf(AUGMENTATIONS)})$`);
const RANGE = /^\d*:\d*$/;

export const dataSettings = {
  data: z.string().min(1),
  split: z.enum(['train', 'validation', 'test']),
  range: z.string().regex(RANGE),
  limitTrain: z.int().min(1),
  limitTest: z.int().min(1),
  validationSplit: z.number().gt(0).lt(1),
  stratified: z.boolean(),
  strict: z.boolean(),
  imageSize: z.int().min(32).max(1024),
  augment: z.string().regex(AUGMENT),
  fromFile: z.string().min(1),
} as const;

export const dataOptions: OptionsOf<typeof dataSettings> = {
  data: {
    flags: '--data <name or folder>',
    description:
      "cifar10, cifar100, a folder of images (one folder per class, or train/ val/ test/ of such), a table of paths and labels (.csv), Parquet files, tar shards (a folder of them, or 'train-{000..012}.tar'), or hf:owner/name of the Hugging Face hub",
    ...text('a data set or a folder'),
  },
  split: {
    flags: '--split <name>',
    description: 'which part of the data set',
    ...words(['train', 'validation', 'test']),
  },
  range: {
    flags: '--range <from:to>',
    description: 'only these images of the split, counted from 0, the end not included',
    expected: 'a range such as 0:16, 100: or :500',
  },
  limitTrain: {
    flags: '--limit-train <n>',
    description: 'train on a random subset of n images, every class keeping its share',
    ...whole(1),
  },
  limitTest: {
    flags: '--limit-test <n>',
    description: 'test on a random subset of n images, every class keeping its share',
    ...whole(1),
  },
  validationSplit: {
    flags: '--validation-split <share>',
    description: 'share of the training images held out, where the data set has no validation part',
    ...real('a number between 0 and 1, such as 0.15'),
  },
  stratified: { flags: '--stratified', description: 'hold out the same share of every class', ...flag },
  strict: {
    flags: '--strict',
    description: 'stop at the first unreadable image instead of skipping it',
    ...flag,
  },
  imageSize: {
    flags: '--image-size <pixels>',
    description: 'side of the square that every image is brought to',
    ...real('a whole number from 32 to 1024'),
  },
  fromFile: {
    flags: '--from-file <file>',
    description: 'a list of images, one a line',
    ...text('a file, or - for standard input'),
  },
  augment: {
    flags: '--augment <what>',
    description:
      'training images look different in every epoch: none, light (crop,flip), strong (zoom,flip,jitter,erase), or a list of these words; rand is RandAugment',
    expected: `${POLICIES.join(', ')}, or a list such as ${AUGMENTATIONS.join(',')}`,
  },
};

// Settings of classical classifiers on the trunk's features.
import { CLASSIFIER_KINDS } from '@thaw/model';
import { z } from 'zod';
import { whole, words, type OptionsOf } from './info.ts';

export const classifierSettings = {
  classifier: z.enum(CLASSIFIER_KINDS),
  pca: z.int().min(1),
  neighbors: z.int().min(1),
  trees: z.int().min(1).max(10_000),
  depth: z.int().min(1).max(64),
} as const;

export const classifierOptions: OptionsOf<typeof classifierSettings> = {
  classifier: {
    flags: '--classifier <kind>',
    description: `fit this on the features, into a run folder: ${CLASSIFIER_KINDS.join(', ')}`,
    ...words(CLASSIFIER_KINDS),
  },
  pca: { flags: '--pca <k>', description: 'project the features on their k principal components first', ...whole(1) },
  neighbors: { flags: '--neighbors <k>', description: 'neighbours that knn asks', ...whole(1) },
  trees: {
    flags: '--trees <n>',
    description: 'trees of a forest; of boosting the rounds, each with a tree for every class',
    number: true,
    expected: 'a whole number from 1 to 10000',
  },
  depth: {
    flags: '--depth <n>',
    description: "splits from a tree's root to a leaf at most",
    number: true,
    expected: 'a whole number from 1 to 64',
  },
};

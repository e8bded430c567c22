// Settings of a training on several ranks, started by an MPI launcher.
import { z } from 'zod';
import { flag, words, type OptionsOf } from './info.ts';

export const GRADIENT_COMPRESSIONS = ['none', 'f16'] as const;
export const RATE_SCALINGS = ['none', 'linear', 'sqrt'] as const;

export const rankSettings = {
  gradientCompression: z.enum(GRADIENT_COMPRESSIONS),
  syncBatchNorm: z.boolean(),
  scaleLearningRate: z.enum(RATE_SCALINGS),
} as const;

export const rankOptions: OptionsOf<typeof rankSettings> = {
  gradientCompression: {
    flags: '--gradient-compression <how>',
    description: 'in which numbers gradients travel between ranks: none for float32, or f16: half the bytes',
    ...words(GRADIENT_COMPRESSIONS),
  },
  syncBatchNorm: {
    flags: '--sync-batch-norm',
    description: 'batch-norms that train see the images of all ranks as one batch, not each rank its own',
    ...flag,
  },
  scaleLearningRate: {
    flags: '--scale-learning-rate <how>',
    description:
      'multiply the learning rate by the number of ranks (linear) or its square root (sqrt), as a step has that many times the images; with --warmup it rises to that',
    ...words(RATE_SCALINGS),
  },
};

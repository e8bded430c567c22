// The settings that choose what names images: of thaw predict and of thaw serve.
import type { OptionUse } from './command.ts';

export const IMAGE_MODEL = {
  run: true,
  checkpoint: true,
  weights: true,
  weightsFile: true,
  imageSize: true,
  precision: true,
} as const;

/** Those that need not be there. */
export const IMAGE_MODEL_OPTIONAL = {
  run: true,
  weights: true,
  weightsFile: true,
  imageSize: true,
  precision: true,
} as const;

export const imageModelOptions: readonly OptionUse[] = [
  ['imageSize', { default: "the run's, 224 for ImageNet" }],
  'run',
  ['checkpoint', { default: 'best' }],
  ['weights', { description: 'ImageNet weights: keras, torchvision or tf-official', default: 'what is in THAW_HOME, else keras' }],
  'weightsFile',
  ['precision', { default: "the run's, else float32" }],
]; // prettier-ignore

/**
 * The part of @thaw/data that runs anywhere: what a data set is, splits, batches, preprocessing, drawn images.
 * @module @thaw/data
 */

export {
  AUGMENTATION_POLICIES,
  AUGMENTATIONS,
  augmentedView,
  parseAugmentations,
  plainView,
  retoneImage,
  type Augmentation,
  type View,
  type ViewRequest,
} from './augment.ts';
export { batches, type Batch, type BatchOptions, type BatchStream, type SkippedImage } from './batches.ts';
export type { ImageDataset, ImagePass, ReadOptions } from './dataset.ts';
export { CorruptImageError, DataError, DatasetMissingError, DownloadError, HashMismatchError } from './errors.ts';
export { generatedDataset, type GeneratedOptions } from './generated.ts';
export { MemoryDataset, type MemoryDatasetInit } from './memory-dataset.ts';
export { normalisationOf, preprocess, PREPROCESSINGS, type Normalisation, type Preprocessing } from './preprocess.ts';
export { Random } from './random.ts';
export { planCrop, resizeAndCrop, type CropPlan } from './resize.ts';
export { allIndices, countPerClass, shuffled, splitIndices, subset, type SplitOptions } from './sampling.ts';
export { typicalSide } from './typical-side.ts';

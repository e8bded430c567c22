/**
 * Weights, checkpoints and features on disk.
 * @module @thaw/model/node
 */
export { findWeightsFile, loadWeights, MissingWeightsError, type LoadWeightsOptions } from './node/weights.ts';
export { readKerasH5 } from './node/keras-h5.ts';
export { decodeCheckpoint, encodeCheckpoint, FileCheckpoints, loadCheckpoint } from './node/checkpoints.ts';
export { FileFeatureStore, type FeatureKey } from './node/feature-store.ts';
export { removeAbandoned, writeAtomically, WriteError } from './node/atomic.ts';
export { EventFile } from './node/tensorboard.ts';
export { toKerasH5 } from './node/keras-h5-write.ts';

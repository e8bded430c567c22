// Which statistics a batch-norm layer runs on while training.

/** The policies there are. */
export const BATCH_NORM_POLICIES = ['keras', 'frozen', 'train'] as const;

/**
 * - `keras`: a frozen layer runs on its moving statistics, a trainable one on the batch's, and moves its statistics;
 * - `frozen`: every layer runs on its moving statistics, which stay; gamma and beta of trainable layers still train;
 * - `train`: every layer runs on the batch's statistics and moves its own, also frozen ones (whose gamma and beta stay).
 */
export type BatchNormPolicy = (typeof BATCH_NORM_POLICIES)[number];

/** `moving`: the stored statistics, which stay. `batch`: the batch's, and the stored ones move. */
export type BatchNormMode = 'moving' | 'batch';

/** Which statistics a layer runs on while training. @param trainable whether the layer is thawed */
export function batchNormMode(policy: BatchNormPolicy, trainable: boolean): BatchNormMode {
  switch (policy) {
    case 'keras':
      return trainable ? 'batch' : 'moving';
    case 'frozen':
      return 'moving';
    case 'train':
      return 'batch';
    default:
      policy satisfies never;
      throw new Error(`Unknown batch-norm policy '${String(policy)}'; valid ones: ${BATCH_NORM_POLICIES.join(', ')}.`);
  }
}

// What trains and what stays.
export { FreezeSpecError, blockNames, resolveFreeze } from './freeze-spec.ts';
export { BATCH_NORM_POLICIES, batchNormMode, type BatchNormMode, type BatchNormPolicy } from './batch-norm.ts';

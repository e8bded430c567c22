// The loss scale of training in mixed precision.
import { LossScale, type LossScaleRule, type LossScaleState } from '@thaw/kernels';

/** dynamic, or a fixed scale. */
export type LossScaling = 'dynamic' | number;

/**
 * PyTorch's GradScaler, but for bounds: at 2^-14 gradients of size 2^30 would overflow, and no run recovers from those; 2^24
 * keeps what stays in float32 far from its own end.
 */
const DYNAMIC: LossScaleRule = { backoff: 0.5, growth: 2, interval: 2000, least: 2 ** -14, most: 2 ** 24 };
const FIXED: LossScaleRule = { ...DYNAMIC, backoff: 1, growth: 1, least: 0, most: Infinity };
const START = 2 ** 16;

/** @param saved where to go on from; a fixed scale stays what it is */
export function makeLossScale(scaling: LossScaling, saved?: Pick<LossScaleState, 'scale' | 'good'>): LossScale {
  if (scaling === 'dynamic') return new LossScale(DYNAMIC, saved ?? { scale: START, good: 0 });
  return new LossScale(FIXED, { scale: scaling, good: saved?.good ?? 0 });
}

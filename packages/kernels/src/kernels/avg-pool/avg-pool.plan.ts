/** Plans of average-pooling and its gradient. */
import type { Limits, Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { planPool, type PoolShape } from '../max-pool/max-pool.plan.ts';
import backwardSource from './avg-pool-backward.wgsl?raw';
import forwardSource from './avg-pool.wgsl?raw';

export const forwardShader = readShader('avg-pool', forwardSource);
export const backwardShader = readShader('avg-pool-backward', backwardSource);

/** Input x; output y. */
export const planAvgPool = (s: PoolShape, limits: Limits): Plan => planPool(forwardShader, s, 'y', limits);

/** Input dy; output dx. */
export const planAvgPoolBackward = (s: PoolShape, limits: Limits): Plan => planPool(backwardShader, s, 'dx', limits);

/** Plans of one optimizer step on one parameter tensor, in place. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import { readShader, type Shader } from '../../wgsl/shader.ts';
import accumulateSource from './accumulate.wgsl?raw';
import adamSource from './adam.wgsl?raw';
import copySource from './copy.wgsl?raw';
import averageSource from './moving-average.wgsl?raw';
import plainSource from './sgd-plain.wgsl?raw';
import sgdSource from './sgd.wgsl?raw';
import swapSource from './swap.wgsl?raw';

export const accumulateShader = readShader('accumulate', accumulateSource);
export const adamShader = readShader('adam', adamSource);
export const copyShader = readShader('copy', copySource);
export const averageShader = readShader('moving-average', averageSource);
export const plainShader = readShader('sgd-plain', plainSource);
export const sgdShader = readShader('sgd', sgdSource);
export const swapShader = readShader('swap', swapSource);

/** As ops/optimizer-steps.ts states them. */
export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Whether the input scaling is given: the step is one under loss scaling, see ops/loss-scale.ts. */
interface Scaled {
  readonly scaled?: boolean;
}

export interface SgdSettings {
  readonly momentum: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
}

/** What a plan is made for. */
interface Target {
  readonly limits: Limits;
  readonly tuning?: Tuning | undefined;
}

function planElementwise(
  shader: Shader,
  shape: readonly number[],
  { limits, tuning }: Target,
  params: Readonly<Record<string, number>>,
  constants: Readonly<Record<string, number>> = {},
  outputs: Plan['outputs'] = {},
): Plan {
  checkBinding(shader.name, 'value', shape, limits);
  const size = Math.ceil(elements(shape) / 4);
  const tuned = { ...shader.tunables, ...tuning };
  const { THREADS = 1, PER_THREAD = 1 } = tuned;
  return {
    shader,
    tuning: tuned,
    constants,
    params: { size, ...params },
    workgroups: foldWorkgroups(shader.name, Math.ceil(size / (THREADS * PER_THREAD)), limits),
    outputs,
    elementwise: { perWorkgroup: THREADS * PER_THREAD, shared: ['rates', 'scaling'] },
  };
}

/** Inputs gradient, rates, scaling where the step is scaled; changed in place: value, m, v. */
export function planAdam(shape: readonly number[], s: AdamSettings & Scaled, target: Target): Plan {
  const { beta1, beta2, epsilon, scaled = false } = s;
  const [fresh1, fresh2, logBeta1, logBeta2] = [1 - beta1, 1 - beta2, Math.log(beta1), Math.log(beta2)];
  const params = { beta1, beta2, fresh1, fresh2, epsilon, logBeta1, logBeta2 };
  return planElementwise(adamShader, shape, target, params, { SCALED: Number(scaled) });
}

/** Inputs gradient, rates, scaling where the step is scaled; changed in place: value, velocity. */
export const planSgd = (shape: readonly number[], s: SgdSettings & Scaled, target: Target): Plan => {
  const { momentum, weightDecay, nesterov, scaled = false } = s;
  const constants = { NESTEROV: Number(nesterov), SCALED: Number(scaled) };
  return planElementwise(sgdShader, shape, target, { momentum, weightDecay }, constants);
};

/** Inputs gradient, rates, scaling where the step is scaled; changed in place: value. */
export const planSgdPlain = (
  shape: readonly number[],
  { weightDecay, scaled = false }: Pick<SgdSettings, 'weightDecay'> & Scaled,
  target: Target,
): Plan => planElementwise(plainShader, shape, target, { weightDecay }, { SCALED: Number(scaled) });

/** Input x; changed in place: sum. */
export const planAccumulate = (shape: readonly number[], scale: number, anew: boolean, target: Target): Plan =>
  planElementwise(accumulateShader, shape, target, { scale, anew: Number(anew) });

/** Inputs x, rates; changed in place: average. */
export const planMovingAverage = (shape: readonly number[], target: Target): Plan =>
  planElementwise(averageShader, shape, target, {});

/** Changed in place: a, b. */
export const planSwap = (shape: readonly number[], target: Target): Plan =>
  planElementwise(swapShader, shape, target, {});

/** Input x; output y. */
export const planCopy = (shape: readonly number[], target: Target): Plan =>
  planElementwise(copyShader, shape, target, {}, {}, { y: { shape, dtype: 'float32' } });

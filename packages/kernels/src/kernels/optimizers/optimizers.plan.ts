/** Plans of one optimizer step on one parameter tensor, in place. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import { readShader, type Shader } from '../../wgsl/shader.ts';
import adamSource from './adam.wgsl?raw';
import copySource from './copy.wgsl?raw';
import plainSource from './sgd-plain.wgsl?raw';
import sgdSource from './sgd.wgsl?raw';

export const adamShader = readShader('adam', adamSource);
export const copyShader = readShader('copy', copySource);
export const plainShader = readShader('sgd-plain', plainSource);
export const sgdShader = readShader('sgd', sgdSource);

/** As ops/optimizer-steps.ts states them. */
export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Number of this step, from 1. */
  readonly step: number;
  readonly weightDecay: number;
}

export interface SgdSettings {
  readonly learningRate: number;
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
  };
}

/** Input gradient; changed in place: value, m, v. @throws when the step is not at least 1. */
export function planAdam(shape: readonly number[], s: AdamSettings, target: Target): Plan {
  const { learningRate, beta1, beta2, epsilon, step, weightDecay } = s;
  if (!(step >= 1)) throw new Error(`adam: step is ${step}; steps are counted from 1`);
  return planElementwise(adamShader, shape, target, {
    rate: (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step),
    beta1,
    beta2,
    fresh1: 1 - beta1,
    fresh2: 1 - beta2,
    epsilon,
    keep: 1 - learningRate * weightDecay,
  });
}

/** Input gradient; changed in place: value, velocity. */
export const planSgd = (shape: readonly number[], { nesterov, ...params }: SgdSettings, target: Target): Plan =>
  planElementwise(sgdShader, shape, target, params, { NESTEROV: Number(nesterov) });

/** Input gradient; changed in place: value. */
export const planSgdPlain = (
  shape: readonly number[],
  { learningRate, weightDecay }: Pick<SgdSettings, 'learningRate' | 'weightDecay'>,
  target: Target,
): Plan => planElementwise(plainShader, shape, target, { learningRate, weightDecay });

/** Input x; output y. */
export const planCopy = (shape: readonly number[], target: Target): Plan =>
  planElementwise(copyShader, shape, target, {}, {}, { y: { shape, dtype: 'float32' } });

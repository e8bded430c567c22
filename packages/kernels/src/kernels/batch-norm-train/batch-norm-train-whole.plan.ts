/** Plans training batch-norm in one dispatch, for tensors of so few rows that one workgroup may have all of its channels. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tiling } from '../../tuning/tilings.ts';
import { readShader, type Precision, type Shader } from '../../wgsl/shader.ts';
import source from './batch-norm-train-whole.wgsl?raw';

export const wholeShader = readShader('batch-norm-train-whole', source);

/**
 * Rows up to which one workgroup takes them all, where nothing was measured: 64 for each of its 32 rows of threads. Beyond
 * that, filling a large GPU should be worth the two dispatches more (reasoned, not measured).
 */
const MOST_ROWS = 2048;
/** Channels of a thread. */
const PER_THREAD = 4;
const LANES = 8;
/** Rows of threads, on a device that allows as many. */
const ROWS = 32;

export interface WholeSplit {
  readonly rows: number;
  readonly channels: number;
  readonly tuned: { readonly LANES: number; readonly ROWS: number };
  readonly tiles: number;
}

/**
 * How channels are dealt out; undefined where they are no multiple of 4, where the rows are too many for one workgroup, or the
 * bindings for the device.
 */
export function splitWhole(
  { bindings }: Shader,
  shape: readonly number[],
  limits: Limits,
  { direct, wholeRows = MOST_ROWS }: Tiling,
): WholeSplit | undefined {
  const channels = shape.at(-1) ?? 1;
  const rows = elements(shape.slice(0, -1));
  const buffers = bindings.filter(({ type }) => type !== 'uniform').length;
  if (rows === 0 || rows > wholeRows || channels % PER_THREAD !== 0 || buffers > limits.maxStorageBuffersPerShaderStage)
    return undefined;
  const lanes = direct?.['LANES'] ?? LANES;
  const threads = Math.max(1, Math.floor(limits.maxComputeInvocationsPerWorkgroup / lanes));
  const tuned = { LANES: lanes, ROWS: direct?.['ROWS'] ?? Math.min(ROWS, 2 ** Math.floor(Math.log2(threads))) };
  return { rows, channels, tuned, tiles: Math.ceil(channels / PER_THREAD / lanes) };
}

export interface WholeNorm {
  /** The last dimension holds the channels. */
  readonly shape: readonly number[];
  readonly epsilon: number;
  readonly hasResidual: boolean;
  readonly relu: boolean;
  /** Where the moving statistics follow. */
  readonly momentum: number | undefined;
}

/**
 * Inputs x, gamma, beta, residual?, and movingMean and movingVariance, changed in place, where a momentum is given;
 * outputs y, mean, variance (biased). Without a momentum the moving statistics are outputs of one element.
 * @returns undefined where batch-norm-train.plan.ts has to do it
 */
export function planBatchNormWhole(
  { shape, epsilon, hasResidual, relu, momentum }: WholeNorm,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
): Plan | undefined {
  const split = splitWhole(wholeShader, shape, limits, tiling);
  if (!split) return undefined;
  const { rows, channels, tuned, tiles } = split;
  checkBinding(wholeShader.name, 'x', shape, limits, precision);
  const ofChannels = { shape: [channels], dtype: 'float32' } as const;
  const unused = { shape: [1], dtype: 'float32' } as const;
  return {
    shader: wholeShader,
    tuning: { ...wholeShader.tunables, ...tiling.direct, ...tuned },
    constants: { HAS_RESIDUAL: Number(hasResidual), RELU: Number(relu), MOVES: Number(momentum !== undefined) },
    precision,
    params: { rows, channels, epsilon, momentum: momentum ?? 1, fresh: 1 - (momentum ?? 1) },
    workgroups: foldWorkgroups(wholeShader.name, tiles, limits),
    outputs: {
      y: { shape, dtype: precision },
      mean: ofChannels,
      variance: ofChannels,
      ...(momentum === undefined && { movingMean: unused, movingVariance: unused }),
    },
  };
}

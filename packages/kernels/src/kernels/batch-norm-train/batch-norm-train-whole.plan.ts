/** Plans training batch-norm in one dispatch, for tensors of so few rows that one workgroup may have all of its channels. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tiling, Tuning } from '../../tuning/tilings.ts';
import { readShader, type Precision, type Shader } from '../../wgsl/shader.ts';
import source from './batch-norm-train-whole.wgsl?raw';

export const wholeShader = readShader('batch-norm-train-whole', source);

/** Rows up to which one workgroup takes them all, where a device's tiling says nothing: 64 for each of its 32 rows of threads. */
const MOST_ROWS = 2048;
/** Channels of a thread. */
const PER_THREAD = 4;
const LANES = 8;
/** Rows of threads, on a device that allows as many. */
const ROWS = 32;

export interface WholeSplit {
  readonly rows: number;
  readonly channels: number;
  /** LANES and ROWS, and BLOCK where the tiling names it. */
  readonly tuned: Tuning;
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
  tiling: Tiling,
): WholeSplit | undefined {
  const { wholeRows = MOST_ROWS } = tiling;
  const channels = shape.at(-1) ?? 1;
  const rows = elements(shape.slice(0, -1));
  const buffers = bindings.filter(({ type }) => type !== 'uniform').length;
  if (rows === 0 || rows > wholeRows || channels % PER_THREAD !== 0 || buffers > limits.maxStorageBuffersPerShaderStage)
    return undefined;
  const tuned = tuneWhole(rows, limits, tiling);
  return { rows, channels, tuned, tiles: Math.ceil(channels / PER_THREAD / (tuned['LANES'] ?? 1)) };
}

function tuneWhole(rows: number, limits: Limits, { direct, whole = [] }: Tiling): Tuning {
  const listed = whole.find(({ ROWS = 1, BLOCK = 1 }) => rows <= ROWS * BLOCK) ?? whole.at(-1);
  if (listed) return listed;
  const lanes = direct?.['LANES'] ?? LANES;
  const threads = Math.max(1, Math.floor(limits.maxComputeInvocationsPerWorkgroup / lanes));
  return { LANES: lanes, ROWS: direct?.['ROWS'] ?? Math.min(ROWS, 2 ** Math.floor(Math.log2(threads))) };
}

/** A block that a tiling names is loaded together in the second pass, too. */
const ahead = ({ BLOCK }: Tuning): Tuning => (BLOCK === undefined ? {} : { AHEAD: BLOCK });

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
    tuning: { ...wholeShader.tunables, ...tiling.direct, ...tuned, ...ahead(tuned) },
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

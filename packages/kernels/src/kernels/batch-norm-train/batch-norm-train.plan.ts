/** Plans of training batch-norm: statistics of chunks of rows, their merger, and the normalisation. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { WORKGROUPS, type Tiling } from '../../tuning/tilings.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import mergeSource from './merge-statistics.wgsl?raw';
import normaliseSource from './normalise.wgsl?raw';
import statisticsSource from './batch-statistics.wgsl?raw';

export const statisticsShader = readShader('batch-statistics', statisticsSource);
export const mergeShader = readShader('merge-statistics', mergeSource);
export const normaliseShader = readShader('normalise', normaliseSource);

export interface NormaliseShape {
  /** The last dimension holds the channels. */
  readonly shape: readonly number[];
  readonly epsilon: number;
  readonly hasGamma: boolean;
  readonly hasBeta: boolean;
  readonly hasResidual: boolean;
  readonly relu: boolean;
}

/** How rows are split over workgroups, each of which reduces `chunkRows` rows of a tile of channels. */
export interface Chunks {
  readonly rows: number;
  readonly channels: number;
  readonly chunkRows: number;
  readonly chunks: number;
}

/** Below this many rows per thread, the merger costs more than the split gains. */
const LEAST_ROWS_PER_THREAD = 8;

/**
 * Splits the rows of `shape` (all dimensions but the last) into chunks.
 * @param lanes channels of a workgroup's tile
 * @param threadRows rows a workgroup takes at a time
 * @param workgroups that fill the device; more would only lengthen the merger
 * @throws when the tensor has no rows, which have no mean.
 */
export function splitRows(
  kernel: string,
  shape: readonly number[],
  lanes: number,
  threadRows: number,
  workgroups: number,
): Chunks {
  const channels = shape.at(-1) ?? 1;
  const rows = elements(shape.slice(0, -1));
  if (rows === 0 || channels === 0)
    throw new Error(`${kernel}: x is [${shape.join(', ')}]; statistics need at least one row and one channel`);
  const tiles = Math.ceil(channels / lanes);
  const wantedChunks = Math.ceil(workgroups / tiles);
  const chunkRows = Math.max(threadRows * LEAST_ROWS_PER_THREAD, Math.ceil(rows / wantedChunks));
  return { rows, channels, chunkRows, chunks: Math.ceil(rows / chunkRows) };
}

/**
 * Mean and biased variance of each channel: inputs x, stored in `precision`, and movingMean and movingVariance, changed in
 * place, where a momentum is given; outputs mean, variance, and parts (a temporary) where rows are split. Outputs that are
 * not asked for have one element.
 */
export function planBatchStatistics(
  shape: readonly number[],
  limits: Limits,
  { direct: tuning = {}, workgroups }: Tiling = {},
  momentum?: number,
  precision: Precision = 'float32',
): Plan[] {
  const tuned = { ...statisticsShader.tunables, ...tuning };
  const { LANES = 1, ROWS = 1 } = tuned;
  checkBinding('batch-norm-train', 'x', shape, limits, precision);
  const split = splitRows('batch-norm-train', shape, LANES, ROWS, workgroups ?? WORKGROUPS);
  const tiles = Math.ceil(split.channels / LANES);
  const isWhole = split.chunks === 1;
  const moves = momentum !== undefined;
  const unused = { shape: [1], dtype: 'float32' } as const;
  const ofChannels = { shape: [split.channels], dtype: 'float32' } as const;
  const params = { ...split, momentum: momentum ?? 1, fresh: 1 - (momentum ?? 1) };
  const standIns = moves ? {} : { movingMean: unused, movingVariance: unused };
  const statistics: Plan = {
    shader: statisticsShader,
    tuning: tuned,
    constants: { IS_WHOLE: Number(isWhole), MOVES: Number(isWhole && moves) },
    params,
    precision,
    workgroups: foldWorkgroups('batch-statistics', tiles * split.chunks, limits),
    outputs: isWhole
      ? { parts: unused, mean: ofChannels, variance: ofChannels, ...standIns }
      : {
          parts: { shape: [split.chunks, 2, split.channels], dtype: 'float32' },
          mean: unused,
          variance: unused,
          ...standIns,
        },
  };
  if (isWhole) return [statistics];
  const merge: Plan = {
    shader: mergeShader,
    tuning: { ...mergeShader.tunables, LANES, ROWS },
    constants: { MOVES: Number(moves) },
    params,
    precision,
    workgroups: foldWorkgroups('merge-statistics', tiles, limits),
    outputs: { mean: ofChannels, variance: ofChannels, ...standIns },
  };
  return [statistics, merge];
}

/** y from x, mean and variance, and from gamma, beta and residual where they are; x, residual and y stored in `precision`. */
export function planNormalise(
  s: NormaliseShape,
  limits: Limits,
  { direct: tuning = {}, workgroups }: Tiling = {},
  precision: Precision = 'float32',
): Plan {
  const tuned = { ...normaliseShader.tunables, ...tuning };
  const { LANES = 1, ROWS = 1 } = tuned;
  checkBinding('normalise', 'x', s.shape, limits, precision);
  const split = splitRows('normalise', s.shape, LANES, ROWS, workgroups ?? WORKGROUPS);
  return {
    shader: normaliseShader,
    tuning: tuned,
    constants: {
      HAS_GAMMA: Number(s.hasGamma),
      HAS_BETA: Number(s.hasBeta),
      HAS_RESIDUAL: Number(s.hasResidual),
      RELU: Number(s.relu),
    },
    params: { ...split, epsilon: s.epsilon },
    precision,
    workgroups: foldWorkgroups('normalise', Math.ceil(split.channels / LANES) * split.chunks, limits),
    outputs: { y: { shape: s.shape, dtype: precision } },
  };
}

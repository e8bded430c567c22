/** Plans of training batch-norm: statistics of chunks of rows, their merger, and the normalisation. */
import { checkBinding, elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import { readShader } from '../../wgsl/shader.ts';
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

/** Enough workgroups to fill a large GPU; more would only lengthen the merger. */
const WANTED_WORKGROUPS = 1024;
/** Below this many rows per thread, the merger costs more than the split gains. */
const LEAST_ROWS_PER_THREAD = 8;

/**
 * Splits the rows of `shape` (all dimensions but the last) into chunks.
 * @param lanes channels of a workgroup's tile
 * @param threadRows rows a workgroup takes at a time
 * @throws when the tensor has no rows, which have no mean.
 */
export function splitRows(kernel: string, shape: readonly number[], lanes: number, threadRows: number): Chunks {
  const channels = shape.at(-1) ?? 1;
  const rows = elements(shape.slice(0, -1));
  if (rows === 0 || channels === 0)
    throw new Error(`${kernel}: x is [${shape.join(', ')}]; statistics need at least one row and one channel`);
  const tiles = Math.ceil(channels / lanes);
  const wantedChunks = Math.ceil(WANTED_WORKGROUPS / tiles);
  const chunkRows = Math.max(threadRows * LEAST_ROWS_PER_THREAD, Math.ceil(rows / wantedChunks));
  return { rows, channels, chunkRows, chunks: Math.ceil(rows / chunkRows) };
}

/** Mean and biased variance of each channel: inputs x; outputs parts (a temporary), mean, variance. */
export function planBatchStatistics(shape: readonly number[], limits: Limits, tuning: Tuning = {}): [Plan, Plan] {
  const tuned = { ...statisticsShader.tunables, ...tuning };
  const lanes = tuned['LANES'] ?? 32;
  const threadRows = tuned['ROWS'] ?? 8;
  checkBinding('batch-norm-train', 'x', shape, limits);
  const split = splitRows('batch-norm-train', shape, lanes, threadRows);
  const tiles = Math.ceil(split.channels / lanes);
  const statistics: Plan = {
    shader: statisticsShader,
    tuning: tuned,
    constants: {},
    params: { ...split },
    workgroups: foldWorkgroups('batch-statistics', tiles * split.chunks, limits),
    outputs: { parts: { shape: [split.chunks, 2, split.channels], dtype: 'float32' } },
  };
  const merge: Plan = {
    shader: mergeShader,
    tuning: { ...mergeShader.tunables, LANES: lanes, ROWS: threadRows },
    constants: {},
    params: { ...split },
    workgroups: foldWorkgroups('merge-statistics', tiles, limits),
    outputs: {
      mean: { shape: [split.channels], dtype: 'float32' },
      variance: { shape: [split.channels], dtype: 'float32' },
    },
  };
  return [statistics, merge];
}

/** y from x, mean and variance, and from gamma, beta and residual where they are. */
export function planNormalise(s: NormaliseShape, limits: Limits, tuning: Tuning = {}): Plan {
  const tuned = { ...normaliseShader.tunables, ...tuning };
  const { LANES = 1, ROWS = 1 } = tuned;
  checkBinding('normalise', 'x', s.shape, limits);
  const split = splitRows('normalise', s.shape, LANES, ROWS);
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
    workgroups: foldWorkgroups('normalise', Math.ceil(split.channels / LANES) * split.chunks, limits),
    outputs: { y: { shape: s.shape, dtype: 'float32' } },
  };
}

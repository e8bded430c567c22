// Mean and deviation of each column of features, and blocks of rows for the device.
import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../training/types.ts';

/** Values of a block at most: 64 MiB, half of what any WebGPU device binds at once. */
const BLOCK_VALUES = 2 ** 24;

/** Of each column, in float64 over all rows. */
export interface ColumnMoments {
  readonly mean: Float64Array;
  /** Root of the mean squared distance from the mean. */
  readonly deviation: Float64Array;
}

/** Two passes: the mean, then the distances from it. */
export function columnMoments({ values, labels, width }: Features): ColumnMoments {
  const { length } = labels;
  const mean = new Float64Array(width);
  const deviation = new Float64Array(width);
  for (let i = 0; i < length * width; i++) mean[i % width] = (mean[i % width] ?? 0) + (values[i] ?? 0) / length;
  for (let i = 0; i < length * width; i++) {
    const c = i % width;
    deviation[c] = (deviation[c] ?? 0) + ((values[i] ?? 0) - (mean[c] ?? 0)) ** 2 / length;
  }
  return { mean, deviation: deviation.map(Math.sqrt) };
}

/** Rows of this width that make a block. */
export const blockRows = (width: number): number => Math.max(1, Math.floor(BLOCK_VALUES / width));

/**
 * Features as tensors [rows, width] of (x - mean) / deviation; a column that never changes becomes 0.
 * @param moments without it the values are as they are; without `deviation` they are centred alone
 */
export function* featureBlocks(
  { values, labels, width }: Pick<Features, 'values' | 'labels' | 'width'>,
  moments?: { readonly mean: Float64Array; readonly deviation?: Float64Array },
): Generator<{ x: tf.Tensor2D; from: number; rows: number }> {
  const most = blockRows(width);
  for (let from = 0; from < labels.length; from += most) {
    const rows = Math.min(most, labels.length - from);
    let block = values.subarray(from * width, (from + rows) * width);
    if (moments) {
      const { mean, deviation } = moments;
      const factor = mean.map((_, c) => (deviation ? inverse(deviation[c] ?? 0) : 1));
      block = block.map((value, i) => (value - (mean[i % width] ?? 0)) * (factor[i % width] ?? 0));
    }
    yield { x: tf.tensor2d(block, [rows, width]), from, rows };
  }
}

/** 1 / deviation; 0 of a column that never changes. */
export const inverse = (deviation: number): number => (deviation > 1e-12 ? 1 / deviation : 0);

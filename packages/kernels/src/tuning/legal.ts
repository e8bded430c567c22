/** Which tilings a device's limits allow, and the workgroup memory that they take. */
import type { Limits } from '../runtime/plan.ts';

/** Values of a shader's `// @tune` constants. */
export type Tuning = Readonly<Record<string, number>>;

/** Accumulators of a thread beyond which registers spill. */
const MOST_REGISTERS = 128;

/** Whether a device's limits allow a tile of registers. */
export function isLegal({ TM = 1, TN = 1, COLS = 1, ROWS = 1 }: Tuning, limits: Limits): boolean {
  return COLS * ROWS <= limits.maxComputeInvocationsPerWorkgroup && TM * TN <= MOST_REGISTERS;
}

/** Whether they allow it staged. */
export const isLegalStaged = (tuning: Tuning, limits: Limits): boolean =>
  isLegal(tuning, limits) && stagedBytes(tuning) <= limits.maxComputeWorkgroupStorageSize;

/** Whether they allow a tile of matrix units. */
export function isLegalMatrix(tuning: Tuning, limits: Limits): boolean {
  const { M = 1, N = 1, TM = 1, TN = 1, LANES = 1, COLS = 1, ROWS = 1 } = tuning;
  return (
    COLS * ROWS * LANES <= limits.maxComputeInvocationsPerWorkgroup &&
    (TM * TN * M * N) / LANES <= MOST_REGISTERS &&
    matrixBytes(tuning) <= limits.maxComputeWorkgroupStorageSize
  );
}

/** Whether they allow a tile of channels whose rows are all one workgroup's: batch-norm-train-whole.wgsl and its gradient. */
export const isLegalWhole = ({ LANES = 1, ROWS = 1 }: Tuning, limits: Limits): boolean =>
  LANES * ROWS <= limits.maxComputeInvocationsPerWorkgroup &&
  // Two vectors and a number for half of the threads.
  LANES * Math.max(1, ROWS / 2) * (2 * VECTOR + 4) <= limits.maxComputeWorkgroupStorageSize;

/** Whether they allow a tile of `numbers` channels to a thread whose rows are many workgroups': batch-statistics.wgsl and its like. */
export const isLegalChunk = ({ LANES = 1, ROWS = 1 }: Tuning, numbers: 1 | 4, limits: Limits): boolean =>
  LANES * ROWS <= limits.maxComputeInvocationsPerWorkgroup &&
  LANES * ROWS * (2 * 4 * numbers + 4) <= limits.maxComputeWorkgroupStorageSize;

/** Bytes of a vector of workgroup memory: four numbers in float32, or eight halves. */
const VECTOR = 16;

/** Bytes that conv2d-staged.wgsl, conv2d-flat.wgsl and their siblings take, the most of all. */
export function stagedBytes({ TM = 1, TN = 1, COLS = 1, ROWS = 1, DEPTH = 1, BUFFERS = 1 }: Tuning): number {
  const [rows, columns] = [TM * ROWS, TN * COLS];
  const forward = rows * (DEPTH / 4 + 1) + (DEPTH * columns) / 4;
  const backwardInput = (rows + columns) * (DEPTH / 4 + 1);
  const backwardFilter = (DEPTH * (rows + columns)) / 4;
  const flatFilter = backwardFilter + DEPTH;
  const taps = rows / 2;
  return VECTOR * Math.max(BUFFERS * Math.max(forward, backwardInput), BUFFERS * flatFilter + taps);
}

/** Bytes that conv2d-matrix.wgsl and its siblings take, which have two buffers and put their results through the same memory. */
export function matrixBytes({ M = 1, N = 1, TM = 1, TN = 1, COLS = 1, ROWS = 1, DEPTH = 1 }: Tuning): number {
  const [rows, columns] = [TM * ROWS * M, TN * COLS * N];
  const forward = rows * (DEPTH / 8 + 1) + DEPTH * (columns / 8 + 1);
  const backwardInput = (rows + columns) * (DEPTH / 8 + 1);
  const backwardFilter = DEPTH * (rows / 8 + columns / 8 + 2);
  const results = ROWS * M * (columns / 4 + 1);
  return VECTOR * Math.max(2 * forward, 2 * backwardInput, 2 * backwardFilter, results);
}

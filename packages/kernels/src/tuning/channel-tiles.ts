/** Tilings of batch-norm and its like ('channels') on a GPU: docs/decisions/reductions-on-a-gpu.md has what an H200 took. */
import type { Limits } from '../runtime/plan.ts';
import { isLegalChunk, isLegalWhole, type Tuning } from './legal.ts';
import type { Tiling } from './tiling.ts';

/**
 * Few channels and many rows to a workgroup, so that narrow tensors reach many multiprocessors; up to four rows of a thread are
 * loaded together. 256 threads are every device's, large GPUs need fewer turns of 512. Beyond 2048 rows three passes over chunks
 * are faster: 3136 rows of 2048 channels took 148 us backward in one dispatch of 1024 threads, 77 in three (NVIDIA H200).
 */
const WHOLE_TILES: readonly Tuning[] = [
  { LANES: 8, ROWS: 32, BLOCK: 2 },
  { LANES: 4, ROWS: 64, BLOCK: 2 },
  { LANES: 2, ROWS: 256, BLOCK: 2 },
  { LANES: 2, ROWS: 128, BLOCK: 4 },
  { LANES: 1, ROWS: 512, BLOCK: 4 },
  { LANES: 1, ROWS: 256, BLOCK: 8 },
];
/** Threads of a pass over chunks of rows, four of which it loads together: 64 channels of 16 rows at a time. */
const WIDE: Tuning = { LANES: 16, ROWS: 16, BLOCK: 4 };
/** Threads that merge what became of the chunks: every sector of 32 bytes is one workgroup's. */
const MERGES: readonly Tuning[] = [
  { LANES: 8, ROWS: 128 },
  { LANES: 8, ROWS: 32 },
];
/**
 * What one workgroup reduces, as far as all of its rows are loaded at a time, and what is done by chunks of rows.
 * @param multiprocessors of a large GPU, each of which has four workgroups of 256 threads and 64 registers
 */
export function channelTiles(limits: Limits, multiprocessors: number): Tiling {
  const whole = WHOLE_TILES.filter((tuning) => isLegalWhole(tuning, limits));
  const rows = whole.map(({ ROWS = 1, BLOCK = 1 }) => ROWS * BLOCK);
  const merge = MERGES.find((tuning) => isLegalChunk(tuning, 1, limits));
  return {
    ...(whole.length > 0 && { whole, wholeRows: Math.max(...rows) }),
    ...(merge && { merge }),
    ...(isLegalChunk(WIDE, 4, limits) && { wide: WIDE, workgroups: 4 * multiprocessors }),
  };
}

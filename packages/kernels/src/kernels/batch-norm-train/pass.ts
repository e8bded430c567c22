/** How passes over tensors of [rows, channels] are dealt out: chunks of rows by tiles of channels, one or four to a thread. */
import { elements, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { WORKGROUPS, type Tiling, type Tuning } from '../../tuning/tilings.ts';
import type { Shader } from '../../wgsl/shader.ts';
import type { Widths } from '../../wgsl/widen.ts';

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

/** A pass of a plan, and its chunks in channels. */
export interface ChannelPass {
  readonly split: Chunks;
  readonly plan: Pick<Plan, 'shader' | 'tuning' | 'workgroups'> & {
    readonly params: Readonly<Record<keyof Chunks, number>>;
  };
}

/** Four channels to a thread where the tiling has that and the channels allow it. @throws as splitRows() does */
export function planPass(
  kernel: string,
  { narrow, wide }: Widths,
  shape: readonly number[],
  limits: Limits,
  tiling: Tiling,
): ChannelPass {
  const isWide = tiling.wide !== undefined && (shape.at(-1) ?? 1) % 4 === 0;
  const shader = isWide ? wide : narrow;
  const tuning = { ...shader.tunables, ...(isWide ? tiling.wide : tiling.direct) };
  const { LANES = 1, ROWS = 1 } = tuning;
  const perThread = isWide ? 4 : 1;
  const split = splitRows(kernel, shape, LANES * perThread, ROWS, tiling.workgroups ?? WORKGROUPS);
  const channels = split.channels / perThread;
  const workgroups = foldWorkgroups(narrow.name, Math.ceil(channels / LANES) * split.chunks, limits);
  return { split, plan: { shader, tuning, params: { ...split, channels }, workgroups } };
}

/** The merger of a pass's chunks: LANES channels of a workgroup, ROWS of its threads to each. */
export function planMerge(
  shader: Shader,
  channels: number,
  limits: Limits,
  { merge, direct = {} }: Tiling,
): Pick<Plan, 'shader' | 'tuning' | 'workgroups'> {
  const known = ({ LANES, ROWS }: Tuning): Tuning => ({
    ...(LANES !== undefined && { LANES }),
    ...(ROWS !== undefined && { ROWS }),
  });
  const tuning = { ...shader.tunables, ...known(merge ?? direct) };
  return {
    shader,
    tuning,
    workgroups: foldWorkgroups(shader.name, Math.ceil(channels / (tuning['LANES'] ?? 1)), limits),
  };
}

/**
 * Register tilings by kind of device, for kernels that have them.
 * The constants in the .wgsl files suit a GPU: 64 threads that read 16 neighbouring columns at a time. On a software device
 * every load of a vector of lanes is a gather, so what counts is multiply-adds for each load. Measured on lavapipe (Mesa
 * 25.0.7, subgroups of 8, AMD EPYC, 2026-11-24), in GFLOP/s for each second of one core, geometric means over ten of
 * ResNet-50's convolutions at 32x32, batch 32: 8 x 8 registers over 8 threads 7.7 forward, 5.4 backward-input, about 6
 * backward-filter; subgroups with 16 rows 13.7, 14.9 and 12.5 (subgroups of 16 lanes 4). Since these take four steps of their
 * sums at a time, 32 rows are best forward in 22 of 46 buckets (an Intel Xeon, 2026-11-25: 1.04 to 1.74 times as fast as 16); shipped/ has the others.
 * Batch-norm and its like ('channels') walk down rows with a thread for each channel; barriers between threads are dear
 * there, so a workgroup is one vector of channels: over six shapes, statistics 5.9 ms of processor time against 23.3 of
 * 32 x 8 threads, gradient sums 9.4 against 23.6, normalisation 5.8 against 8.1.
 * Starting a workgroup is dear, too: Adam over 8 million parameters moved 13.8 GB/s with 8 threads of 64 vectors each,
 * 3.8 GB/s with 256 threads of 4.
 */

import type { Limits } from '../runtime/plan.ts';
import { channelTiles } from './channel-tiles.ts';
import { isLegalMatrix, isLegalStaged, type Tuning } from './legal.ts';
import type { Tiling } from './tiling.ts';

export type { Tuning } from './legal.ts';
export type { Tiling } from './tiling.ts';

/**
 * By direction, from the largest, as they were fastest on an NVIDIA H200 (docs/benchmarks/nvidia-h200.md): over 17 of
 * ResNet-50's convolutions at 224x224, batch 64, the first of each direction takes 90, 91 and 65 % of the time of 128 x 64 in
 * 8 x 8 registers, 16 deep, which all of them began with. Few rows want few sums in a thread and many threads, whose loads hide
 * each other's latency: of 14 convolutions at 32x32, batch 32, tiles of 16 x 32 take 83 % forward and 89 % to the input of the
 * time of 32 x 32 in 4 x 4.
 * All but one are within what every WebGPU device offers: 256 threads and, with one buffer, 16 KiB of workgroup memory.
 */
const STAGED_TILES = {
  conv2d: [
    { TM: 8, TN: 8, COLS: 8, ROWS: 16, DEPTH: 8 },
    { TM: 8, TN: 8, COLS: 8, ROWS: 8, DEPTH: 16 },
    { TM: 2, TN: 4, COLS: 8, ROWS: 16, DEPTH: 32 },
    { TM: 2, TN: 4, COLS: 8, ROWS: 8, DEPTH: 32 },
  ],
  'conv2d-backward-input': [
    { TM: 8, TN: 8, COLS: 16, ROWS: 16, DEPTH: 8 },
    { TM: 8, TN: 4, COLS: 16, ROWS: 16, DEPTH: 32 },
    { TM: 4, TN: 4, COLS: 16, ROWS: 16, DEPTH: 16 },
    { TM: 2, TN: 4, COLS: 8, ROWS: 16, DEPTH: 32 },
    { TM: 2, TN: 4, COLS: 8, ROWS: 8, DEPTH: 32 },
  ],
  'conv2d-backward-filter': [
    { TM: 8, TN: 4, COLS: 16, ROWS: 16, DEPTH: 16 },
    { TM: 4, TN: 4, COLS: 16, ROWS: 16, DEPTH: 16 },
    { TM: 4, TN: 4, COLS: 8, ROWS: 16, DEPTH: 16 },
  ],
} as const satisfies Readonly<Record<string, readonly Tuning[]>>;
/**
 * The same for the flat shaders: 160 rows hold the 7 x 7 x 3 = 147 of the filter of ResNet's stem, which tiles of 128 or 64
 * would fill badly, in 320 threads or in 160. At 224x224, batch 64, an H200 takes 0.47 ms forward and 0.62 for the filter.
 */
const FLAT_TILES = {
  conv2d: STAGED_TILES.conv2d,
  'conv2d-backward-input': [],
  'conv2d-backward-filter': [
    { TM: 8, TN: 4, COLS: 16, ROWS: 20, DEPTH: 16 },
    { TM: 8, TN: 8, COLS: 8, ROWS: 20, DEPTH: 8 },
    ...STAGED_TILES['conv2d-backward-filter'],
  ],
} as const satisfies Readonly<Record<string, readonly Tuning[]>>;
/** Those that the limits allow, with a second buffer where it fits. */
const withinLimits = (tiles: readonly Tuning[], limits: Limits): Tuning[] =>
  tiles.flatMap((tile) => {
    const found = [2, 1].map((BUFFERS) => ({ ...tile, BUFFERS })).find((tuning) => isLegalStaged(tuning, limits));
    return found ? [found] : [];
  });

/**
 * Rows and columns of a tile, subgroups along either. Of 13 tilings that were measured on an NVIDIA H200, 128 x 128 in 16
 * subgroups was best: of few products to a subgroup, many hide each other's loads; devices whose workgroups are smaller take 8.
 * 64 x 64 in 8 is best of its size forward, and within 7 % of 4 subgroups, 16 deep, in the other directions. 32 x 64 was not tried.
 */
const MATRIX_TILES = [
  [128, 128, 4, 4],
  [128, 128, 2, 4],
  [64, 64, 2, 4],
  [32, 64, 1, 2],
] as const;
/** Of either operand, staged at a time: 64 bytes of each row. */
const MATRIX_DEPTH = 32;
/** Those that the device's matrix unit divides and its limits allow. */
const matrixTiles = ({ M, N, K }: MatrixUnit, LANES: number, limits: Limits): Tuning[] =>
  MATRIX_TILES.map(([rows, columns, ROWS, COLS]) => ({
    M,
    N,
    K,
    LANES,
    TM: rows / ROWS / M,
    TN: columns / COLS / N,
    ROWS,
    COLS,
    DEPTH: Math.max(MATRIX_DEPTH, K),
  })) // prettier-ignore
    .filter((tuning) => Number.isInteger(tuning.TM) && Number.isInteger(tuning.TN) && isLegalMatrix(tuning, limits))
    .filter((tuning, i, all) => all.findIndex((other) => sideOf(other) === sideOf(tuning)) === i);
const sideOf = ({ TM = 1, ROWS = 1, M = 1, TN = 1, COLS = 1, N = 1 }: Tuning): string =>
  `${TM * ROWS * M} x ${TN * COLS * N}`;

/** Multiprocessors of the largest GPUs (NVIDIA H200). */
const MULTIPROCESSORS = 132;
/** Enough workgroups to fill a large GPU. */
export const WORKGROUPS = 1024;
/** The name of a kernel that has tilings. */
export type TiledKernel =
  'conv2d' | 'conv2d-backward-input' | 'conv2d-backward-filter' | 'mat-mul' | 'dense' | 'channels' | 'elementwise';
/** Tilings by kernel. */
export type Tilings = Readonly<Partial<Record<TiledKernel, Tiling>>>;

/** A product that a subgroup makes in one instruction: M x K by K x N halves, added to M x N in float32. */
export interface MatrixUnit {
  /** Rows. */
  readonly M: number;
  /** Columns. */
  readonly N: number;
  /** Terms of each sum. */
  readonly K: number;
}

/** What the choice of a tiling depends on. */
export interface DeviceKind {
  /** A processor that plays a GPU. */
  readonly isSoftware: boolean;
  /** Lanes of every subgroup; undefined where the device has none, or several sizes. */
  readonly subgroupSize: number | undefined;
  /** Undefined where the device has none that the shaders can use. */
  readonly matrixUnit: MatrixUnit | undefined;
}

/** Tilings that differ from the shaders' own constants on this kind of device, within its limits. */
export function defaultTilings({ isSoftware, subgroupSize, matrixUnit }: DeviceKind, limits: Limits): Tilings {
  if (!isSoftware) {
    const matrix = matrixUnit && subgroupSize !== undefined ? matrixTiles(matrixUnit, subgroupSize, limits) : [];
    const convolution = (kernel: keyof typeof STAGED_TILES): Tiling => {
      const staged = withinLimits(STAGED_TILES[kernel], limits);
      const flat = withinLimits(FLAT_TILES[kernel], limits);
      return {
        ...(staged.length > 0 && { staged }),
        ...(flat.length > 0 && { flat }),
        ...(matrix.length > 0 && { matrix }),
        workgroups: 2 * MULTIPROCESSORS,
        splitUpTo: MULTIPROCESSORS / 2,
      };
    };
    return {
      conv2d: convolution('conv2d'),
      'conv2d-backward-input': convolution('conv2d-backward-input'),
      'conv2d-backward-filter': convolution('conv2d-backward-filter'),
      channels: channelTiles(limits, MULTIPROCESSORS),
    };
  }
  // One vector of the processor, whose lanes then read neighbours in one load.
  const LANES = subgroupSize === 4 ? 4 : 8;
  const direct: Tuning = { TM: 8, TN: 8, COLS: LANES, ROWS: 1 };
  const convolution: Tiling = {
    direct,
    ...(subgroupSize === 8 && { subgroups: { LANES: 8, TM: 16 } }),
  };
  return {
    conv2d: {
      ...convolution,
      ...(subgroupSize === 8 && {
        subgroups: { LANES: 8, TM: 32 },
        // Few images: a program of 8 rows compiles several times as fast as one of 32, and computes fewer rows in vain.
        few: { images: 8, rows: 256, subgroups: { LANES: 8, TM: 8 } },
      }),
    },
    'conv2d-backward-input': convolution,
    'conv2d-backward-filter': convolution,
    'mat-mul': { direct: subgroupSize === 4 ? direct : { TM: 4, TN: 4, COLS: 8, ROWS: 1 } },
    dense: { direct: { TM: 8, COLS: 8 } },
    channels: { direct: { LANES: 8, ROWS: 1 }, workgroups: 8, wholeRows: 2 ** 31 },
    elementwise: { direct: { THREADS: 8, PER_THREAD: 64 } },
  };
}

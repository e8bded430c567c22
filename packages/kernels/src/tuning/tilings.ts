/**
 * Register tilings by kind of device, for kernels that have them.
 * The constants in the .wgsl files suit a GPU: 64 threads that read 16 neighbouring columns at a time (chosen from
 * the limits of current GPUs, not yet measured on one). A software device runs one thread per vector lane, where a
 * row shared by the whole workgroup is read once: measured on lavapipe (Mesa 25.0.7, 2 cores of an AMD EPYC,
 * 2026-11-24), 8 x 8 registers over 8 threads gave 11 to 15 GFLOP/s on ResNet-50's convolutions at 32x32, batch 32,
 * against 4 to 7 of 8 x 4 over 16.
 */
export type Tiling = Readonly<Record<string, number>>;
export type TiledKernel = 'conv2d' | 'conv2d-backward-input' | 'conv2d-backward-filter' | 'mat-mul';
export type Tilings = Readonly<Partial<Record<TiledKernel, Tiling>>>;

const software: Tiling = { TM: 8, TN: 8, COLS: 8, ROWS: 1 };

/** Tilings that differ from the shaders' own constants on this kind of device. */
export const defaultTilings = (isSoftware: boolean): Tilings =>
  isSoftware
    ? {
        conv2d: software,
        'conv2d-backward-input': software,
        'conv2d-backward-filter': software,
        'mat-mul': { TM: 4, TN: 4, COLS: 8, ROWS: 1 },
      }
    : {};

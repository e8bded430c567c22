/** Tilings that were measured to win on one adapter, by kernel and bucket of shapes, and whether they still fit it. */
import type { Precision, Shader } from '../wgsl/shader.ts';
import type { DeviceKind, Tiling, Tuning } from './tilings.ts';

/** Kernels with several shaders, whose best tiling depends on the shape. */
export const TUNED_KERNELS = ['conv2d', 'conv2d-backward-input', 'conv2d-backward-filter'] as const;
/** The name of such a kernel. */
export type TunedKernel = (typeof TUNED_KERNELS)[number];

/** The shaders that a kernel may have: plain, with subgroups, staged through workgroup memory, over a flat depth, with matrix units. */
export const VARIANTS = ['direct', 'subgroups', 'staged', 'flat', 'matrix'] as const;
/** The name of such a shader. */
export type VariantName = (typeof VARIANTS)[number];

/** One shader of a kernel with its `// @tune` constants. */
export interface Choice {
  /** Which shader. */
  readonly variant: VariantName;
  /** Values of its constants. */
  readonly tuning: Tuning;
}

/** The best by kernel, and by bucket of shapes. */
export type Choices = Readonly<Partial<Record<TunedKernel, Readonly<Record<string, Choice>>>>>;

/** What `thaw bench --tune` found on one adapter. */
export interface TuningTable {
  /** Name of the device. */
  readonly adapter: string;
  /** Its driver and version. */
  readonly driver: string;
  /** Of that device; undefined where it had none, or several sizes. */
  readonly subgroupSize?: number | undefined;
  /** The day it was measured, as 2026-11-25. */
  readonly date: string;
  /** Fingerprints, at that time, of the shaders that the kernels' choices name. */
  readonly shaders: Readonly<Partial<Record<TunedKernel, string>>>;
  /** What won, by kernel and bucket. */
  readonly choices: Choices;
}

/** The device at hand, as far as it decides whether a table fits. */
export interface TunedDevice extends DeviceKind {
  /** Name of the device. */
  readonly adapter: string;
  /** Its driver and version. */
  readonly driver: string;
}

/** The tiling that makes a plan take this choice wherever the shape allows it, and the default's where not. */
export const chosenTiling = (fallback: Tiling, { variant, tuning }: Choice): Tiling => {
  const { direct, staged, flat, workgroups, splitUpTo } = fallback;
  const base: Tiling = {
    ...(direct && { direct }),
    ...(workgroups !== undefined && { workgroups }),
    ...(splitUpTo !== undefined && { splitUpTo }),
  };
  return variant === 'direct' || variant === 'subgroups'
    ? { ...base, [variant]: tuning }
    : // A bucket may hold shapes whose channels come in fours beside others.
      { ...base, ...(staged && { staged }), ...(flat && { flat }), [variant]: [tuning] };
};

/** A hash of the named shaders' code, comments and blanks aside: FNV-1a, 32 bits, as eight hexadecimal digits. */
export function fingerprint(
  shaders: Readonly<Partial<Record<VariantName, Shader>>>,
  named: ReadonlySet<VariantName>,
): string {
  const code = VARIANTS.filter((variant) => named.has(variant))
    .flatMap((variant) => shaders[variant] ?? [])
    .map(({ source }) => source.replace(/\/\/.*$/gm, '').replace(/\s+/g, ' '))
    .join('\n');
  let hash = 0x811c9dc5;
  for (let i = 0; i < code.length; i++) hash = Math.imul(hash ^ code.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function fitsSubgroups({ variant, tuning }: Choice, { subgroupSize, matrixUnit }: DeviceKind): boolean {
  if (variant === 'matrix' && !(['M', 'N', 'K'] as const).every((side) => tuning[side] === matrixUnit?.[side]))
    return false;
  return (variant !== 'subgroups' && variant !== 'matrix') || tuning['LANES'] === subgroupSize;
}

/**
 * The choices of a table that hold for the shaders and the device at hand.
 * @param current fingerprints of today's shaders that choices name
 * @returns also what was left out, in words; undefined where nothing was
 */
export function fittingChoices(
  table: TuningTable,
  device: TunedDevice,
  current: (choices: Choices) => Readonly<Partial<Record<TunedKernel, string>>>,
): {
  /** Those that hold. */
  readonly choices: Choices;
  /** Why others do not; undefined where there are none. */
  readonly ignored: string | undefined;
} {
  if (table.adapter !== device.adapter)
    return { choices: {}, ignored: `it was made on ${table.adapter}, and this is ${device.adapter}` };
  if (table.driver !== device.driver)
    return { choices: {}, ignored: `it was made with driver ${table.driver}, and this is ${device.driver}` };
  const today = current(table.choices);
  const stale = TUNED_KERNELS.filter(
    (kernel) => today[kernel] !== undefined && table.shaders[kernel] !== today[kernel],
  );
  const choices: Record<string, Record<string, Choice>> = {};
  let unfit = 0;
  for (const kernel of TUNED_KERNELS) {
    if (stale.includes(kernel)) continue;
    const entries = Object.entries(table.choices[kernel] ?? {});
    const fit = entries.filter(([, choice]) => fitsSubgroups(choice, device));
    unfit += entries.length - fit.length;
    choices[kernel] = Object.fromEntries(fit);
  }
  const reasons = [
    ...(stale.length > 0 ? [`the shaders of ${stale.join(', ')} have changed since`] : []),
    ...(unfit > 0 ? [`${unfit} of its tilings are for subgroups or matrix units of another size`] : []),
  ];
  return { choices, ignored: reasons.length > 0 ? reasons.join('; ') : undefined };
}

/** To the next power of two: shapes that near share a tiling. */
const near = (count: number): number => 2 ** Math.round(Math.log2(Math.max(1, count)));

/** The bucket of a convolution's shape, by filter, stride, output pixels, channels in and out, and of how its tensors are stored. */
export function convolutionBucket(
  s: {
    readonly batch: number;
    readonly inC: number;
    readonly outH: number;
    readonly outW: number;
    readonly outC: number;
    readonly kH: number;
    readonly kW: number;
    readonly strideH: number;
  },
  precision: Precision,
): string {
  const pixels = near(s.batch * s.outH * s.outW);
  const shape = `${s.kH}x${s.kW}/${s.strideH}, ${pixels} pixels, ${near(s.inC)} to ${near(s.outC)}`;
  return precision === 'float32' ? shape : `${shape}, ${precision}`;
}

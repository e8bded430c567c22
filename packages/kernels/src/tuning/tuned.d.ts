/** Tilings that were measured to win on one adapter, by kernel and bucket of shapes, and whether they still fit it. */
import type { Shader } from '../wgsl/shader.ts';
import type { DeviceKind, Tiling, Tuning } from './tilings.ts';
/** Kernels with several shaders, whose best tiling depends on the shape. */
export declare const TUNED_KERNELS: readonly ["conv2d", "conv2d-backward-input", "conv2d-backward-filter"];
export type TunedKernel = (typeof TUNED_KERNELS)[number];
export declare const VARIANTS: readonly ["direct", "subgroups", "staged"];
export type VariantName = (typeof VARIANTS)[number];
/** One shader of a kernel with its `// @tune` constants. */
export interface Choice {
    readonly variant: VariantName;
    readonly tuning: Tuning;
}
export type Choices = Readonly<Partial<Record<TunedKernel, Readonly<Record<string, Choice>>>>>;
/** What `thaw bench --tune` found on one adapter. */
export interface TuningTable {
    readonly adapter: string;
    readonly driver: string;
    /** Fingerprints of the kernels' shaders at that time. */
    readonly shaders: Readonly<Partial<Record<TunedKernel, string>>>;
    readonly choices: Choices;
}
/** The device at hand, as far as it decides whether a table fits. */
export interface TunedDevice extends DeviceKind {
    readonly adapter: string;
    readonly driver: string;
}
/** The tiling that makes a plan take this choice wherever the shape allows it, and the default's where not. */
export declare const chosenTiling: (fallback: Tiling, { variant, tuning }: Choice) => Tiling;
/** A hash of the shaders' code, comments and blanks aside: FNV-1a, 32 bits, as eight hexadecimal digits. */
export declare function fingerprint(shaders: Readonly<Partial<Record<VariantName, Shader>>>): string;
/**
 * The choices of a table that hold for the shaders and the device at hand.
 * @param current fingerprints of today's shaders
 * @returns also what was left out, in words; undefined where nothing was
 */
export declare function fittingChoices(table: TuningTable, device: TunedDevice, current: Readonly<Record<TunedKernel, string>>): {
    readonly choices: Choices;
    readonly ignored: string | undefined;
};
/** The bucket of a convolution's shape: filter, stride, output pixels, channels in and out. */
export declare function convolutionBucket(s: {
    readonly batch: number;
    readonly inC: number;
    readonly outH: number;
    readonly outW: number;
    readonly outC: number;
    readonly kH: number;
    readonly kW: number;
    readonly strideH: number;
}): string;

/** A Plan is one dispatch as data: which shader, how specialised, with what parameters, over how many workgroups. */
import type { Shader } from '../wgsl/shader.ts';
/** Element type of a tensor on the device. A bool is a u32 of 0 or 1. */
export type DeviceType = 'float32' | 'int32' | 'bool';
export interface OutputSpec {
    readonly shape: readonly number[];
    readonly dtype: DeviceType;
}
export type Workgroups = readonly [number, number, number];
export interface Plan {
    readonly shader: Shader;
    readonly tuning: Readonly<Record<string, number>>;
    /** Values of the shader's `override`s. */
    readonly constants: Readonly<Record<string, number>>;
    readonly params: Readonly<Record<string, number>>;
    readonly workgroups: Workgroups;
    /** Tensors this dispatch creates, by binding name. A read_write binding not named here is given by the caller. */
    readonly outputs: Readonly<Record<string, OutputSpec>>;
    /**
     * Each element of the read_write bindings follows from the same element of the others alone, over params.size vectors
     * of four: a recorded step may lay such tensors out side by side and make one dispatch of many.
     */
    readonly elementwise?: {
        readonly perWorkgroup: number;
    };
}
/** What plans need of a device; a GPUDevice's own `limits` fits. */
export interface Limits {
    readonly maxComputeWorkgroupsPerDimension: number;
    readonly maxStorageBufferBindingSize: number;
    readonly maxComputeInvocationsPerWorkgroup: number;
    readonly maxComputeWorkgroupStorageSize: number;
}
/** Names a compiled pipeline: shader, tuning and constants, never a tensor's size. */
export declare function pipelineKey({ shader, tuning, constants }: Plan): string;
export declare const elements: (shape: readonly number[]) => number;
/**
 * Folds a one-dimensional count of workgroups into two dimensions that the device allows.
 * The shader recovers its index as `group.y * numWorkgroups.x + group.x` and checks it against its own count.
 * @throws when even the fold is too large, naming the kernel and what to reduce.
 */
export declare function foldWorkgroups(kernel: string, count: number, limits: Limits): Workgroups;
/**
 * A grid of `columns` x `rows` tiles; rows beyond the device's limit are folded into the third dimension, where the
 * shader finds its row tile as `group.z * numWorkgroups.y + group.y` and checks it against its own count.
 */
export declare function foldRows(kernel: string, columns: number, rows: number, limits: Limits): Workgroups;
/** @throws when a tensor is larger than the device can bind, naming kernel, tensor, both sizes and the remedy. */
export declare function checkBinding(kernel: string, tensor: string, shape: readonly number[], limits: Limits): void;

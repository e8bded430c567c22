/** Asks an adapter for a device with the limits and features that the kernels use, and says what it is. */
import type { DeviceKind } from '../tuning/tilings.ts';
export interface AdapterDescription {
    readonly vendor: string;
    readonly architecture: string;
    /** The device's name, as the driver gives it. */
    readonly name: string;
    /** Driver and version, as far as the implementation tells. */
    readonly driver: string;
    /** True for a CPU that plays a GPU (lavapipe, SwiftShader, WARP). */
    readonly isSoftware: boolean;
    readonly features: readonly string[];
    readonly limits: Readonly<Record<WantedLimit, number>>;
}
declare const wantedLimits: readonly ["maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage", "maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupSizeX", "maxComputeWorkgroupSizeY", "maxComputeWorkgroupSizeZ", "maxComputeWorkgroupsPerDimension"];
export type WantedLimit = (typeof wantedLimits)[number];
/** Whether an adapter is a CPU that plays a GPU. */
export declare const isSoftwareAdapter: ({ device, description, architecture }: GPUAdapterInfo) => boolean;
/** What tilings are chosen by. */
export declare function deviceKind({ adapterInfo, features }: GPUDevice): DeviceKind;
/** Reads an adapter's description. Call before requestDevice: some implementations consume the adapter there. */
export declare function describeAdapter(adapter: GPUAdapter): AdapterDescription;
/** A device with every wanted feature the adapter has, and the adapter's own limits. */
export declare function requestDevice(adapter: GPUAdapter): Promise<GPUDevice>;
export {};

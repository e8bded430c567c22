import { type AdapterDescription } from './runtime/device.ts';
export { describeAdapter, type AdapterDescription } from './runtime/device.ts';
/** No adapter was found; `remedy` says how to get one on this platform. */
export declare class NoAdapterError extends Error {
    readonly name = "NoAdapterError";
}
export interface OpenOptions {
    /** Part of the adapter's name, for machines with several. */
    readonly adapter?: string;
    readonly powerPreference?: GPUPowerPreference;
}
export interface OpenedDevice extends AdapterDescription {
    readonly device: GPUDevice;
}
/**
 * Opens the preferred adapter with every limit and every feature that Thaw uses.
 * Dawn prints two warnings about reduced limits for some Vulkan drivers (lavapipe); it has no toggle that silences them.
 * @throws NoAdapterError when Dawn finds no (matching) adapter.
 */
export declare function openDevice(options?: OpenOptions): Promise<OpenedDevice>;

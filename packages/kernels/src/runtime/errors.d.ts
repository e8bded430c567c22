/** Errors of the runtime, one class per situation; each message says what to do next. */
export declare class ThawGpuError extends Error {
    readonly name: string;
}
/** The device went away (driver reset, destroy(), unplugged). Every pending and later read rejects with this. */
export declare class DeviceLostError extends ThawGpuError {
    readonly name = "DeviceLostError";
    constructor(reason: string, message: string);
}
/** A shader did not compile. */
export declare class ShaderError extends ThawGpuError {
    readonly name = "ShaderError";
}
/** Synchronous reads cannot wait for a GPU. */
export declare class NotOnGpuError extends ThawGpuError {
    readonly name = "NotOnGpuError";
    constructor();
}

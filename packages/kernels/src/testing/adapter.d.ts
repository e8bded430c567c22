/** Why tests that need a device are skipped, or undefined where they run. */
export declare const noAdapter: string | undefined;
/** What happened on a device since the last look, in words; scopes are closed and opened anew. */
type Watch = () => Promise<string[]>;
/** A device of its own, inside error scopes. @throws NoAdapterError when Dawn finds no adapter */
export declare function openTestDevice(): Promise<{
    device: GPUDevice;
    takeErrors: Watch;
}>;
export {};

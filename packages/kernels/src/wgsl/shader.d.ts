/**
 * A .wgsl file read as data: its bindings, the fields of its Params and its tunable constants.
 * The file stays valid WGSL as it lies; nothing of its layout is written a second time on the host.
 */
export type BindingType = 'read' | 'read_write' | 'uniform';
export interface Binding {
    readonly name: string;
    readonly index: number;
    readonly type: BindingType;
    /** Bytes of one array element; a buffer bound here must hold a multiple of it. 0 for the uniform. */
    readonly stride: number;
    /** Type of the numbers that it holds; u32 also where a shader only moves bits. Undefined for the uniform. */
    readonly element: ParamType | undefined;
}
export type ParamType = 'u32' | 'i32' | 'f32';
export interface Shader {
    readonly name: string;
    readonly source: string;
    readonly bindings: readonly Binding[];
    readonly params: readonly {
        readonly name: string;
        readonly type: ParamType;
    }[];
    readonly tunables: Readonly<Record<string, number>>;
    readonly overrides: readonly string[];
}
/** Reads bindings, Params and tunables of a shader. @throws when Params holds anything but u32, i32 and f32. */
export declare function readShader(name: string, source: string): Shader;
/** The source with its `// @tune` constants set. @throws on a name that the file does not declare. */
export declare function specialise(shader: Shader, tuning: Readonly<Record<string, number>>): string;
/** Bytes of the uniform block: WGSL rounds a uniform struct up to 16. */
export declare const paramsSize: (shader: Shader) => number;
/** Packs Params by field name into 4-byte slots. @throws on a missing or a surplus field. */
export declare function packParams(shader: Shader, values: Readonly<Record<string, number>>): ArrayBuffer;

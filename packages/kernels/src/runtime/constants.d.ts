/** Flag values fixed by the WebGPU specification, so that no global object is needed (Node has none). */
export declare const bufferUsage: {
    readonly MAP_READ: 1;
    readonly COPY_SRC: 4;
    readonly COPY_DST: 8;
    readonly UNIFORM: 64;
    readonly STORAGE: 128;
    readonly QUERY_RESOLVE: 512;
};
export declare const MAP_MODE_READ = 1;
export declare const SHADER_STAGE_COMPUTE = 4;

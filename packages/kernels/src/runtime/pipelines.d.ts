/**
 * Compiled pipelines, one per pipeline key. Compilation starts when a plan is first seen and runs in parallel;
 * the queue holds back a dispatch until its pipeline is there.
 */
import { type Shader } from '../wgsl/shader.ts';
import { type Plan } from './plan.ts';
export interface Pipeline {
    readonly key: string;
    readonly shader: Shader;
    readonly layout: GPUBindGroupLayout;
    /** Set once compiled. */
    compiled: GPUComputePipeline | undefined;
    /** Settles when compiled; rejects with a ShaderError that names file, line and tuning. */
    readonly ready: Promise<void>;
}
export declare class PipelineCache {
    #private;
    private readonly device;
    constructor(device: GPUDevice);
    get size(): number;
    get(plan: Plan): Pipeline;
}

/**
 * Compiled pipelines, one per pipeline key. Compilation starts when a plan is first seen and runs in parallel;
 * the queue holds back a dispatch until its pipeline is there.
 */
import { paramsSize, specialise, type Shader } from '../wgsl/shader.ts';
import { unroll } from '../wgsl/unroll.ts';
import { SHADER_STAGE_COMPUTE } from './constants.ts';
import { needsUnrolling } from './device.ts';
import { ShaderError } from './errors.ts';
import { pipelineKey, type Plan } from './plan.ts';

export interface Pipeline {
  readonly key: string;
  readonly shader: Shader;
  readonly layout: GPUBindGroupLayout;
  /** Set once compiled. */
  compiled: GPUComputePipeline | undefined;
  /** Settles when compiled; rejects with a ShaderError that names file, line and tuning. */
  readonly ready: Promise<void>;
}

const bufferType = { read: 'read-only-storage', read_write: 'storage', uniform: 'uniform' } as const;

export class PipelineCache {
  #pipelines = new Map<string, Pipeline>();
  #layouts = new Map<string, GPUBindGroupLayout>();

  static readonly #caches = new WeakMap<GPUDevice, PipelineCache>();

  /** The cache of a device, which its backends share one after the other. */
  static of(device: GPUDevice): PipelineCache {
    const found = this.#caches.get(device) ?? new PipelineCache(device);
    this.#caches.set(device, found);
    return found;
  }

  constructor(private readonly device: GPUDevice) {}

  get size(): number {
    return this.#pipelines.size;
  }

  get(plan: Plan): Pipeline {
    const key = pipelineKey(plan);
    const found = this.#pipelines.get(key);
    if (found) return found;
    const layout = this.#layoutOf(plan.shader);
    const pipeline: Pipeline = { key, shader: plan.shader, layout, compiled: undefined, ready: Promise.resolve() };
    const ready = this.#compile(plan, layout).then((compiled) => {
      pipeline.compiled = compiled;
    });
    // The rejection is reported by whoever waits for the pipeline; without a waiter it must not end the process.
    ready.catch(() => undefined);
    this.#pipelines.set(key, Object.assign(pipeline, { ready }));
    return pipeline;
  }

  #layoutOf(shader: Shader): GPUBindGroupLayout {
    const signature = shader.bindings
      .map((b) => `${b.index}${b.type}${b.type === 'uniform' ? paramsSize(shader) : ''}`)
      .join();
    const found = this.#layouts.get(signature);
    if (found) return found;
    const layout = this.device.createBindGroupLayout({
      label: shader.name,
      entries: shader.bindings.map((b) => ({
        binding: b.index,
        visibility: SHADER_STAGE_COMPUTE,
        buffer: { type: bufferType[b.type], hasDynamicOffset: b.type === 'uniform' },
      })),
    });
    this.#layouts.set(signature, layout);
    return layout;
  }

  async #compile(plan: Plan, layout: GPUBindGroupLayout): Promise<GPUComputePipeline> {
    const { shader, tuning, constants, precision = 'float32' } = plan;
    const { device } = this;
    const written = specialise(shader, tuning, precision);
    const isUnrolled = shader.unrolled || needsUnrolling(device.adapterInfo);
    const code = isUnrolled ? unroll(written, { branches: shader.unrolled }) : written;
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code, label: shader.name });
    const moduleError = device.popErrorScope();
    const where = `tuning ${JSON.stringify(tuning)}, constants ${JSON.stringify(constants)}, stored in ${precision}`;
    const [problem] = (await module.getCompilationInfo()).messages.filter((m) => m.type === 'error');
    await moduleError;
    if (problem)
      throw new ShaderError(
        `${shader.name}.wgsl:${problem.lineNum}:${problem.linePos} ${problem.message}\n` +
          `  ${code.split('\n')[problem.lineNum - 1] ?? ''}\n  ${where}`,
      );
    try {
      return await device.createComputePipelineAsync({
        label: plan.shader.name,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main', constants: { ...constants } },
      });
    } catch (cause) {
      throw new ShaderError(
        `${shader.name}.wgsl: ${cause instanceof Error ? cause.message : String(cause)}\n  ${where}`,
        {
          cause,
        },
      );
    }
  }
}

/** A GPUDevice that computes nothing: it makes buffers, keeps account of them, and has WebGPU's default limits. */

/** Buffers that a device without a GPU was asked for. */
export interface BufferLog {
  readonly created: GPUBuffer[];
  readonly destroyed: GPUBuffer[];
}

/** WebGPU's guaranteed limits, as far as plans and the runtime read them. */
export const defaultLimits = {
  maxBufferSize: 268_435_456,
  maxStorageBufferBindingSize: 134_217_728,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65_535,
};

/** @param overrides limits other than WebGPU's defaults */
export function absentDevice(overrides: Partial<typeof defaultLimits> = {}): { device: GPUDevice; log: BufferLog } {
  const log: BufferLog = { created: [], destroyed: [] };
  const createBuffer = ({ size, usage }: GPUBufferDescriptor): GPUBuffer => {
    const buffer = { size, usage, destroy: () => void log.destroyed.push(buffer) } as GPUBuffer;
    log.created.push(buffer);
    return buffer;
  };
  const device = {
    limits: { ...defaultLimits, ...overrides } as GPUSupportedLimits,
    features: new Set<string>(),
    adapterInfo: { vendor: '', architecture: '', device: 'none', description: '', subgroupMinSize: 4, subgroupMaxSize: 128 } as GPUAdapterInfo, // prettier-ignore
    lost: new Promise<GPUDeviceLostInfo>(() => undefined),
    createBuffer,
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(null),
    destroy: () => undefined,
  } as Partial<GPUDevice> as GPUDevice;
  return { device, log };
}

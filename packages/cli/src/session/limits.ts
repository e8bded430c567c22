// The limits that the kernels count on, which are the least that WebGPU guarantees, against those of an adapter.
import type { AdapterDescription } from '@thaw/kernels';

type LimitName = keyof AdapterDescription['limits'];

/** WebGPU's guaranteed minimum of each limit that plays a part. */
const NEEDED: Readonly<Partial<Record<LimitName, number>>> = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 2 ** 14,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65_535,
};

export interface LimitCheck {
  readonly name: string;
  readonly needed: number;
  readonly had: number;
  readonly ok: boolean;
}

export function checkLimits(had: AdapterDescription['limits']): LimitCheck[] {
  return Object.entries(had).flatMap(([name, value]) => {
    const needed = isNeeded(name) ? NEEDED[name] : undefined;
    return needed === undefined ? [] : [{ name, needed, had: value, ok: value >= needed }];
  });
}

const isNeeded = (name: string): name is LimitName => Object.hasOwn(NEEDED, name);

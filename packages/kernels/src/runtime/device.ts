/** Asks an adapter for a device with the limits and features that the kernels use, and says what it is. */
import type { DeviceKind } from '../tuning/tilings.ts';
import type { TunedDevice } from '../tuning/tuned.ts';

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

/** Used where the adapter has them; nothing requires them. */
const wantedFeatures = ['timestamp-query', 'shader-f16', 'subgroups'] as const;

const wantedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const;
export type WantedLimit = (typeof wantedLimits)[number];

const isFeature = (name: string, features: ReadonlySet<string>): boolean => features.has(name);

/** Whether an adapter is a CPU that plays a GPU. */
export const isSoftwareAdapter = ({ device, description, architecture }: GPUAdapterInfo): boolean =>
  /llvmpipe|lavapipe|swiftshader|softpipe|basic render/i.test(`${device} ${description} ${architecture}`);

/** What tilings are chosen by. */
export function deviceKind({ adapterInfo, features }: GPUDevice): DeviceKind {
  const { subgroupMinSize, subgroupMaxSize } = adapterInfo;
  const hasOneSize = isFeature('subgroups', features) && subgroupMinSize === subgroupMaxSize;
  return { isSoftware: isSoftwareAdapter(adapterInfo), subgroupSize: hasOneSize ? subgroupMinSize : undefined };
}

/** Dawn's `device` of a software adapter is a slug, and its description reads "name: version" or just a driver's version. */
function adapterName({ device, description, vendor }: GPUAdapterInfo): string {
  const isSlug = /^[a-z0-9-]+$/.test(device) && device.includes('-');
  if (device && !isSlug) return device;
  return description.split(':')[0]?.trim() || device || vendor || 'unnamed adapter';
}

/** What a table of tuned tilings is held against. */
export function tunedDevice(device: GPUDevice): TunedDevice {
  const { adapterInfo } = device;
  return { adapter: adapterName(adapterInfo), driver: adapterInfo.description, ...deviceKind(device) };
}

/** Reads an adapter's description. Call before requestDevice: some implementations consume the adapter there. */
export function describeAdapter(adapter: GPUAdapter): AdapterDescription {
  const { info } = adapter;
  const limits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    name: adapterName(info),
    driver: info.description,
    isSoftware: isSoftwareAdapter(info),
    features: wantedFeatures.filter((name) => isFeature(name, adapter.features)),
    limits: limits as Record<WantedLimit, number>,
  };
}

/** A device with every wanted feature the adapter has, and the adapter's own limits. */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredFeatures = wantedFeatures.filter((name) => isFeature(name, adapter.features));
  const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
  return adapter.requestDevice({ label: 'thaw', requiredFeatures, requiredLimits });
}

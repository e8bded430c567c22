/** Asks an adapter for a device with the limits and features that the kernels use, and says what it is. */
import type { DeviceKind, MatrixUnit } from '../tuning/tilings.ts';
import type { TunedDevice } from '../tuning/tuned.ts';

/** What an adapter is and has. */
export interface AdapterDescription {
  /** As `nvidia`; may be empty. */
  readonly vendor: string;
  /** As `ampere`; may be empty. */
  readonly architecture: string;
  /** The device's name, as the driver gives it. */
  readonly name: string;
  /** Driver and version, as far as the implementation tells. */
  readonly driver: string;
  /** True for a CPU that plays a GPU (lavapipe, SwiftShader, WARP). */
  readonly isSoftware: boolean;
  /** Of those that Thaw uses, the ones that it has. */
  readonly features: readonly string[];
  /** What multiplies matrices of float16 into float32, if anything does that the kernels can use. */
  readonly matrixUnit: MatrixUnit | undefined;
  /** Of those that Thaw needs, what it has. */
  readonly limits: Readonly<Record<WantedLimit, number>>;
}

/** Not in WebGPU's standard yet: Dawn shows it with the toggle allow_unsafe_apis, Chromium with a flag. */
const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix';

/** Used where the adapter has them; nothing requires them. */
const wantedFeatures = ['timestamp-query', 'shader-f16', 'subgroups', MATRIX_FEATURE] as const;

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
/** The name of a WebGPU limit that Thaw raises to the adapter's own. */
export type WantedLimit = (typeof wantedLimits)[number];

const isFeature = (name: string, features: ReadonlySet<string>): boolean => features.has(name);

/** A product that an adapter's matrix units can make, as Chromium's experiment describes it. */
interface MatrixConfig extends MatrixUnit {
  readonly componentType: string;
  readonly resultComponentType: string;
}
const hasMatrices = (
  info: GPUAdapterInfo,
): info is GPUAdapterInfo & { subgroupMatrixConfigs: Iterable<MatrixConfig> } => 'subgroupMatrixConfigs' in info;

/** The matrix unit of a device, which its adapter alone knows. */
const matrixUnits = new WeakMap<GPUDevice, MatrixUnit>();

/** Lanes of every subgroup; undefined where there are no subgroups, or several sizes. */
function oneSubgroupSize(
  { subgroupMinSize, subgroupMaxSize }: GPUAdapterInfo,
  features: ReadonlySet<string>,
): number | undefined {
  // prettier-ignore
  return isFeature('subgroups', features) && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : undefined;
}

/** The largest product of float16 into float32 whose sides the shaders can stage, in vectors of eight halves. */
export function matrixUnitOf(info: GPUAdapterInfo, features: ReadonlySet<string>): MatrixUnit | undefined {
  const canUse = isFeature(MATRIX_FEATURE, features) && isFeature('shader-f16', features);
  if (!canUse || oneSubgroupSize(info, features) === undefined || !hasMatrices(info)) return undefined;
  const [largest] = [...info.subgroupMatrixConfigs]
    .filter(({ componentType, resultComponentType }) => componentType === 'f16' && resultComponentType === 'f32')
    .filter(({ M, N, K }) => [M, N, K].every((side) => side % 8 === 0 && side <= 32))
    .sort((a, b) => b.M * b.N * b.K - a.M * a.N * a.K);
  return largest && { M: largest.M, N: largest.N, K: largest.K };
}

/** Whether an adapter is a CPU that plays a GPU. */
export const isSoftwareAdapter = ({ device, description, architecture }: GPUAdapterInfo): boolean =>
  /llvmpipe|lavapipe|swiftshader|softpipe|basic render/i.test(`${device} ${description} ${architecture}`);

/** Whether an adapter's compiler leaves loops over registers as they are (wgsl/unroll.ts). */
export const needsUnrolling = ({ device, description, architecture }: GPUAdapterInfo): boolean =>
  /swiftshader/i.test(`${device} ${description} ${architecture}`);

/** What tilings are chosen by. */
export function deviceKind(device: GPUDevice): DeviceKind {
  const { adapterInfo, features } = device;
  return {
    isSoftware: isSoftwareAdapter(adapterInfo),
    subgroupSize: oneSubgroupSize(adapterInfo, features),
    matrixUnit: matrixUnits.get(device),
  };
}

/**
 * Dawn's `device` of a software adapter is a slug, and its description reads "name: version" or just a driver's version.
 * Chromium gives a number for the device and its name as the description, or, without its developer features, neither.
 */
function adapterName({ device, description, vendor, architecture }: GPUAdapterInfo): string {
  const isSlug = /^[a-z0-9-]+$/.test(device) && (device.includes('-') || device.startsWith('0x'));
  if (device && !isSlug) return device;
  return description.split(':')[0]?.trim() || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter'; // prettier-ignore
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
    matrixUnit: matrixUnitOf(info, adapter.features),
    limits: limits as Record<WantedLimit, number>,
  };
}

/**
 * A device with every wanted feature the adapter has, and the adapter's own limits.
 * @param matrixUnits false leaves the adapter's matrix units alone
 */
export async function requestDevice(adapter: GPUAdapter, { matrixUnits: mayUse = true } = {}): Promise<GPUDevice> {
  const isWanted = (name: string): name is GPUFeatureName => isFeature(name, adapter.features);
  const names: readonly string[] = wantedFeatures.filter((name) => mayUse || name !== MATRIX_FEATURE);
  const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
  const unit = mayUse ? matrixUnitOf(adapter.info, adapter.features) : undefined;
  const device = await adapter.requestDevice({ label: 'thaw', requiredFeatures: names.filter(isWanted), requiredLimits }); // prettier-ignore
  if (unit) matrixUnits.set(device, unit);
  return device;
}

/** An adapter's description and the device that was made from it. */
export interface OpenedDevice extends AdapterDescription {
  /** The device; destroy it when it is no longer needed. */
  readonly device: GPUDevice;
}

/** Describes an adapter and makes a device of it. @param matrixUnits false leaves the adapter's matrix units alone */
export async function openAdapter(adapter: GPUAdapter, matrixUnits = true): Promise<OpenedDevice> {
  const description = describeAdapter(adapter);
  return { ...description, device: await requestDevice(adapter, { matrixUnits }) };
}

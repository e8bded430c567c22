// Weights from files in THAW_HOME or wherever the caller points: found, read, checked against their published hash.
import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Architecture, VariantName } from '../resnet50/index.ts';
import {
  fromKerasNames,
  fromKerasSafetensors,
  fromTorchvision,
  randomWeights,
  readSafetensors,
  WEIGHT_FILES,
  WeightsError,
  type TrunkWeights,
  type WeightFile,
  type WeightSource,
} from '../weights/index.ts';
import { readKerasH5 } from './keras-h5.ts';

/** Which weights, from where. */
export interface LoadWeightsOptions {
  /** Whose weights, or `random`. */
  source: WeightSource;
  /** A file to read instead of looking in `home`. */
  file?: string;
  /** THAW_HOME; files are looked for in its `weights` folder. */
  home: string;
  /** True where the ImageNet top is needed; default false. */
  includeTop?: boolean;
  /** Of random weights; default 0. */
  seed?: number;
  /** Of random weights; default torchvision. */
  variant?: VariantName;
  /** Tests load tiny networks. */
  architecture?: Architecture;
}

/** No file of the wanted source is there; `candidates` are those that would do, with their URLs. */
export class MissingWeightsError extends WeightsError {
  /** Files that would do. */
  readonly candidates: readonly WeightFile[];
  /** Where they belong. */
  readonly folder: string;

  constructor(source: string, folder: string, candidates: readonly WeightFile[]) {
    const names = candidates.map(({ fileName, url }) => (url ? `${fileName} (${url})` : fileName));
    super(`No ${source} weights in ${folder}: put there ${names.join(' or ')}, or name a file.`);
    this.candidates = candidates;
    this.folder = folder;
  }
}

/**
 * Reads and checks the weights of a source.
 *
 * @throws MissingWeightsError when there is no file, so that the caller may download one
 * @throws WeightsError | SafetensorsError when the file is truncated, of another network or source, or its hash is wrong
 */
export async function loadWeights(options: LoadWeightsOptions): Promise<TrunkWeights> {
  const { source, seed = 0, variant, architecture } = options;
  const tiny = architecture ? { architecture } : {};
  if (source === 'random') return randomWeights({ seed, ...(variant ? { variant } : {}), ...tiny });
  const path = options.file ?? (await findWeightsFile(options));
  const bytes = await readBytes(path);
  refuseOtherFormats(source, path, bytes);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const weights = await parse(source, path, bytes, { label: path, hash, ...tiny });
  checkHash(path, bytes, hash);
  if (options.includeTop && !weights.includeTop) {
    throw new WeightsError(`${path}: it has no top (predictions), which is needed here; use a file with one.`);
  }
  return weights;
}

/** The path of the first known file of a source that is in `home`. @throws MissingWeightsError when none is */
export async function findWeightsFile({
  source,
  home,
  includeTop = false,
}: Pick<LoadWeightsOptions, 'source' | 'home' | 'includeTop'>): Promise<string> {
  const folder = join(home, 'weights');
  const candidates = WEIGHT_FILES.filter((file) => file.source === source && (file.includeTop || !includeTop));
  for (const { fileName } of candidates) {
    const path = join(folder, fileName);
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new MissingWeightsError(source, folder, candidates);
}

async function parse(
  source: Exclude<WeightSource, 'random'>,
  path: string,
  bytes: Uint8Array,
  options: { label: string; hash: string; architecture?: Architecture },
): Promise<TrunkWeights> {
  switch (source) {
    case 'keras':
      return isHdf5(bytes)
        ? fromKerasNames(await readKerasH5(path), { ...options, variant: 'keras' })
        : fromKerasSafetensors(readSafetensors(bytes, path), { ...options, variant: 'keras' });
    case 'torchvision':
      return fromTorchvision(readSafetensors(bytes, path), options);
    case 'tf-official':
      return fromKerasSafetensors(readSafetensors(bytes, path), { ...options, variant: 'tf-official' });
    default:
      source satisfies never;
      throw new WeightsError(`Unknown weight source '${String(source)}'.`);
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new WeightsError(`${path}: not readable: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function refuseOtherFormats(source: WeightSource, path: string, bytes: Uint8Array): void {
  if (isHdf5(bytes) && source !== 'keras') {
    throw new WeightsError(
      `${path}: an HDF5 file, but ${source} weights come as safetensors; choose the weight source keras.`,
    );
  }
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    throw new WeightsError(
      `${path}: a zip archive, as PyTorch's .pth and Keras's .keras are; convert it to safetensors.`,
    );
  }
  if (source === 'keras' && !isHdf5(bytes) && extname(path) !== '.safetensors') {
    throw new WeightsError(`${path}: not an HDF5 file: its first bytes are not HDF5's signature.`);
  }
}

function isHdf5(bytes: Uint8Array): boolean {
  return [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte);
}

/** A file under a known name must be that file. */
function checkHash(path: string, bytes: Uint8Array, sha256: string): void {
  const known = WEIGHT_FILES.find(({ fileName }) => fileName === basename(path));
  const check = (kind: string, got: string, wanted: string | undefined): void => {
    if (wanted === undefined || got === wanted) return;
    throw new WeightsError(
      `${path}: its ${kind} is ${got}, but ${known?.fileName} has ${wanted}; ` +
        'delete it and download it again, or rename it if it is your own.',
    );
  };
  check('SHA-256', sha256, known?.sha256);
  if (known?.md5 !== undefined) check('MD5', createHash('md5').update(bytes).digest('hex'), known.md5);
}

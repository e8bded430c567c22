// Weights whose tensors have Keras's names and layouts already: tf-official's safetensors, and Keras's own h5 once read.
import type { Architecture, VariantName } from '../resnet50/index.ts';
import { toFloat32, type SafetensorsFile } from './safetensors.ts';
import {
  assembleWeights,
  networkVariables,
  refuseUnknownKeys,
  WeightsError,
  type TrunkWeights,
  type WeightTensor,
} from './trunk-weights.ts';

/** What is known of a file of weights with Keras's names. */
export interface KerasNamedOptions {
  /** Whose ResNet-50 it is. */
  variant: VariantName;
  /** How messages call the file. */
  label: string;
  /** Names the values: the file's SHA-256. */
  hash: string;
  /** Default RESNET50. */
  architecture?: Architecture;
}

/** Weights from tensors under Keras's names. @throws WeightsError when a tensor is missing, misshapen, or of another network */
export function fromKerasNames(tensors: ReadonlyMap<string, WeightTensor>, options: KerasNamedOptions): TrunkWeights {
  const { label, variant, architecture } = options;
  const weights = assembleWeights({ ...options, find: (name) => ({ key: name, tensor: tensors.get(name) }) });
  const known = new Set(networkVariables(variant, true, 1, architecture).map(({ name }) => name));
  refuseUnknownKeys(
    label,
    [...tensors.keys()].filter((name) => !known.has(name)),
  );
  return weights;
}

/**
 * Safetensors with Keras's names (F32, F16 or BF16), as tf-official's.
 *
 * @throws WeightsError also when its metadata states another architecture or variant
 */
export function fromKerasSafetensors(file: SafetensorsFile, options: KerasNamedOptions): TrunkWeights {
  const { label, variant } = options;
  const { architecture, variant: stated } = file.metadata;
  if (architecture !== undefined && architecture !== 'resnet50') {
    throw new WeightsError(`${label}: its metadata says architecture '${architecture}', not 'resnet50'.`);
  }
  if (stated !== undefined && !stated.startsWith(variant)) {
    throw new WeightsError(
      `${label}: its metadata says variant '${stated}', not '${variant}'; choose that source of weights.`,
    );
  }
  if (file.tensors.has('layer1.0.conv1.weight')) {
    throw new WeightsError(`${label}: its tensors have torchvision's names; choose the weight source torchvision.`);
  }
  return fromKerasNames(floatTensors(file, label), options);
}

/** All tensors as float32. @throws WeightsError for whole-number tensors */
export function floatTensors(file: SafetensorsFile, label: string): Map<string, WeightTensor> {
  const tensors = new Map<string, WeightTensor>();
  for (const [name, tensor] of file.tensors) {
    const data = toFloat32(tensor);
    if (!data)
      throw new WeightsError(`${label}: tensor '${name}' is ${tensor.dtype}; weights must be F32, F16 or BF16.`);
    tensors.set(name, { shape: tensor.shape, data });
  }
  return tensors;
}

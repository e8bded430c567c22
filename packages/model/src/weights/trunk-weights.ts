// Weights of a whole network under Keras's names, whatever file they came from, checked against the layer table.
import { layerTable, VARIANTS, type Architecture, type LayerVariable, type VariantName } from '../resnet50/index.ts';

/** A tensor of weights on the host. */
export interface WeightTensor {
  /** As Keras has it: filters [height, width, in, out]. */
  shape: number[];
  /** Its values, row by row. */
  data: Float32Array;
}

/** The weights of a whole network, by Keras's names. */
export interface TrunkWeights {
  /** Whose ResNet-50 they are of. */
  variant: VariantName;
  /** Whether `predictions/kernel` and `predictions/bias` are there. */
  includeTop: boolean;
  /** Outputs of `predictions`; 0 without top. */
  topClasses: number;
  /** `conv1_conv/kernel` (HWIO), `conv1_bn/moving_mean`, ...: every variable of the layer table. */
  tensors: Map<string, WeightTensor>;
  /** Default RESNET50; tests have tiny ones. */
  architecture?: Architecture;
  /** Names these very values: the file's SHA-256, or `random-...`. Keys the feature cache. */
  hash: string;
}

/** Weights that do not fit the network; the message names file, key and shapes. */
export class WeightsError extends Error {
  override readonly name = 'WeightsError';
}

/** What a reader of a weight file hands over for one variable: its own name for it, and the values where they are there. */
export interface FoundTensor {
  /** As the file calls it. */
  key: string;
  tensor: WeightTensor | undefined;
}

export interface AssembleOptions {
  variant: VariantName;
  /** How messages call the file. */
  label: string;
  hash: string;
  /** The file's tensor for a Keras name. */
  find: (name: string) => FoundTensor;
  architecture?: Architecture;
}

/**
 * Collects every variable of the network, with the top if the file has it.
 *
 * @throws WeightsError for a missing or misshapen tensor, naming the file's key and both shapes
 */
export function assembleWeights({ variant, label, hash, find, architecture }: AssembleOptions): TrunkWeights {
  const top = find('predictions/kernel').tensor;
  const includeTop = top !== undefined;
  const topClasses = top?.shape[1] ?? 0;
  const tensors = new Map<string, WeightTensor>();
  const variables = networkVariables(variant, includeTop, topClasses, architecture);
  for (const { name, shape } of variables) {
    const { key, tensor } = find(name);
    const wanted = `[${shape.join(', ')}]`;
    const alias = key === name ? '' : ` (${name})`;
    if (!tensor) {
      throw new WeightsError(`${label}: tensor '${key}'${alias} of shape ${wanted} is missing; is this a ResNet-50?`);
    }
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
      throw new WeightsError(
        `${label}: tensor '${key}'${alias} has shape [${tensor.shape.join(', ')}], ` +
          `but the ${variant} ResNet-50 needs ${wanted}${key === name ? '' : ` (${name}, after transposing)`}.`,
      );
    }
    tensors.set(name, tensor);
  }
  return { variant, includeTop, topClasses, tensors, hash };
}

/** Every variable of a network, in the layer table's order. */
export function networkVariables(
  variant: VariantName,
  includeTop: boolean,
  classes: number,
  architecture?: Architecture,
): LayerVariable[] {
  const options = { imageSize: 32, includeTop, classes, ...(architecture ? { architecture } : {}) };
  return layerTable(VARIANTS[variant], options).flatMap(({ variables }) => variables);
}

/** @throws WeightsError naming keys that belong to no variable: the file is of another network */
export function refuseUnknownKeys(label: string, unknown: readonly string[]): void {
  if (unknown.length === 0) return;
  const shown = unknown.slice(0, 5).map((key) => `'${key}'`);
  const more = unknown.length > shown.length ? ` and ${unknown.length - shown.length} more` : '';
  throw new WeightsError(
    `${label}: it holds ${shown.join(', ')}${more}, which ResNet-50 does not have; it is of another network.`,
  );
}

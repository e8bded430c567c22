// ResNet-50 as torchvision and timm store it: their names, OIHW filters and [out, in] matrices, to Keras's.
import type { Architecture } from '../resnet50/index.ts';
import { toFloat32, type SafeTensor, type SafetensorsFile } from './safetensors.ts';
import {
  assembleWeights,
  refuseUnknownKeys,
  WeightsError,
  type TrunkWeights,
  type WeightTensor,
} from './trunk-weights.ts';

const VARIABLES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  gamma: 'weight',
  bias: 'bias',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

/** torchvision's name for one of Keras's: `conv3_block1_0_bn/gamma` is `layer2.0.downsample.1.weight`. */
export function torchvisionName(name: string): string {
  const [layer = '', variable = ''] = name.split('/');
  const suffix = VARIABLES[variable];
  if (suffix === undefined) throw new Error(`torchvisionName: '${name}' is not a variable of ResNet-50.`);
  return `${torchvisionModule(layer)}.${suffix}`;
}

function torchvisionModule(layer: string): string {
  if (layer === 'predictions') return 'fc';
  const stem = /^conv1_(conv|bn)$/.exec(layer);
  if (stem) return `${stem[1]}1`;
  const match = /^conv(\d+)_block(\d+)_(\d)_(conv|bn)$/.exec(layer);
  if (!match) throw new Error(`torchvisionModule: '${layer}' is not a layer of ResNet-50 with variables.`);
  const [stage, block, number, kind] = [Number(match[1]), Number(match[2]), match[3], match[4]];
  const inner = number === '0' ? `downsample.${kind === 'conv' ? 0 : 1}` : `${kind}${number}`;
  return `layer${stage - 1}.${block - 1}.${inner}`;
}

/** What is known of a file of torchvision's or timm's weights. */
export interface TorchvisionOptions {
  /** How messages call the file. */
  label: string;
  /** Names the values: the file's SHA-256. */
  hash: string;
  /** Default RESNET50. */
  architecture?: Architecture;
}

/** Weights from torchvision's or timm's safetensors. @throws WeightsError when a tensor is missing, misshapen, not floating-point, or of another network */
export function fromTorchvision(file: SafetensorsFile, options: TorchvisionOptions): TrunkWeights {
  const { label } = options;
  if (file.tensors.has('conv1_conv/kernel')) {
    throw new WeightsError(
      `${label}: its tensors have Keras's names; choose the weight source tf-official (or keras).`,
    );
  }
  const used = new Set<string>();
  const weights = assembleWeights({
    ...options,
    variant: 'torchvision',
    find(name) {
      const key = torchvisionName(name);
      const found = file.tensors.get(key);
      if (found) used.add(key);
      return { key, tensor: found && channelsLast(found, `${label}: tensor '${key}'`) };
    },
  });
  // PyTorch counts the batches that a batch-norm has seen, which nothing reads. A lone fc.bias goes with fc.weight.
  const ignored = (key: string): boolean => key.endsWith('.num_batches_tracked');
  refuseUnknownKeys(
    label,
    [...file.tensors.keys()].filter((key) => !used.has(key) && !ignored(key)),
  );
  return weights;
}

/** OIHW to HWIO, [out, in] to [in, out], and vectors as they are. */
function channelsLast(tensor: SafeTensor, label: string): WeightTensor {
  const data = toFloat32(tensor);
  if (!data) throw new WeightsError(`${label} is ${tensor.dtype}; weights must be F32, F16 or BF16.`);
  const [outChannels = 1, inChannels = 1, ...window] = tensor.shape;
  if (tensor.shape.length !== 4 && tensor.shape.length !== 2) return { shape: tensor.shape, data };
  const area = window.reduce((a, b) => a * b, 1);
  const transposed = new Float32Array(data.length);
  let from = 0;
  for (let o = 0; o < outChannels; o++) {
    for (let i = 0; i < inChannels; i++) {
      for (let at = 0; at < area; at++) transposed[(at * inChannels + i) * outChannels + o] = data[from++] ?? 0;
    }
  }
  return { shape: [...window, inChannels, outChannels], data: transposed };
}

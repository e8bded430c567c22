// The network in float64, layer by layer along Keras's table: nothing folded, nothing fused, loops only.
// The oracle for the network's forward pass and, by finite differences, for its gradients.
import type { Layer, Variant } from '../resnet50/index.ts';

/** An NHWC activation. */
export interface Activation {
  shape: [number, number, number, number];
  data: Float64Array;
}

export type Values = ReadonlyMap<string, { shape: readonly number[]; data: ArrayLike<number> }>;

export interface ReferenceOptions {
  variant: Variant;
  /** Without top. */
  table: readonly Layer[];
  values: Values;
  /** Whether this batch-norm layer runs on the batch's statistics. */
  onBatch: (layer: string) => boolean;
}

/** What the last layer gives, and the batch statistics that were used. */
export function referenceForward(
  images: Activation,
  { variant, table, values, onBatch }: ReferenceOptions,
): { output: Activation; statistics: Map<string, { mean: number[]; biasedVariance: number[]; count: number }> } {
  const outputs = new Map<string, Activation>();
  const statistics = new Map<string, { mean: number[]; biasedVariance: number[]; count: number }>();
  const value = (name: string): ArrayLike<number> => {
    const found = values.get(name);
    if (!found) throw new Error(`referenceForward: no ${name}`);
    return found.data;
  };
  for (const layer of table) {
    const inputs = layer.inputs.map((name) => outputs.get(name) as Activation);
    const [x = images, other = images] = inputs;
    const run = (): Activation => {
      switch (layer.kind) {
        case 'InputLayer':
          return images;
        case 'ZeroPadding2D': {
          const total = (layer.outputShape[0] ?? 0) - x.shape[1];
          return pad(x, Math.floor(total / 2), Math.ceil(total / 2));
        }
        case 'Conv2D': {
          const kernel = layer.variables[0];
          const size = kernel?.shape[0] ?? 0;
          // conv1_pad has padded conv1 already.
          const padded = layer.name === 'conv1_conv' ? x : pad(x, (size - 1) / 2, (size - 1) / 2);
          const bias = variant.convBias ? value(`${layer.name}/bias`) : undefined;
          return convolve(
            padded,
            value(`${layer.name}/kernel`),
            kernel?.shape ?? [],
            strideOf(layer.name, variant),
            bias,
          );
        }
        case 'BatchNormalization': {
          const batch = onBatch(layer.name) ? batchStatistics(x) : undefined;
          if (batch) statistics.set(layer.name, batch);
          const mean = batch?.mean ?? value(`${layer.name}/moving_mean`);
          const variance = batch?.biasedVariance ?? value(`${layer.name}/moving_variance`);
          const [gamma, beta] = [value(`${layer.name}/gamma`), value(`${layer.name}/beta`)];
          const channels = x.shape[3];
          const data = x.data.map((v, i) => {
            const c = i % channels;
            return ((v - at(mean, c)) / Math.sqrt(at(variance, c) + variant.epsilon)) * at(gamma, c) + at(beta, c);
          });
          return { shape: x.shape, data };
        }
        case 'Activation':
          return { shape: x.shape, data: x.data.map((v) => Math.max(0, v)) };
        case 'MaxPooling2D':
          return maxPool(x);
        case 'Add':
          return { shape: x.shape, data: x.data.map((v, i) => v + at(other.data, i)) };
        case 'GlobalAveragePooling2D':
        case 'Dense':
          throw new Error('referenceForward: the table must be without top.');
        default:
          layer.kind satisfies never;
          throw new Error('unreachable');
      }
    };
    outputs.set(layer.name, run());
  }
  const output = outputs.get(table.at(-1)?.name ?? '');
  if (!output) throw new Error('referenceForward: the table is empty.');
  return { output, statistics };
}

/** As the papers have it: 2 in the stem, and in the first block of every stage but the first. */
function strideOf(name: string, variant: Variant): number {
  if (name === 'conv1_conv') return 2;
  const match = /^conv(\d+)_block1_(\d)_conv$/.exec(name);
  if (!match || match[1] === '2') return 1;
  const strided = ['0', variant.strideOn === 'first-1x1' ? '1' : '2'];
  return strided.includes(match[2] ?? '') ? 2 : 1;
}

function at(values: ArrayLike<number>, index: number): number {
  const value = values[index];
  if (value === undefined) throw new Error(`referenceForward: no value ${index} of ${values.length}`);
  return value;
}

function pad({ shape: [batch, height, width, channels], data }: Activation, before: number, after: number): Activation {
  const [h, w] = [height + before + after, width + before + after];
  const padded = new Float64Array(batch * h * w * channels);
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      const from = (n * height + y) * width * channels;
      padded.set(data.subarray(from, from + width * channels), ((n * h + y + before) * w + before) * channels);
    }
  }
  return { shape: [batch, h, w, channels], data: padded };
}

function convolve(
  { shape: [batch, height, width, channels], data }: Activation,
  kernel: ArrayLike<number>,
  [size = 0, , , outChannels = 0]: readonly number[],
  stride: number,
  bias: ArrayLike<number> | undefined,
): Activation {
  const [h, w] = [Math.floor((height - size) / stride) + 1, Math.floor((width - size) / stride) + 1];
  const output = new Float64Array(batch * h * w * outChannels);
  let to = 0;
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        for (let o = 0; o < outChannels; o++) {
          let sum = bias ? at(bias, o) : 0;
          for (let dy = 0; dy < size; dy++) {
            for (let dx = 0; dx < size; dx++) {
              const from = ((n * height + y * stride + dy) * width + x * stride + dx) * channels;
              const filter = (dy * size + dx) * channels * outChannels + o;
              for (let c = 0; c < channels; c++) sum += at(data, from + c) * at(kernel, filter + c * outChannels);
            }
          }
          output[to++] = sum;
        }
      }
    }
  }
  return { shape: [batch, h, w, outChannels], data: output };
}

/** 3x3, stride 2, on an input that is padded already. */
function maxPool({ shape: [batch, height, width, channels], data }: Activation): Activation {
  const [h, w] = [Math.floor((height - 3) / 2) + 1, Math.floor((width - 3) / 2) + 1];
  const output = new Float64Array(batch * h * w * channels).fill(-Infinity);
  for (let i = 0; i < output.length; i++) {
    const c = i % channels;
    const x = Math.floor(i / channels) % w;
    const y = Math.floor(i / channels / w) % h;
    const n = Math.floor(i / channels / w / h);
    for (let dy = 0; dy < 3; dy++) {
      for (let dx = 0; dx < 3; dx++) {
        const value = at(data, ((n * height + y * 2 + dy) * width + x * 2 + dx) * channels + c);
        output[i] = Math.max(at(output, i), value);
      }
    }
  }
  return { shape: [batch, h, w, channels], data: output };
}

function batchStatistics({ shape, data }: Activation): { mean: number[]; biasedVariance: number[]; count: number } {
  const channels = shape[3];
  const count = data.length / channels;
  const mean = new Array<number>(channels).fill(0);
  data.forEach((v, i) => (mean[i % channels] = at(mean, i % channels) + v / count));
  const biasedVariance = new Array<number>(channels).fill(0);
  data.forEach((v, i) => {
    const c = i % channels;
    biasedVariance[c] = at(biasedVariance, c) + (v - at(mean, c)) ** 2 / count;
  });
  return { mean, biasedVariance, count };
}

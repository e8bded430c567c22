/** A TensorFlow.js layers model: what `tf.loadLayersModel` reads, in Node and in browsers. */
import type { io } from '@tensorflow/tfjs-core';
import type { WeightTensor } from '../weights/index.ts';
import { IMAGES, type Graph, type GraphNode } from './graph.ts';
import { halfBits } from './half.ts';

export interface LayersModel {
  /** model.json: topology and the list of weights, which lie in `weightsFile`. */
  readonly json: string;
  readonly weights: Uint8Array;
}

interface Layer {
  readonly class_name: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inbound_nodes: unknown;
}

/** Name of the one file of weights beside model.json. */
export const WEIGHTS_FILE = 'weights.bin';

/**
 * The model in two files. Input `images`, [batch, height, width, 3], RGB of 0 to 255; output: probabilities.
 * The classes' names are in model.json under userDefinedMetadata.classes.
 * @param half weights in float16, which are widened when the model is loaded
 */
export function toLayersModel(graph: Graph, { half }: { half: boolean }): LayersModel {
  const { imageSize, classes, nodes } = graph;
  const writer = new LayersWriter(half);
  writer.layer('InputLayer', IMAGES, [], { batch_input_shape: [null, imageSize, imageSize, 3], dtype: 'float32', sparse: false }); // prettier-ignore
  for (const node of nodes) writer.add(node);
  const config = {
    name: 'thaw',
    layers: writer.layers,
    input_layers: [[IMAGES, 0, 0]],
    output_layers: [['probabilities', 0, 0]],
  };
  const json = {
    format: 'layers-model',
    generatedBy: 'thaw',
    convertedBy: null,
    modelTopology: { class_name: 'Model', config, keras_version: 'tfjs-layers 4.22.0', backend: 'tensor_flow.js' },
    weightsManifest: [{ paths: [WEIGHTS_FILE], weights: writer.weights }],
    userDefinedMetadata: { classes },
  };
  return { json: JSON.stringify(json), weights: writer.bytes() };
}

class LayersWriter {
  readonly layers: Layer[] = [];
  readonly weights: io.WeightsManifestEntry[] = [];
  readonly #values: Uint8Array[] = [];
  readonly #half: boolean;

  constructor(half: boolean) {
    this.#half = half;
  }

  layer(
    className: string,
    name: string,
    inputs: readonly string[],
    config: Readonly<Record<string, unknown>> = {},
  ): void {
    const inbound = inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])];
    this.layers.push({
      class_name: className,
      name,
      config: { name, trainable: true, ...config },
      inbound_nodes: inbound,
    });
  }

  add(node: GraphNode): void {
    const { name, inputs } = node;
    const [x = ''] = inputs;
    switch (node.kind) {
      case 'normalise': {
        // A batch-norm of mean 0 and variance 1.
        const ones = new Float32Array(3).fill(1);
        const values = { gamma: node.scale, beta: node.shift, mean: new Float32Array(3), variance: ones };
        const tensors = Object.entries(values).map(([key, data]) => [key, { shape: [3], data }] as const);
        this.#batchNorm(name, x, Object.fromEntries(tensors), 0);
        return;
      }
      case 'conv': {
        const { kernel, bias, stride, pad } = node;
        const [height = 1, width = 1, , filters = 0] = kernel.shape;
        this.layer('Conv2D', name, [this.#padded(name, x, pad, pad)], {
          filters,
          kernel_size: [height, width],
          strides: [stride, stride],
          padding: 'valid',
          data_format: 'channels_last',
          dilation_rate: [1, 1],
          activation: 'linear',
          use_bias: bias !== undefined,
        });
        this.#weight(`${name}/kernel`, kernel);
        if (bias) this.#weight(`${name}/bias`, bias);
        return;
      }
      case 'batch-norm': {
        const { gamma, beta, mean, variance, epsilon } = node;
        this.#batchNorm(name, x, { gamma, beta, mean, variance }, epsilon);
        return;
      }
      case 'relu':
        this.layer('Activation', name, inputs, { activation: 'relu' });
        return;
      case 'add':
        this.layer('Add', name, inputs);
        return;
      case 'max-pool':
        // Zeros are as good as minus infinity here: its pixels come from a ReLU.
        this.layer('MaxPooling2D', name, [this.#padded(name, x, ...node.padding)], {
          pool_size: [node.size, node.size],
          strides: [node.stride, node.stride],
          padding: 'valid',
          data_format: 'channels_last',
        });
        return;
      case 'average-pool':
        this.layer('GlobalAveragePooling2D', name, inputs, { data_format: 'channels_last' });
        return;
      case 'flatten':
        this.layer('Flatten', name, inputs, { data_format: 'channels_last' });
        return;
      case 'dense':
        this.layer('Dense', name, inputs, { units: node.bias.data.length, activation: 'linear', use_bias: true });
        this.#weight(`${name}/kernel`, node.kernel);
        this.#weight(`${name}/bias`, node.bias);
        return;
      case 'softmax':
        this.layer('Activation', name, inputs, { activation: 'softmax' });
        return;
      default:
        node satisfies never;
    }
  }

  /** All weights one after another, in the manifest's order. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.#values.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let offset = 0;
    for (const one of this.#values) {
      all.set(one, offset);
      offset += one.byteLength;
    }
    return all;
  }

  #batchNorm(
    name: string,
    input: string,
    parameters: { gamma?: WeightTensor; beta?: WeightTensor; mean?: WeightTensor; variance?: WeightTensor },
    epsilon: number,
  ): void {
    const { gamma, beta, mean, variance } = parameters;
    this.layer('BatchNormalization', name, [input], { axis: -1, momentum: 0.99, epsilon, center: true, scale: true });
    for (const [key, tensor] of Object.entries({ gamma, beta, moving_mean: mean, moving_variance: variance }))
      if (tensor) this.#weight(`${name}/${key}`, tensor);
  }

  #padded(name: string, input: string, before: number, after: number): string {
    if (before === 0 && after === 0) return input;
    const pad = `${name}_pad`;
    this.layer('ZeroPadding2D', pad, [input], { padding: [[before, after], [before, after]], data_format: 'channels_last' }); // prettier-ignore
    return pad;
  }

  #weight(name: string, { shape, data }: WeightTensor): void {
    const isHalf = this.#half && shape.length > 1;
    const values = isHalf ? halfBits(data) : data;
    this.#values.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    this.weights.push({
      name,
      shape: [...shape],
      dtype: 'float32',
      ...(isHalf ? { quantization: { dtype: 'float16' as const } } : {}),
    });
  }
}

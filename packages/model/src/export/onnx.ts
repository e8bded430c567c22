/** ONNX (operator set 17), made with the official protocol buffers. Filters lie as [out, in, height, width] there, images as NCHW. */
// CommonJS: Node finds no names in it.
import proto, { type onnx } from 'onnx-proto';
import type { WeightTensor } from '../weights/index.ts';
import { channelsFirst } from './channels-first.ts';
import { IMAGES, type Graph, type GraphNode } from './graph.ts';
import { halfBits } from './half.ts';

const OPERATOR_SET = 17;
/** Of the first release with that operator set, 1.12. */
const IR_VERSION = 8;
const { FLOAT, FLOAT16 } = proto.onnx.TensorProto.DataType;
const { FLOAT: ONE_FLOAT, INT, INTS } = proto.onnx.AttributeProto.AttributeType;

export interface OnnxOptions {
  /** Weights in float16, which are widened when the model is loaded; computed in float32 either way. */
  readonly half: boolean;
}

/**
 * The bytes of an .onnx file. Input `images`, float32 [batch, height, width, 3], RGB of 0 to 255; outputs `logits` and
 * `probabilities`, float32 [batch, classes]. The classes' names are in the metadata `classes`, as a JSON array.
 */
export function toOnnx({ imageSize, classes, nodes }: Graph, { half }: OnnxOptions): Uint8Array {
  const writer = new OnnxWriter(half);
  for (const node of nodes) writer.add(node);
  const batch = { dimParam: 'batch' };
  const value = (name: string, ...sizes: number[]): onnx.IValueInfoProto => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: [batch, ...sizes.map((dimValue) => ({ dimValue }))] } } },
  });
  const model: onnx.IModelProto = {
    irVersion: IR_VERSION,
    producerName: 'thaw',
    opsetImport: [{ domain: '', version: OPERATOR_SET }],
    metadataProps: [{ key: 'classes', value: JSON.stringify(classes) }],
    graph: {
      name: 'thaw',
      node: writer.nodes,
      initializer: writer.initializers,
      input: [value(IMAGES, imageSize, imageSize, 3)],
      output: [value('logits', classes.length), value('probabilities', classes.length)],
    },
  };
  return proto.onnx.ModelProto.encode(model).finish();
}

class OnnxWriter {
  readonly nodes: onnx.INodeProto[] = [];
  readonly initializers: onnx.ITensorProto[] = [];
  readonly #half: boolean;

  constructor(half: boolean) {
    this.#half = half;
  }

  add(node: GraphNode): void {
    const { name } = node;
    const [x = ''] = node.inputs;
    switch (node.kind) {
      case 'normalise': {
        const byChannel = (values: Float32Array): WeightTensor => ({ shape: [1, 3, 1, 1], data: values });
        this.#op('Transpose', [x], `${name}/nchw`, [ints('perm', 0, 3, 1, 2)]);
        this.#op('Mul', [`${name}/nchw`, this.#full(`${name}/scale`, byChannel(node.scale))], `${name}/scaled`);
        this.#op('Add', [`${name}/scaled`, this.#full(`${name}/shift`, byChannel(node.shift))], name);
        return;
      }
      case 'conv': {
        const { kernel, bias, stride, pad } = node;
        const [height = 1, width = 1] = kernel.shape;
        const inputs = [x, this.#weight(`${name}/kernel`, channelsFirst(kernel))];
        if (bias) inputs.push(this.#full(`${name}/bias`, bias));
        this.#op('Conv', inputs, name, [
          ints('kernel_shape', height, width),
          ints('strides', stride, stride),
          ints('pads', pad, pad, pad, pad),
        ]);
        return;
      }
      case 'batch-norm': {
        const { gamma, beta, mean, variance, epsilon } = node;
        const parameters = Object.entries({ gamma, beta, mean, variance });
        const inputs = parameters.map(([which, tensor]) => this.#full(`${name}/${which}`, tensor));
        this.#op('BatchNormalization', [x, ...inputs], name, [{ name: 'epsilon', type: ONE_FLOAT, f: epsilon }]);
        return;
      }
      case 'relu':
        this.#op('Relu', node.inputs, name);
        return;
      case 'add':
        this.#op('Add', node.inputs, name);
        return;
      case 'max-pool': {
        const [before, after] = node.padding;
        this.#op('MaxPool', [x], name, [
          ints('kernel_shape', node.size, node.size),
          ints('strides', node.stride, node.stride),
          ints('pads', before, before, after, after),
        ]);
        return;
      }
      case 'average-pool':
        this.#op('GlobalAveragePool', [x], `${name}/map`);
        this.#op('Flatten', [`${name}/map`], name);
        return;
      case 'flatten':
        this.#op('Transpose', [x], `${name}/nhwc`, [ints('perm', 0, 2, 3, 1)]);
        this.#op('Flatten', [`${name}/nhwc`], name);
        return;
      case 'dense':
        this.#op('Gemm', [x, this.#weight(`${name}/kernel`, node.kernel), this.#full(`${name}/bias`, node.bias)], name);
        return;
      case 'softmax':
        this.#op('Softmax', [x], name, [{ name: 'axis', type: INT, i: -1 }]);
        return;
      default:
        node satisfies never;
    }
  }

  #op(opType: string, input: readonly string[], output: string, attribute: onnx.IAttributeProto[] = []): void {
    this.nodes.push({ opType, name: output, input: [...input], output: [output], attribute });
  }

  /** A filter or matrix: stored in float16 where that is asked for. */
  #weight(name: string, tensor: WeightTensor): string {
    if (!this.#half) return this.#full(name, tensor);
    this.#store(`${name}/half`, tensor.shape, FLOAT16, halfBits(tensor.data));
    this.#op('Cast', [`${name}/half`], name, [{ name: 'to', type: INT, i: FLOAT }]);
    return name;
  }

  #full(name: string, { shape, data }: WeightTensor): string {
    this.#store(name, shape, FLOAT, data);
    return name;
  }

  #store(name: string, dims: readonly number[], dataType: number, values: Float32Array | Uint16Array): void {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.initializers.push({ name, dims: [...dims], dataType, rawData });
  }
}

const ints = (name: string, ...values: number[]): onnx.IAttributeProto => ({ name, type: INTS, ints: values });

/** What follows a fused convolution or matrix product and the kernel itself does not do: other biases and activations. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelCall } from '../../backend/kernel.ts';
import { elements } from '../../runtime/plan.ts';
import { planBinary, planUnary } from './elementwise.plan.ts';

interface EpilogueAttrs {
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

/** The part of it that the convolution and matrix product kernels do themselves. */
export interface Fused {
  /** One value per channel. */
  readonly bias: TensorInfo | undefined;
  readonly relu: boolean;
}

const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;
type Activation = (typeof activations)[number];
const isActivation = (name: string): name is Activation => (activations as readonly string[]).includes(name);

/** tfjs's own default of tf.leakyRelu. */
const LEAKY_ALPHA = 0.2;

/**
 * Runs `compute` with as much of the call's bias and activation as it can fuse, and the rest in kernels after it.
 * @param channels of the result's last dimension
 * @throws on an activation that tfjs's fused ops do not have, before anything is computed
 */
export function withEpilogue(
  kernel: string,
  call: KernelCall,
  channels: number,
  compute: (fused: Fused) => TensorInfo,
): TensorInfo {
  const { backend, input, optional, attrs } = call;
  const { limits } = backend.gpu;
  const { activation = 'linear', leakyreluAlpha = LEAKY_ALPHA } = attrs<EpilogueAttrs>();
  if (!isActivation(activation))
    throw new Error(
      `${kernel}: activation '${activation}' is not known (${activations.join(', ')}); apply it after the op`,
    );
  const bias = optional('bias');
  const isPerChannel = bias !== undefined && bias.shape.at(-1) === channels && elements(bias.shape) === channels;
  const isFused = bias === undefined || isPerChannel;
  const relu = activation === 'relu' && isFused;
  let y = compute({ bias: isPerChannel ? bias : undefined, relu });
  const then = (next: TensorInfo): void => {
    backend.release(y);
    y = next;
  };
  const unary = (op: 'Relu' | 'Relu6' | 'Elu' | 'Sigmoid' | 'LeakyRelu', a = 0): void =>
    then(backend.runOne(planUnary(op, y.shape, limits, a), { x: y }));
  const binary = (op: 'Add' | 'Prelu', b: TensorInfo): void =>
    then(backend.runOne(planBinary(op, y.shape, b.shape, 'float32', limits), { a: y, b }));
  if (bias && !isPerChannel) binary('Add', bias);
  switch (activation) {
    case 'linear':
      break;
    case 'relu':
      if (!relu) unary('Relu');
      break;
    case 'relu6':
      unary('Relu6');
      break;
    case 'elu':
      unary('Elu');
      break;
    case 'sigmoid':
      unary('Sigmoid');
      break;
    case 'leakyrelu':
      unary('LeakyRelu', leakyreluAlpha);
      break;
    case 'prelu':
      binary('Prelu', input('preluActivationWeights'));
      break;
    default:
      activation satisfies never;
  }
  return y;
}

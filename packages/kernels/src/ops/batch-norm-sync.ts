// Batch-norm on the statistics of the batches of several processes. Inside captured steps: between its dispatches the host adds
// up over the processes, once in the forward pass and once in the backward pass.
// Kernels 'ThawBatchStatistics', 'ThawNormalise', 'ThawBatchNormSums', 'ThawBatchNormApply'.
import * as tf from '@tensorflow/tfjs-core';
import { presentInputs } from './backend.ts';
import type { BatchNormTrainOptions } from './batch-norm-train.ts';
import { emptyTensor, exchange, type Swap } from './exchange.ts';
import { movingAverageStep } from './moving-average.ts';

/** What the host does for one batch-norm of a step. */
export interface BatchNormSync {
  /**
   * Of mean and variance of this process's rows those of all rows.
   * @param rows of this process
   * @returns takes [2, channels], mean and biased variance; gives [3, channels], these and the unbiased variance
   */
  statistics(rows: number, channels: number): Swap;
  /**
   * Adds gradients' sums up over processes, times this process's share of the rows.
   * @param rows of this process
   * @returns takes and gives [2, channels]
   */
  sums(rows: number, channels: number): Swap;
}

/**
 * As batchNormTrain, on the rows of all processes; gradients of gamma and beta are those of this process's rows.
 *
 * @param x [batch, height, width, channels]
 * @param gamma [channels]
 * @param beta [channels]
 * @throws ThawGpuError outside a captured step
 */
export function batchNormSync(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { epsilon, residual, relu = false, moving }: BatchNormTrainOptions,
  sync: BatchNormSync,
): tf.Tensor4D {
  const channels = x.shape[3];
  const rows = x.size / channels;
  const kernel = <T>(
    name: string,
    inputs: Record<string, tf.Tensor | undefined>,
    attributes: tf.NamedAttrMap = {},
  ): T => tf.engine().runKernel(name, presentInputs(inputs), attributes) as T;
  const own = kernel<[tf.Tensor1D, tf.Tensor1D]>('ThawBatchStatistics', { x });
  const all = emptyTensor([3, channels], 'float32');
  exchange([tf.concat(own)], sync.statistics(rows, channels), [all])();
  const [mean, variance, unbiased] = tf.unstack(all) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
  if (moving) {
    const fresh = tf.tensor1d([1 - moving.momentum]);
    movingAverageStep(moving.mean, mean, fresh);
    movingAverageStep(moving.variance, unbiased, fresh);
  }
  const attributes = { epsilon, relu, hasResidual: residual !== undefined };
  const op = tf.customGrad((...inputs) => {
    const save = inputs.at(-1) as tf.GradSaveFunc;
    const [given, scale, shift, added] = inputs.slice(0, -1) as tf.Tensor[];
    const y = kernel<tf.Tensor>('ThawNormalise', { x: given, mean, variance, gamma: scale, beta: shift, residual: added }, attributes); // prettier-ignore
    save([given, scale, y, mean, variance].flatMap((tensor) => tensor ?? []));
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const [x, gamma, y, mean, variance] = saved;
      const [dbeta, dgamma] = kernel<[tf.Tensor1D, tf.Tensor1D]>('ThawBatchNormSums', { dy, x, y, mean, variance }, attributes); // prettier-ignore
      const sums = emptyTensor([2, channels], 'float32');
      exchange([tf.concat([dbeta, dgamma])], sync.sums(rows, channels), [sums])();
      const [dx, dresidual] = kernel<tf.Tensor[]>('ThawBatchNormApply', { dy, x, y, gamma, mean, variance, sums }, attributes); // prettier-ignore
      return [dx, dgamma, dbeta, dresidual].flatMap((tensor) => tensor ?? []);
    };
    return { value: y, gradFunc };
  });
  return op(...(residual ? [x, gamma, beta, residual] : [x, gamma, beta])) as tf.Tensor4D;
}

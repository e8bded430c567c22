// Deep CORAL (Sun and Saenko, "Deep CORAL", ECCV 2016 workshops): features of the training images and of unlabelled images of
// another domain are to have the same covariances, so that a head on the ones holds for the others.
import * as tf from '@tensorflow/tfjs-core';
import { imageBatches, type InputBatch } from './batch-input.ts';
import { permutation } from './shuffle.ts';
import type { ImageSource } from './types.ts';

/** What CORAL adds to the loss. */
export interface CoralRules {
  /** Images of the domain that the classifier is for; their labels are not looked at. */
  readonly target: ImageSource;
  /** Times the distance of the covariances; above 0. */
  readonly weight: number;
}

/** |C_s - C_t|^2 / (4 d^2) in the Frobenius norm. @param source [n, d], n at least 2 @param target [m, d], m at least 2 */
export function coralLoss(source: tf.Tensor2D, target: tf.Tensor2D): tf.Scalar {
  return tf.tidy(() => {
    const difference = tf.sub(covariance(source), covariance(target));
    return tf.div<tf.Scalar>(tf.sum(tf.square(difference)), 4 * source.shape[1] ** 2);
  });
}

/** (X' X - (1' X)' (1' X) / n) / (n - 1), of centred rows. */
function covariance(x: tf.Tensor2D): tf.Tensor2D {
  const [rows] = x.shape;
  const centred: tf.Tensor2D = tf.sub(x, tf.mean(x, 0, true));
  return tf.div(tf.matMul(centred, centred, true, false), Math.max(1, rows - 1));
}

/** Images of the target in a step, for steps of this size. */
export const targetSize = ({ target }: CoralRules, batchSize: number): number => Math.min(batchSize, target.length);

/**
 * Batches of the target without an end, each of `size` images; every pass over them is in an order of its own.
 * @param step of the run, from 0, whose batch comes first
 * @throws where a pass gives no batch, as all images are unreadable
 */
export async function* targetBatches(
  { target }: CoralRules,
  size: number,
  seed: number,
  step: number,
): AsyncGenerator<InputBatch, undefined> {
  const inPass = Math.floor(target.length / size);
  for (let pass = Math.floor(step / inPass), first = step % inPass; ; pass++, first = 0) {
    const order = permutation(target.length, seed + SALT, pass).subarray(first * size);
    let isEmpty = first === 0;
    for await (const { images: values, views, size: read } of imageBatches(target, order, size)) {
      if (read < size) continue;
      isEmpty = false;
      yield { values, views };
    }
    if (isEmpty) throw new Error(`CORAL: of ${target.length} images of the target not ${size} could be read.`);
  }
}

/** Keeps the target's orders apart from those of the training images. */
const SALT = 7919;

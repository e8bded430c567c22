// The average of a variable over its steps, and an exchange of values, both in place.
import * as tf from '@tensorflow/tfjs-core';
import { onThaw } from './backend.ts';

/**
 * average = average + rate (x - average): one step of an exponential moving average.
 *
 * @param average the shape of x
 * @param rates [rate], on the device, so that a captured step reads that of each replay
 */
export function movingAverageStep(average: tf.Variable, x: tf.Tensor, rates: tf.Tensor1D): void {
  const next = onThaw()
    ? tf.engine().runKernel<[tf.Tensor]>('ThawMovingAverage', { average, x, rates })[0]
    : tf.tidy(() => {
        const change = tf.mul(tf.sub(x, average), tf.slice(rates, 0, 1));
        return tf.add(average, tf.reshape(change, average.shape));
      });
  average.assign(next);
  next.dispose();
}

/** Exchanges the values of two variables of one shape. */
export function swapValues(a: tf.Variable, b: tf.Variable): void {
  const [nextA, nextB] = onThaw()
    ? tf.engine().runKernel<[tf.Tensor, tf.Tensor]>('ThawSwap', { a, b })
    : [b.clone(), a.clone()];
  a.assign(nextA);
  b.assign(nextB);
  nextA.dispose();
  nextB.dispose();
}

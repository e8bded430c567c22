// New values for a tensor that stays where it is: the inputs of a captured step.
import * as tf from '@tensorflow/tfjs-core';
import { currentThaw } from '../backend/current.ts';

/** Sets a variable's values in its own storage where the backend is thaw's, and by assignment elsewhere. */
export function assignValues(variable: tf.Variable, values: Float32Array | Int32Array): void {
  const backend = currentThaw();
  if (backend) {
    backend.overwrite(variable, values);
    return;
  }
  const tensor = tf.tensor(values, variable.shape, variable.dtype);
  variable.assign(tensor);
  tensor.dispose();
}

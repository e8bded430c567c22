// The trunk's last map [height, width, channels] as a feature vector: averaged over the image, or all of it.
import { globalAveragePool, layer, toFloat32 } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';

/** The map averaged over the image, or all of it as one vector. */
export type Pooling = 'average' | 'flatten';

/** In float32. @param map [batch, height, width, channels]; @returns [batch, channels], or [batch, height * width * channels] */
export function poolMap(map: tf.Tensor4D, pooling: Pooling): tf.Tensor2D {
  switch (pooling) {
    case 'average':
      return layer('avg_pool', () => globalAveragePool(map));
    case 'flatten':
      return tf.reshape(toFloat32(map), [map.shape[0], -1]);
    default:
      throw new Error(`unknown pooling ${String(pooling satisfies never)}`);
  }
}

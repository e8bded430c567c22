// Where in an image a class was seen. Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra, "Grad-CAM", 2017:
//   alpha_k = mean over positions of d score / d A_k        score: the class's logit, A: a convolutional feature map
//   map = relu(sum over k of alpha_k A_k)
import { toFloat32 } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import type { ResNet50 } from '../network/index.ts';
import type { Classifier } from '../training/classifier.ts';

/** Heat maps of a batch of images. */
export interface GradCam {
  /** Whose output A is. */
  readonly layer: string;
  /** Of a map, positions. */
  readonly height: number;
  /** Of a map, positions. */
  readonly width: number;
  /** [batch, height, width], each image's divided by its largest value: 0 to 1; all 0 where nothing speaks for the class. */
  readonly values: Float32Array;
}

/** A map of fewer positions a side shows no place. */
const LEAST_SIDE = 4;

/** The last block whose map has 4 x 4 positions: conv5's of images of 128 x 128, conv3's of 32 x 32. */
export function gradCamLayer({ maps }: Pick<ResNet50, 'maps'>): string {
  const fine = maps.filter(({ shape: [height = 0, width = 0] }) => Math.min(height, width) >= LEAST_SIDE);
  const found = fine.at(-1) ?? maps[0];
  if (!found) throw new Error('gradCamLayer: the network has no block.');
  return found.layer;
}

/**
 * Computes where in each image its class was seen, on the current backend.
 *
 * @param images [batch, height, width, 3], preprocessed as the trunk's variant says
 * @param classes one for each image: the class that is asked about
 * @param layer one of `network.maps`; default the last whose map has 4 x 4 positions
 * @throws for a class that the head does not know
 */
export async function gradCam(
  classifier: Classifier,
  images: tf.Tensor4D,
  classes: ArrayLike<number>,
  layer = gradCamLayer(classifier.network),
): Promise<GradCam> {
  const { network, head } = classifier;
  const asked = Array.from(classes);
  const unknown = asked.find((one) => !Number.isInteger(one) || one < 0 || one >= head.classes);
  if (unknown !== undefined) throw new Error(`gradCam: no class ${unknown}; the head knows 0 to ${head.classes - 1}.`);
  if (asked.length !== images.shape[0])
    throw new Error(`gradCam: ${asked.length} classes for ${images.shape[0]} images.`);
  const maps = tf.tidy(() => {
    const h = network.mapOf(images, layer);
    const wanted = tf.oneHot(tf.tensor1d(asked, 'int32'), head.classes);
    // Images do not meet in inference: the gradient of the sum is that of each.
    const score = (x: tf.Tensor): tf.Scalar => {
      const top = classifier.pool(network.trunkFrom(x as tf.Tensor4D, layer));
      return tf.sum(tf.mul(head.logits(top, { training: false }), wanted));
    };
    const alpha = tf.mean(toFloat32(tf.grad(score)(h)), [1, 2], true);
    return tf.relu(tf.sum<tf.Tensor3D>(tf.mul(toFloat32(h), alpha), 3));
  });
  const [, height, width] = maps.shape;
  const values = Float32Array.from(await maps.data<'float32'>());
  maps.dispose();
  const size = height * width;
  for (let at = 0; at < values.length; at += size) {
    const one = values.subarray(at, at + size);
    const most = one.reduce((a, b) => Math.max(a, b), 0);
    if (most > 0) one.forEach((value, i) => (one[i] = value / most));
  }
  return { layer, height, width, values };
}

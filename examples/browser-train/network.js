// The network on the page's device: features of images from the frozen trunk, and a head that learns from them.
import * as tf from '@tensorflow/tfjs-core';
import { preprocess, splitIndices } from '@thaw/data';
import { register } from '@thaw/kernels';
import { openDevice } from '@thaw/kernels/browser';
import { Classifier, createHead, ResNet50, trainClassifier } from '@thaw/model';

/** @typedef {import('@thaw/model').TrunkWeights} TrunkWeights */
/** @typedef {import('@thaw/model').EpochRecord} EpochRecord */

/** Images that run through the trunk at once. */
const BATCH = 8;
const EPOCHS = 40;
/** From this many images of every class on, one in five is held out to measure on. */
const ENOUGH_TO_HOLD_OUT = 5;

/**
 * Opens the GPU and makes it TensorFlow.js's backend.
 * @throws NoAdapterError, with what to do about it
 */
export async function openBackend() {
  const opened = await openDevice();
  const backend = register(opened.device);
  await tf.setBackend('thaw');
  return { ...opened, backend };
}

/** The frozen trunk. */
export class Trunk {
  /** @param {TrunkWeights} weights @param {number} imageSize */
  constructor(weights, imageSize) {
    this.imageSize = imageSize;
    this.network = new ResNet50(weights, { imageSize });
  }

  /**
   * @param {Uint8Array[]} images each imageSize * imageSize * 3 bytes
   * @param {(done: number) => void} [onProgress]
   * @returns {Promise<Float32Array[]>} 2048 features of each
   */
  async features(images, onProgress) {
    const { network, imageSize } = this;
    /** @type {Float32Array[]} */
    const rows = [];
    for (let start = 0; start < images.length; start += BATCH) {
      const some = images.slice(start, start + BATCH);
      const length = imageSize * imageSize * 3;
      const values = new Float32Array(some.length * length);
      some.forEach((rgb, i) => preprocess(rgb, network.variant.preprocessing, values, i * length));
      const output = tf.tidy(() => network.features(tf.tensor4d(values, [some.length, imageSize, imageSize, 3])));
      const data = /** @type {Float32Array} */ (await output.data());
      output.dispose();
      for (let i = 0; i < some.length; i++) rows.push(data.slice(i * network.channels, (i + 1) * network.channels));
      onProgress?.(rows.length);
    }
    return rows;
  }

  dispose() {
    this.network.dispose();
  }
}

/**
 * Trains a linear head.
 * @param {object} options
 * @param {Trunk} options.trunk
 * @param {Float32Array[]} options.features
 * @param {number[]} options.labels
 * @param {number} options.classes
 * @param {() => Promise<void>} options.settle waits for the device
 * @param {AbortSignal} options.signal
 * @param {(record: EpochRecord, epochs: number) => void} options.onEpoch
 * @returns {Promise<Classifier>}
 */
export async function trainHead({ trunk, features, labels, classes, settle, signal, onEpoch }) {
  const { network, imageSize } = trunk;
  const head = createHead({ spec: 'linear', classes, inputs: network.channels, seed: 1 });
  const classifier = new Classifier(network, head);
  const all = Int32Array.from(labels);
  const fewest = Math.min(...Array.from({ length: classes }, (_, c) => labels.filter((label) => label === c).length));
  const split = fewest >= ENOUGH_TO_HOLD_OUT && splitIndices(all, { fraction: 0.2, seed: 1, stratified: true });
  const parts = new Map([['train', rowsOf(features, all, split ? split.train : all.map((_, i) => i))]]);
  if (split) parts.set('validation', rowsOf(features, all, split.validation));
  const source = (/** @type {string} */ part) => {
    const found = parts.get(part);
    return found && { length: found.labels.length, labels: found.labels, batches: noImages };
  };
  const train = source('train');
  if (!train) throw new Error('There is nothing to train on.');
  await trainClassifier(
    {
      classifier,
      train,
      validation: source('validation'),
      // The trunk has run already: trainClassifier finds the features here.
      features: { load: async (key) => parts.get(key), save: async () => undefined },
      imageSize,
      epochs: EPOCHS,
      batchSize: Math.min(16, train.length),
      seed: 1,
      optimizer: { kind: 'adam', learningRate: 1e-3 },
      settle,
      signal,
    },
    { onEpoch: (record) => onEpoch(record, EPOCHS) },
  );
  return classifier;
}

/** @param {Float32Array[]} features @param {Int32Array} labels @param {Int32Array} rows */
function rowsOf(features, labels, rows) {
  const width = features[0]?.length ?? 0;
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, i) => values.set(features[row] ?? [], i * width));
  return { values, labels: rows.map((row) => labels[row] ?? 0), width };
}

async function* noImages() {
  throw new Error('Features were asked for images again.');
}

/**
 * Probabilities of the classes for one image's features.
 * @param {Classifier} classifier
 * @param {Float32Array} features
 */
export async function classify(classifier, features) {
  const output = tf.tidy(() => classifier.classify(tf.tensor2d(features, [1, features.length])));
  const probabilities = [...(await output.data())];
  output.dispose();
  return probabilities;
}

// The k nearest neighbours by Euclidean distance: the shares of the classes among them. All distances are computed, as
// |a - b|^2 = |a|^2 - 2 a.b + |b|^2 of centred features; trees of points save nothing in hundreds of dimensions.
import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../training/types.ts';
import type { SafetensorsInput } from '../weights/index.ts';
import { columnMoments, featureBlocks } from './columns.ts';
import { ClassicalError, type FeatureClassifier } from './types.ts';

/** Images whose distances are looked at together. */
const QUERIES = 64;

/** Keeps every training image's features, on the host and, once used, on the device. */
export class NearestNeighbours implements FeatureClassifier {
  readonly inputs: number;
  readonly #centre: { readonly mean: Float64Array };
  #blocks: { x: tf.Tensor2D; squares: tf.Tensor1D; from: number; rows: number }[] | undefined;

  /** @throws ClassicalError for more neighbours than images, or a label outside the classes */
  constructor(
    private readonly known: Features,
    readonly classes: number,
    private readonly neighbours: number,
  ) {
    this.inputs = known.width;
    const images = known.labels.length;
    if (neighbours < 1 || neighbours > images)
      throw new ClassicalError(`${neighbours} neighbours cannot be found among ${images} images.`);
    const wrong = known.labels.find((label) => label < 0 || label >= classes);
    if (wrong !== undefined) throw new ClassicalError(`an image of ${classes} classes is of class ${wrong}.`);
    this.#centre = { mean: columnMoments(known).mean };
  }

  async probabilities(values: Float32Array, size: number): Promise<Float32Array> {
    const result = new Float32Array(size * this.classes);
    const { inputs } = this;
    for (let from = 0; from < size; from += QUERIES) {
      const queries = values.subarray(from * inputs, Math.min(size, from + QUERIES) * inputs);
      const count = queries.length / inputs;
      const distances = await this.#distances(queries, count);
      const images = distances.length / count;
      for (let i = 0; i < count; i++)
        result.set(this.#shares(distances.subarray(i * images, (i + 1) * images)), (from + i) * this.classes);
    }
    return result;
  }

  /** |b|^2 - 2 a.b: what of the squared distance differs among the known. @returns [count, known] */
  async #distances(queries: Float32Array, count: number): Promise<Float32Array> {
    this.#blocks ??= [...featureBlocks(this.known, this.#centre)].map((block) => ({
      ...block,
      squares: tf.tidy(() => tf.sum<tf.Tensor1D>(tf.square(block.x), 1)),
    }));
    const images = this.known.labels.length;
    const result = new Float32Array(count * images);
    const query = { values: queries, labels: new Int32Array(count), width: this.inputs };
    for (const { x: a } of featureBlocks(query, this.#centre)) {
      for (const { x, squares, from, rows } of this.#blocks) {
        const part = tf.tidy(() => tf.sub(squares, tf.mul(tf.matMul(a, x, false, true), 2)));
        const found = await part.data<'float32'>();
        part.dispose();
        for (let i = 0; i < count; i++) result.set(found.subarray(i * rows, (i + 1) * rows), i * images + from);
      }
      a.dispose();
    }
    return result;
  }

  /** Of two neighbours equally near, the one that was known first counts. */
  #shares(distances: Float32Array): Float64Array {
    const nearest: number[] = [];
    let farthest = Infinity;
    for (let i = 0; i < distances.length; i++) {
      const distance = distances[i] ?? Infinity;
      if (nearest.length === this.neighbours && distance >= farthest) continue;
      let at = nearest.length;
      while (at > 0 && (distances[nearest[at - 1] ?? 0] ?? 0) > distance) at--;
      nearest.splice(at, 0, i);
      if (nearest.length > this.neighbours) nearest.pop();
      farthest = distances[nearest.at(-1) ?? 0] ?? Infinity;
    }
    const shares = new Float64Array(this.classes);
    for (const i of nearest) {
      const label = this.known.labels[i] ?? 0;
      shares[label] = (shares[label] ?? 0) + 1 / nearest.length;
    }
    return shares;
  }

  /** As tensors of a file. */
  tensors(): Map<string, SafetensorsInput> {
    const { values, labels, width } = this.known;
    return new Map<string, SafetensorsInput>([
      ['features', { shape: [labels.length, width], data: values }],
      ['labels', { shape: [labels.length], data: labels }],
    ]);
  }

  dispose(): void {
    for (const { x, squares } of this.#blocks ?? []) tf.dispose([x, squares]);
    this.#blocks = undefined;
  }
}

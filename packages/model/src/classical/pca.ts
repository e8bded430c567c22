// Principal components of features: the eigenvectors of the covariance of largest eigenvalues. With fewer rows n than columns
// d they come from the n x n matrix of the rows' products (X X^T u = e u gives X^T u / sqrt(e)), which has the same.
import * as tf from '@tensorflow/tfjs-core';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { Features } from '../training/types.ts';
import type { SafetensorsInput } from '../weights/index.ts';
import { columnMoments, featureBlocks } from './columns.ts';
import type { LinearClassifier } from './logistic.ts';
import { ClassicalError } from './types.ts';

/** From features to fewer: (x - mean) C^T. */
export interface Projection {
  /** Columns of what is projected. */
  readonly inputs: number;
  /** Columns of the result. */
  readonly outputs: number;
  /** [inputs] */
  readonly mean: Float32Array;
  /** [outputs, inputs]: orthonormal rows, the largest variance first; the largest part of each is positive. */
  readonly components: Float32Array;
  /** [outputs] share of the whole variance. */
  readonly explained: Float32Array;
}

/**
 * Fits it on the current backend: products in float32 by blocks, summed and decomposed in float64.
 * @throws ClassicalError where there are not so many components
 */
export async function fitPca(features: Features, outputs: number): Promise<Projection> {
  const { width, labels } = features;
  const rows = labels.length;
  const most = Math.min(width, rows - 1);
  if (outputs > most)
    throw new ClassicalError(`${rows} images of ${width} features have ${most} principal components, not ${outputs}.`);
  const { mean, deviation } = columnMoments(features);
  const total = deviation.reduce((sum, value) => sum + value * value, 0) * rows;
  const isWide = rows < width;
  const products = isWide ? await rowProducts(features, mean) : await columnProducts(features, mean);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(products, { assumeSymmetric: true });
  const size = realEigenvalues.length;
  const components = new Float32Array(outputs * width);
  const explained = new Float32Array(outputs);
  for (let k = 0; k < outputs; k++) {
    // They come in rising order.
    const at = size - 1 - k;
    const vector = Float64Array.from(eigenvectorMatrix.getColumn(at));
    const axis = isWide ? rowsToAxis(features, mean, vector) : vector;
    components.set(unit(axis), k * width);
    explained[k] = Math.max(0, realEigenvalues[at] ?? 0) / total;
  }
  return { inputs: width, outputs, mean: Float32Array.from(mean), components, explained };
}

/** X^T X of centred rows. */
async function columnProducts(features: Features, mean: Float64Array): Promise<Matrix> {
  const { width } = features;
  const sums = new Float64Array(width * width);
  for (const { x } of featureBlocks(features, { mean })) {
    const product = tf.matMul(x, x, true);
    const part = await product.data<'float32'>();
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (part[i] ?? 0);
    tf.dispose([x, product]);
  }
  return Matrix.from1DArray(width, width, sums);
}

/** X X^T of centred rows, fewer than columns. */
async function rowProducts(features: Features, mean: Float64Array): Promise<Matrix> {
  const rows = features.labels.length;
  const blocks = [...featureBlocks(features, { mean })];
  const result = new Matrix(rows, rows);
  for (const a of blocks)
    for (const b of blocks) {
      const product = tf.matMul(a.x, b.x, false, true);
      const part = await product.data<'float32'>();
      product.dispose();
      part.forEach((value, i) => result.set(a.from + Math.floor(i / b.rows), b.from + (i % b.rows), value));
    }
  tf.dispose(blocks.map(({ x }) => x));
  return result;
}

/** X^T u. */
function rowsToAxis({ values, width }: Features, mean: Float64Array, vector: Float64Array): Float64Array {
  const axis = new Float64Array(width);
  for (const [row, weight] of vector.entries())
    for (let c = 0; c < width; c++)
      axis[c] = (axis[c] ?? 0) + weight * ((values[row * width + c] ?? 0) - (mean[c] ?? 0));
  return axis;
}

/** Of length 1, its largest part positive. */
function unit(axis: Float64Array): Float64Array {
  const length = Math.sqrt(axis.reduce((sum, part) => sum + part * part, 0));
  const largest = axis.reduce((most, part) => (Math.abs(part) > Math.abs(most) ? part : most), 0);
  return axis.map((part) => part / (length * Math.sign(largest)));
}

/** Projects features [size, inputs] on the current backend. @returns [size, outputs] */
export async function project(
  { inputs, outputs, mean, components }: Projection,
  values: Float32Array,
): Promise<Float32Array> {
  const rows = values.length / inputs;
  const result = new Float32Array(rows * outputs);
  const matrix = tf.tensor2d(components, [outputs, inputs]);
  const centre = { mean: Float64Array.from(mean) };
  for (const { x, from } of featureBlocks({ values, labels: new Int32Array(rows), width: inputs }, centre)) {
    const product = tf.matMul(x, matrix, false, true);
    result.set(await product.data<'float32'>(), from * outputs);
    tf.dispose([x, product]);
  }
  matrix.dispose();
  return result;
}

/** A linear classifier of projected features as one of the features themselves. */
export function throughProjection(
  { inputs, outputs, mean, components }: Projection,
  { kernel, bias }: LinearClassifier,
): LinearClassifier {
  const classes = bias.length;
  const folded = new Float32Array(inputs * classes);
  const moved = Float64Array.from(bias);
  for (let i = 0; i < inputs; i++)
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (let k = 0; k < outputs; k++) sum += (components[k * inputs + i] ?? 0) * (kernel[k * classes + c] ?? 0);
      folded[i * classes + c] = sum;
      moved[c] = (moved[c] ?? 0) - (mean[i] ?? 0) * sum;
    }
  return { kernel: folded, bias: Float32Array.from(moved) };
}

/** As tensors of a file. */
export function projectionTensors({ inputs, outputs, mean, components, explained }: Projection) {
  return new Map<string, SafetensorsInput>([
    ['pca/mean', { shape: [inputs], data: mean }],
    ['pca/components', { shape: [outputs, inputs], data: components }],
    ['pca/explained', { shape: [outputs], data: explained }],
  ]);
}

// Trees together, in flat lists: a tree or a forest answers with the mean of its trees' class shares, boosted trees with the
// softmax of their sums by class.
import { ClassicalError, type FeatureClassifier } from './types.ts';
import type { Tree } from './tree.ts';
import type { SafetensorsInput } from '../weights/index.ts';

/** The lists; what lies in a file. */
export interface EnsembleData {
  /** How the trees' answers become one. */
  readonly kind: 'mean' | 'boosted';
  /** Length of a feature vector. */
  readonly inputs: number;
  /** Number of classes. */
  readonly classes: number;
  /** [trees] the first node of each; tree t of boosted ones belongs to class t modulo classes. */
  readonly roots: Int32Array;
  /** [nodes] -1 of a leaf. */
  readonly column: Int32Array;
  /** [nodes] rows of at most this value go left. */
  readonly threshold: Float32Array;
  /** [nodes] the left child, the right one follows it. */
  readonly left: Int32Array;
  /** [nodes, classes] of 'mean', [nodes] of 'boosted'. */
  readonly value: Float32Array;
  /** [classes] what the sums of boosted trees start from. */
  readonly prior: Float32Array;
}

/** Puts trees into flat lists. */
export function packTrees(
  trees: readonly Tree[],
  { kind, inputs, classes, prior }: Pick<EnsembleData, 'kind' | 'inputs' | 'classes' | 'prior'>,
): EnsembleData {
  const nodes = trees.reduce((sum, { column }) => sum + column.length, 0);
  const outputs = kind === 'mean' ? classes : 1;
  const packed = {
    roots: new Int32Array(trees.length),
    column: new Int32Array(nodes),
    threshold: new Float32Array(nodes),
    left: new Int32Array(nodes),
    value: new Float32Array(nodes * outputs),
  };
  let at = 0;
  for (const [t, { column, threshold, left, value }] of trees.entries()) {
    packed.roots[t] = at;
    packed.column.set(column, at);
    packed.threshold.set(threshold, at);
    packed.left.set(
      left.map((child) => (child < 0 ? -1 : child + at)),
      at,
    );
    for (const [node, values] of value.entries()) packed.value.set(values, (at + node) * outputs);
    at += column.length;
  }
  return { kind, inputs, classes, prior, ...packed };
}

/** A tree, a forest, or boosted trees. */
export class TreeEnsemble implements FeatureClassifier {
  readonly inputs: number;
  readonly classes: number;

  /** @throws ClassicalError where the lists do not describe trees */
  constructor(private readonly data: EnsembleData) {
    this.inputs = data.inputs;
    this.classes = data.classes;
    checkTrees(data);
  }

  async probabilities(values: Float32Array, size: number): Promise<Float32Array> {
    const { inputs, classes, data } = this;
    const result = new Float32Array(size * classes);
    for (let i = 0; i < size; i++) {
      const row = values.subarray(i * inputs, (i + 1) * inputs);
      result.set(data.kind === 'mean' ? this.#mean(row) : this.#boosted(row), i * classes);
    }
    return result;
  }

  #mean(row: Float32Array): Float64Array {
    const { roots, value } = this.data;
    const shares = new Float64Array(this.classes);
    for (const root of roots) {
      const leaf = this.#leaf(row, root);
      for (let c = 0; c < shares.length; c++)
        shares[c] = (shares[c] ?? 0) + (value[leaf * shares.length + c] ?? 0) / roots.length;
    }
    return shares;
  }

  #boosted(row: Float32Array): Float64Array {
    const { roots, value, prior } = this.data;
    const sums = Float64Array.from(prior);
    for (const [t, root] of roots.entries()) {
      const c = t % sums.length;
      sums[c] = (sums[c] ?? 0) + (value[this.#leaf(row, root)] ?? 0);
    }
    return softmax(sums);
  }

  #leaf(row: Float32Array, root: number): number {
    const { column, threshold, left } = this.data;
    let node = root;
    for (let asked = column[node] ?? -1; asked >= 0; asked = column[node] ?? -1)
      node = (left[node] ?? 0) + ((row[asked] ?? 0) <= (threshold[node] ?? 0) ? 0 : 1);
    return node;
  }

  /** As tensors of a file. */
  tensors(): Map<string, SafetensorsInput> {
    const { roots, column, threshold, left, value, prior } = this.data;
    const entries = Object.entries({ roots, column, threshold, left, value, prior });
    return new Map(entries.map(([name, data]) => [name, { shape: [data.length], data }]));
  }

  dispose(): void {
    // Nothing is held on a device.
  }
}

/** exp(x_c) / sum exp(x), in float64. */
export function softmax(x: Float64Array): Float64Array {
  const most = Math.max(...x);
  const exponentials = x.map((value) => Math.exp(value - most));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/** Every way from a root ends: children come after their parents, and nothing points outside. */
function checkTrees({ kind, inputs, classes, roots, column, threshold, left, value, prior }: EnsembleData): void {
  const nodes = column.length;
  const fail = (reason: string): never => {
    throw new ClassicalError(`the trees are damaged: ${reason}.`);
  };
  if (threshold.length !== nodes || left.length !== nodes) fail('their lists differ in length');
  if (value.length !== nodes * (kind === 'mean' ? classes : 1)) fail(`${value.length} values for ${nodes} nodes`);
  if (kind === 'mean' && !value.every((share) => share >= 0 && share <= 1)) fail('a share is not between 0 and 1');
  if (prior.length !== classes) fail(`${prior.length} priors for ${classes} classes`);
  if (roots.length === 0) fail('there are none');
  for (const root of roots) if (root < 0 || root >= nodes) fail(`a root is node ${root} of ${nodes}`);
  for (let node = 0; node < nodes; node++) {
    const [asked = -1, child = -1] = [column[node], left[node]];
    if (asked >= inputs) fail(`node ${node} asks for column ${asked} of ${inputs}`);
    if (asked >= 0 && (child <= node || child + 1 >= nodes)) fail(`node ${node} has node ${child} for a child`);
  }
}

// A decision tree on binned features, grown depth-first. With G and H the sums of gradients and weights of a node's rows, by
// channel c, a split gains
//   sum_c G_left,c^2 / (H_left + lambda) + sum_c G_right,c^2 / (H_right + lambda) - sum_c G_c^2 / (H + lambda)
// and a leaf is worth G_c / (H + lambda) (Chen and Guestrin 2016, equations 5 to 7, times two). With the class as channel,
// ones as gradients and weights, and lambda = 0, the gain is the fall of Gini's impurity times the number of rows
// (n - sum_c n_c^2 / n), and a leaf is worth the shares of the classes: CART.
import { MAX_BINS, type BinnedFeatures } from './bins.ts';

/** What a tree is to tell, row by row. */
export interface TreeTarget {
  /** Number of channels. */
  readonly channels: number;
  /** Channel that a row's gradient belongs to; all to the first where absent. */
  readonly channel?: Int32Array | undefined;
  /** [rows] */
  readonly gradient: Float64Array;
  /** [rows], above 0 */
  readonly weight: Float64Array;
}

/** How far a tree grows. */
export interface TreeOptions {
  /** Splits from the root to a leaf at most. */
  readonly depth: number;
  /** Rows of a leaf at least. */
  readonly leastRows: number;
  /** Columns tried at each split, drawn anew; all where absent. */
  readonly columns?: number | undefined;
  /** Added to the weights' sum in a leaf. */
  readonly lambda: number;
  /** Numbers in [0, 1) for the draw. */
  readonly uniform: () => number;
}

/** Nodes in one list; the root comes first, children after their parent. */
export interface Tree {
  /** Column that a node asks; -1 of a leaf. */
  readonly column: number[];
  /** Rows with at most this value go left. */
  readonly threshold: number[];
  /** Index of the left child; the right one follows it. */
  readonly left: number[];
  /** [nodes][channels]; of leaves alone. */
  readonly value: Float64Array[];
}

interface Split {
  readonly column: number;
  readonly bin: number;
  readonly gain: number;
}

/** A split that gains less than this share of what the node scores is rounding. */
const LEAST_GAIN = 1e-9;

/** Grows a tree on some rows. @param rows their indices, reordered on the way; a row may come twice */
export function growTree(features: BinnedFeatures, target: TreeTarget, rows: Int32Array, options: TreeOptions): Tree {
  const tree: Tree = { column: [], threshold: [], left: [], value: [] };
  const add = (): number => {
    tree.column.push(-1);
    tree.threshold.push(0);
    tree.left.push(-1);
    return tree.value.push(new Float64Array(0)) - 1;
  };
  const waiting = [{ node: add(), from: 0, to: rows.length, depth: 0 }];
  for (let one = waiting.pop(); one; one = waiting.pop()) {
    const { node, from, to, depth } = one;
    const own = rows.subarray(from, to);
    const total = sums(target, own);
    const split = depth < options.depth ? bestSplit(features, target, own, total, options) : undefined;
    if (!split) {
      const weight = (total.at(-1) ?? 0) + options.lambda;
      tree.value[node] = total.subarray(0, target.channels).map((sum) => (weight > 0 ? sum / weight : 0));
      continue;
    }
    const middle = from + partition(own, features.bins[split.column] ?? new Uint8Array(), split.bin);
    tree.column[node] = split.column;
    tree.threshold[node] = features.edges[split.column]?.[split.bin] ?? 0;
    const left = add();
    tree.left[node] = left;
    waiting.push({ node: add(), from: middle, to, depth: depth + 1 });
    waiting.push({ node: left, from, to: middle, depth: depth + 1 });
  }
  return tree;
}

/** Sums over rows: gradients by channel, then weights. */
function sums({ channels, channel, gradient, weight }: TreeTarget, rows: Int32Array): Float64Array {
  const total = new Float64Array(channels + 1);
  for (const row of rows) {
    const c = channel?.[row] ?? 0;
    total[c] = (total[c] ?? 0) + (gradient[row] ?? 0);
    total[channels] = (total[channels] ?? 0) + (weight[row] ?? 0);
  }
  return total;
}

function score(sum: Float64Array, channels: number, lambda: number): number {
  let squares = 0;
  for (let c = 0; c < channels; c++) squares += (sum[c] ?? 0) ** 2;
  const weight = (sum[channels] ?? 0) + lambda;
  return weight > 0 ? squares / weight : 0;
}

function bestSplit(
  { bins, edges }: BinnedFeatures,
  target: TreeTarget,
  rows: Int32Array,
  total: Float64Array,
  { columns, leastRows, lambda, uniform }: TreeOptions,
): Split | undefined {
  if (rows.length < 2 * leastRows) return undefined;
  const { channels, channel, gradient, weight } = target;
  const whole = score(total, channels, lambda);
  const stride = channels + 2;
  const histogram = new Float64Array(MAX_BINS * stride);
  const left = new Float64Array(channels + 1);
  const right = new Float64Array(channels + 1);
  let best: Split | undefined;
  for (const column of drawColumns(bins.length, columns, uniform)) {
    const bin = bins[column] ?? new Uint8Array();
    const cuts = edges[column]?.length ?? 0;
    if (cuts === 0) continue;
    histogram.fill(0, 0, (cuts + 1) * stride);
    for (const row of rows) {
      const at = (bin[row] ?? 0) * stride;
      const g = at + (channel?.[row] ?? 0);
      histogram[g] = (histogram[g] ?? 0) + (gradient[row] ?? 0);
      histogram[at + channels] = (histogram[at + channels] ?? 0) + (weight[row] ?? 0);
      histogram[at + channels + 1] = (histogram[at + channels + 1] ?? 0) + 1;
    }
    left.fill(0);
    let count = 0;
    for (let cut = 0; cut < cuts; cut++) {
      const at = cut * stride;
      const here = histogram[at + channels + 1] ?? 0;
      if (here === 0) continue;
      count += here;
      for (let c = 0; c <= channels; c++) left[c] = (left[c] ?? 0) + (histogram[at + c] ?? 0);
      if (count < leastRows) continue;
      if (rows.length - count < leastRows) break;
      for (let c = 0; c <= channels; c++) right[c] = (total[c] ?? 0) - (left[c] ?? 0);
      const gain = score(left, channels, lambda) + score(right, channels, lambda) - whole;
      if (gain > (best?.gain ?? LEAST_GAIN * whole)) best = { column, bin: cut, gain };
    }
  }
  return best;
}

/** So many different columns, or all of them. */
function drawColumns(width: number, count = width, uniform: () => number): Int32Array {
  const all = Int32Array.from({ length: width }, (_, i) => i);
  if (count >= width) return all;
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(uniform() * (width - i));
    [all[i], all[j]] = [all[j] ?? 0, all[i] ?? 0];
  }
  return all.subarray(0, count);
}

/** Brings the rows of bins up to `bin` to the front. @returns how many */
function partition(rows: Int32Array, bins: Uint8Array, bin: number): number {
  let front = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0;
    if ((bins[row] ?? 0) > bin) continue;
    rows[i] = rows[front] ?? 0;
    rows[front++] = row;
  }
  return front;
}

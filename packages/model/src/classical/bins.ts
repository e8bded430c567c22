// Features in bins: each column cut at up to 63 quantiles, as histogram-based trees want them (Ke et al. 2017, LightGBM).
import type { Features } from '../training/types.ts';

/** Bins of a column at most; LightGBM finds 63 as good as 255. */
export const MAX_BINS = 64;

/** Rows that the quantiles are taken of at most. */
const SAMPLE = 10_000;

/** Columns of small whole numbers in place of values. */
export interface BinnedFeatures {
  /** For each column, the bin of each row: bin b holds the values above edges[b - 1], up to and including edges[b]. */
  readonly bins: readonly Uint8Array[];
  /** For each column, where its bins meet, rising; empty where all values are one. */
  readonly edges: readonly Float32Array[];
  /** Number of rows. */
  readonly length: number;
}

/** Cuts every column of features [length, width] into bins; with at most MAX_BINS values each has its own. */
export function binFeatures({ values, labels, width }: Features): BinnedFeatures {
  const { length } = labels;
  const step = Math.max(1, Math.ceil(length / SAMPLE));
  const sample = new Float32Array(Math.ceil(length / step));
  const bins: Uint8Array[] = [];
  const edges: Float32Array[] = [];
  for (let column = 0; column < width; column++) {
    for (let i = 0; i < sample.length; i++) sample[i] = values[i * step * width + column] ?? 0;
    const found = binEdges(sample.sort());
    const row = new Uint8Array(length);
    for (let i = 0; i < length; i++) row[i] = binOf(found, values[i * width + column] ?? 0);
    bins.push(row);
    edges.push(found);
  }
  return { bins, edges, length };
}

/** @param sorted rising */
function binEdges(sorted: Float32Array): Float32Array {
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  const found: number[] = [];
  const cut = (low: number, high: number): void => {
    const middle = Math.fround((low + high) / 2);
    // Between two neighbours of float32 there is nothing: the lower one is the edge.
    const edge = middle < high ? middle : low;
    if (edge > (found.at(-1) ?? -Infinity)) found.push(edge);
  };
  if (distinct.length <= MAX_BINS) {
    for (let i = 1; i < distinct.length; i++) cut(distinct[i - 1] ?? 0, distinct[i] ?? 0);
  } else {
    for (let bin = 1; bin < MAX_BINS; bin++) {
      const at = Math.floor((bin * sorted.length) / MAX_BINS);
      const [low = 0, high = 0] = [sorted[at - 1], sorted[at]];
      if (low < high) cut(low, high);
      else if (low < (sorted.at(-1) ?? low) && low > (found.at(-1) ?? -Infinity)) found.push(low);
    }
  }
  return Float32Array.from(found);
}

function binOf(edges: Float32Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (edges[middle] ?? Infinity)) high = middle;
    else low = middle + 1;
  }
  return low;
}

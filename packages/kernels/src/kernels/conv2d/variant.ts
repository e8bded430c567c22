/** Chooses between the shaders of one direction of a convolution, and gives the tile that a workgroup makes. */
import type { Shader } from '../../wgsl/shader.ts';
import type { Tiling, Tuning } from '../../tuning/tilings.ts';
import type { Conv2dShape } from './shape.ts';

export interface Variant {
  readonly shader: Shader;
  readonly tuning: Tuning;
  readonly tileRows: number;
  readonly tileColumns: number;
  /** What parts of a sum are a multiple of; undefined where the shader cannot split it. */
  readonly step?: number;
}

/** The implicit matrix product that is to be made: its size, and which variants its channels allow. */
export interface Product {
  readonly rows: number;
  /** Of the batch that the rows are pixels of. */
  readonly images: number;
  readonly columns: number;
  /** Into how many parts its sum is split where that fills the device. */
  readonly parts: number;
  readonly allows: Readonly<Record<'subgroups' | 'staged' | 'matrix', boolean>> & { readonly flat?: boolean };
}

/** Backward-input has none that is flat. */
export type Shaders = Readonly<Record<'direct' | 'subgroups' | 'staged' | 'matrix', Shader>> & {
  readonly flat?: Shader;
};

/** A tile that leaves more than this share of its work to be thrown away, beside the one that leaves least, is not taken. */
const MOST_PADDING = 1.25;

/** Whether a sum may run over taps and channels as one depth; where channels come in fours, staged reads them so. */
export const allowsFlat = ({ inC, outC, dilationW }: Conv2dShape): boolean =>
  inC % 4 !== 0 && outC % 4 === 0 && dilationW === 1;

/** The first variant of matrix, staged, flat, subgroups and direct that the tiling names and the channels allow. */
export function chooseVariant(product: Product, tiling: Tiling, shaders: Shaders): Variant {
  const { allows } = product;
  const matrix = allows.matrix && largestThatFills(product, tiling, matrixVariants(shaders.matrix, tiling.matrix));
  if (matrix) return matrix;
  const staged = allows.staged && largestThatFills(product, tiling, stagedVariants(shaders.staged, tiling.staged));
  if (staged) return staged;
  const flat =
    shaders.flat && allows.flat && largestThatFills(product, tiling, flatVariants(shaders.flat, tiling.flat));
  if (flat) return flat;
  const { few } = tiling;
  const subgroups = few && product.images <= few.images && product.rows <= few.rows ? few.subgroups : tiling.subgroups;
  if (subgroups && allows.subgroups) {
    const tuning = { ...shaders.subgroups.tunables, ...subgroups };
    // Without a TN a lane holds one vec4 of columns.
    const { TM = 1, TN = 4, LANES = 1 } = tuning;
    return { shader: shaders.subgroups, tuning, tileRows: TM, tileColumns: TN * LANES };
  }
  return inThreads(shaders.direct, tiling.direct);
}

export const tilesOf = ({ rows, columns }: Pick<Product, 'rows' | 'columns'>, v: Variant): number =>
  Math.ceil(rows / v.tileRows) * Math.ceil(columns / v.tileColumns);

/** Large tiles read least; smaller ones fill a device better where the product is small, and waste less at its edges. */
function largestThatFills(product: Product, tiling: Tiling, variants: readonly Variant[]): Variant | undefined {
  const work = (v: Variant) => tilesOf(product, v) * v.tileRows * v.tileColumns;
  const least = Math.min(...variants.map(work));
  const fitting = variants.filter((v) => work(v) <= MOST_PADDING * least);
  const [smallest] = fitting.toSorted((a, b) => tilesOf(product, b) - tilesOf(product, a));
  return fitting.find((v) => tilesOf(product, v) * product.parts >= (tiling.workgroups ?? 1)) ?? smallest;
}

const stagedVariants = (shader: Shader, tunings: readonly Tuning[] = []): Variant[] =>
  tunings.map((tuning) => ({ ...inThreads(shader, tuning), step: tuning['DEPTH'] ?? 1 }));

const flatVariants = (shader: Shader, tunings: readonly Tuning[] = []): Variant[] =>
  tunings.map((tuning) => inThreads(shader, tuning));

const matrixVariants = (shader: Shader, tunings: readonly Tuning[] = []): Variant[] =>
  tunings.map((given) => {
    const tuning = { ...shader.tunables, ...given };
    const { TM = 1, TN = 1, ROWS = 1, COLS = 1, M = 1, N = 1, DEPTH = 1 } = tuning;
    return { shader, tuning, tileRows: TM * ROWS * M, tileColumns: TN * COLS * N, step: DEPTH };
  });

function inThreads(shader: Shader, tuned: Tuning | undefined): Variant {
  const tuning = { ...shader.tunables, ...tuned };
  const { TM = 1, TN = 1, COLS = 1, ROWS = 1 } = tuning;
  return { shader, tuning, tileRows: TM * ROWS, tileColumns: TN * COLS };
}

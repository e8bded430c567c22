/** Chooses between the shaders of one direction of a convolution, and gives the tile that a workgroup makes. */
import type { Shader } from '../../wgsl/shader.ts';
import type { Tiling, Tuning } from '../../tuning/tilings.ts';

export interface Variant {
  readonly shader: Shader;
  readonly tuning: Tuning;
  readonly tileRows: number;
  readonly tileColumns: number;
}

/** The implicit matrix product that is to be made: its size, and which variants its channels allow. */
export interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly allows: { readonly subgroups: boolean; readonly staged: boolean };
}

export interface Shaders {
  readonly direct: Shader;
  readonly subgroups: Shader;
  readonly staged: Shader;
}

/** The first variant of staged, subgroups and direct that the tiling names and the channels allow. */
export function chooseVariant(product: Product, tiling: Tiling, shaders: Shaders): Variant {
  const staged = product.allows.staged && largestThatFills(product, tiling, shaders.staged);
  if (staged) return staged;
  if (tiling.subgroups && product.allows.subgroups) {
    const tuning = { ...shaders.subgroups.tunables, ...tiling.subgroups };
    // Without a TN a lane holds one vec4 of columns.
    const { TM = 1, TN = 4, LANES = 1 } = tuning;
    return { shader: shaders.subgroups, tuning, tileRows: TM, tileColumns: TN * LANES };
  }
  return inThreads(shaders.direct, tiling.direct);
}

/** Large tiles read least; the smallest one fills a device best where the product is small. */
function largestThatFills({ rows, columns }: Product, tiling: Tiling, shader: Shader): Variant | undefined {
  const variants = (tiling.staged ?? []).map((tuning) => inThreads(shader, tuning));
  const workgroups = (v: Variant) => Math.ceil(rows / v.tileRows) * Math.ceil(columns / v.tileColumns);
  return variants.find((v) => workgroups(v) >= (tiling.workgroups ?? 1)) ?? variants.at(-1);
}

function inThreads(shader: Shader, tuned: Tuning | undefined): Variant {
  const tuning = { ...shader.tunables, ...tuned };
  const { TM = 1, TN = 1, COLS = 1, ROWS = 1 } = tuning;
  return { shader, tuning, tileRows: TM * ROWS, tileColumns: TN * COLS };
}

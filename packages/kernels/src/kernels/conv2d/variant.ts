/** Chooses between a convolution's plain shader and its subgroup variant, and gives the tile that a workgroup makes. */
import type { Shader } from '../../wgsl/shader.ts';
import type { Tiling, Tuning } from '../../tuning/tilings.ts';
import type { Conv2dShape } from './shape.ts';

export interface Variant {
  readonly shader: Shader;
  readonly tuning: Tuning;
  readonly tileRows: number;
  readonly tileColumns: number;
}

/** @param laneColumns columns that one lane of the subgroup variant holds, where its tuning does not say (TN) */
export function chooseVariant(
  { outC }: Conv2dShape,
  tiling: Tiling,
  shaders: { readonly direct: Shader; readonly subgroups: Shader },
  laneColumns = 1,
): Variant {
  if (tiling.subgroups && outC % 4 === 0) {
    const tuning = { ...shaders.subgroups.tunables, ...tiling.subgroups };
    const { TM = 1, TN = laneColumns, LANES = 1 } = tuning;
    return { shader: shaders.subgroups, tuning, tileRows: TM, tileColumns: TN * LANES };
  }
  const tuning = { ...shaders.direct.tunables, ...tiling.direct };
  const { TM = 1, TN = 1, COLS = 1, ROWS = 1 } = tuning;
  return { shader: shaders.direct, tuning, tileRows: TM * ROWS, tileColumns: TN * COLS };
}

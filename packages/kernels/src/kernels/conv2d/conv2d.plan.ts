/** Plans the forward convolution: one dispatch, or one that sums parts of the channels and a second that adds them up. */
import { checkBinding, foldRows, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import type { Tiling, Tuning } from '../../tuning/tilings.ts';
import { epilogueParams, planSum, splitChannels, type Conv2dEpilogue } from './parts.ts';
import type { Conv2dShape } from './shape.ts';
import { allowsFlat, chooseVariant, type Product } from './variant.ts';
import source from './conv2d.wgsl?raw';
import flatSource from './conv2d-flat.wgsl?raw';
import matrixSource from './conv2d-matrix.wgsl?raw';
import stagedSource from './conv2d-staged.wgsl?raw';
import subgroupsSource from './conv2d-subgroups.wgsl?raw';

export const shaders = {
  direct: readShader('conv2d', source),
  subgroups: readShader('conv2d-subgroups', subgroupsSource),
  staged: readShader('conv2d-staged', stagedSource),
  flat: readShader('conv2d-flat', flatSource),
  matrix: readShader('conv2d-matrix', matrixSource),
};

/**
 * @param precision in which x, w, the residual and y are stored
 * @param sumTuning of the pass that adds up parts
 */
export function planConv2d(
  s: Conv2dShape,
  epilogue: Conv2dEpilogue,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
  sumTuning: Tuning = {},
): Plan[] {
  const product: Product = {
    rows: s.batch * s.outH * s.outW,
    images: s.batch,
    columns: s.outC,
    parts: 1,
    allows: {
      subgroups: s.outC % 4 === 0,
      staged: s.inC % 4 === 0 && s.outC % 4 === 0,
      flat: allowsFlat(s),
      matrix: precision === 'float16' && s.inC % 8 === 0 && s.outC % 8 === 0,
    },
  };
  const variant = chooseVariant(product, tiling, shaders);
  const rowTiles = Math.ceil(product.rows / variant.tileRows);
  const columnTiles = Math.ceil(s.outC / variant.tileColumns);
  const shape = [s.batch, s.outH, s.outW, s.outC];
  checkBinding('conv2d', 'x', [s.batch, s.inH, s.inW, s.inC], limits, precision);
  checkBinding('conv2d', 'w', [s.kH, s.kW, s.inC, s.outC], limits, precision);
  checkBinding('conv2d', 'y', shape, limits, precision);
  const parts = splitChannels(variant, { tiles: rowTiles * columnTiles, channels: s.inC, shape, precision }, tiling, limits); // prettier-ignore
  const first: Plan = {
    shader: variant.shader,
    tuning: variant.tuning,
    constants: parts.constants,
    params: {
      ...s,
      ...epilogueParams(parts.count === 1 ? epilogue : {}),
      rowTiles,
      ...parts.params,
      ...(variant.step !== undefined && { columnTiles }),
    },
    workgroups: foldRows('conv2d', columnTiles * parts.count, rowTiles, limits),
    precision,
    outputs: { y: parts.output },
  };
  return parts.count === 1 ? [first] : [first, planSum(shape, parts.count, limits, { epilogue, precision, tuning: sumTuning })]; // prettier-ignore
}

/** Plans the gradient with respect to the input: one dispatch, or one that sums parts of the channels and a second that adds them up. */
import { checkBinding, foldRows, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import type { Tiling, Tuning } from '../../tuning/tilings.ts';
import { planSum, splitChannels } from '../conv2d/parts.ts';
import type { Conv2dShape } from '../conv2d/shape.ts';
import { chooseVariant, type Product } from '../conv2d/variant.ts';
import source from './conv2d-backward-input.wgsl?raw';
import matrixSource from './conv2d-backward-input-matrix.wgsl?raw';
import stagedSource from './conv2d-backward-input-staged.wgsl?raw';
import subgroupsSource from './conv2d-backward-input-subgroups.wgsl?raw';

export const shaders = {
  direct: readShader('conv2d-backward-input', source),
  subgroups: readShader('conv2d-backward-input-subgroups', subgroupsSource),
  staged: readShader('conv2d-backward-input-staged', stagedSource),
  matrix: readShader('conv2d-backward-input-matrix', matrixSource),
};
const { name } = shaders.direct;

/** One column a lane where the lanes hold all of them: an image's three channels would leave most of a wider tile idle. */
function narrowed({ inC }: Conv2dShape, tiling: Tiling): Tiling {
  const { subgroups } = tiling;
  const lanes = subgroups?.['LANES'] ?? shaders.subgroups.tunables['LANES'] ?? 1;
  return subgroups && inC <= lanes ? { ...tiling, subgroups: { ...subgroups, TN: 1 } } : tiling;
}

/**
 * @param precision in which dy, w and dx are stored
 * @param sumTuning of the pass that adds up parts
 */
export function planConv2dBackwardInput(
  s: Conv2dShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
  sumTuning: Tuning = {},
): Plan[] {
  // Rows run over whole strides, the last of which may reach past the image.
  const spans = Math.ceil(s.inH / s.strideH) * s.strideH * Math.ceil(s.inW / s.strideW) * s.strideW;
  const product: Product = {
    rows: s.batch * spans,
    images: s.batch,
    columns: s.inC,
    parts: 1,
    allows: {
      subgroups: s.outC % 4 === 0,
      staged: s.outC % 4 === 0,
      matrix: precision === 'float16' && s.inC % 8 === 0 && s.outC % 8 === 0,
    },
  };
  const variant = chooseVariant(product, narrowed(s, tiling), shaders);
  const rowTiles = Math.ceil(product.rows / variant.tileRows);
  const columnTiles = Math.ceil(s.inC / variant.tileColumns);
  const shape = [s.batch, s.inH, s.inW, s.inC];
  checkBinding(name, 'dy', [s.batch, s.outH, s.outW, s.outC], limits, precision);
  checkBinding(name, 'w', [s.kH, s.kW, s.inC, s.outC], limits, precision);
  checkBinding(name, 'dx', shape, limits, precision);
  const parts = splitChannels(variant, { tiles: rowTiles * columnTiles, channels: s.outC, shape, precision }, tiling, limits); // prettier-ignore
  const first: Plan = {
    shader: variant.shader,
    tuning: variant.tuning,
    constants: parts.constants,
    params: { ...s, rowTiles, ...parts.params, ...(variant.step !== undefined && { columnTiles }) },
    workgroups: foldRows(name, columnTiles * parts.count, rowTiles, limits),
    precision,
    outputs: { dx: parts.output },
  };
  return parts.count === 1 ? [first] : [first, planSum(shape, parts.count, limits, { precision, tuning: sumTuning })];
}

/** Plans the gradient with respect to the input: shapes, device limits and tuning in, one dispatch out. */
import { checkBinding, foldRows, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import type { Tiling } from '../../tuning/tilings.ts';
import type { Conv2dShape } from '../conv2d/shape.ts';
import { chooseVariant } from '../conv2d/variant.ts';
import source from './conv2d-backward-input.wgsl?raw';
import stagedSource from './conv2d-backward-input-staged.wgsl?raw';
import subgroupsSource from './conv2d-backward-input-subgroups.wgsl?raw';

export const shader = readShader('conv2d-backward-input', source);
export const subgroupsShader = readShader('conv2d-backward-input-subgroups', subgroupsSource);
export const stagedShader = readShader('conv2d-backward-input-staged', stagedSource);
const shaders = { direct: shader, subgroups: subgroupsShader, staged: stagedShader };

/** One column a lane where the lanes hold all of them: an image's three channels would leave most of a wider tile idle. */
function narrowed({ inC }: Conv2dShape, tiling: Tiling): Tiling {
  const { subgroups } = tiling;
  const lanes = subgroups?.['LANES'] ?? subgroupsShader.tunables['LANES'] ?? 1;
  return subgroups && inC <= lanes ? { ...tiling, subgroups: { ...subgroups, TN: 1 } } : tiling;
}

/** @param precision in which dy, w and dx are stored */
export function planConv2dBackwardInput(
  s: Conv2dShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
): Plan {
  // Rows run over whole strides, the last of which may reach past the image.
  const spans = Math.ceil(s.inH / s.strideH) * s.strideH * Math.ceil(s.inW / s.strideW) * s.strideW;
  const rows = s.batch * spans;
  const allows = { subgroups: s.outC % 4 === 0, staged: s.outC % 4 === 0 };
  const variant = chooseVariant({ rows, columns: s.inC, allows }, narrowed(s, tiling), shaders);
  const rowTiles = Math.ceil(rows / variant.tileRows);
  const shape = [s.batch, s.inH, s.inW, s.inC];
  checkBinding(shader.name, 'dy', [s.batch, s.outH, s.outW, s.outC], limits, precision);
  checkBinding(shader.name, 'w', [s.kH, s.kW, s.inC, s.outC], limits, precision);
  checkBinding(shader.name, 'dx', shape, limits, precision);
  return {
    shader: variant.shader,
    tuning: variant.tuning,
    constants: {},
    params: { ...s, rowTiles },
    workgroups: foldRows(shader.name, Math.ceil(s.inC / variant.tileColumns), rowTiles, limits),
    precision,
    outputs: { dx: { shape, dtype: precision } },
  };
}

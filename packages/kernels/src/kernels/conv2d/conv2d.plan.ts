/** Plans the forward convolution: shapes, device limits and tuning in, one dispatch out. */
import { checkBinding, foldRows, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import type { Tiling } from '../../tuning/tilings.ts';
import type { Conv2dShape } from './shape.ts';
import { chooseVariant } from './variant.ts';
import source from './conv2d.wgsl?raw';
import stagedSource from './conv2d-staged.wgsl?raw';
import subgroupsSource from './conv2d-subgroups.wgsl?raw';

export const shader = readShader('conv2d', source);
export const subgroupsShader = readShader('conv2d-subgroups', subgroupsSource);
export const stagedShader = readShader('conv2d-staged', stagedSource);
const shaders = { direct: shader, subgroups: subgroupsShader, staged: stagedShader };

/** What is computed in the same kernel after the sum. */
export interface Conv2dEpilogue {
  readonly bias?: boolean;
  readonly residual?: boolean;
  readonly relu?: boolean;
}

/** @param precision in which x, w, the residual and y are stored */
export function planConv2d(
  s: Conv2dShape,
  epilogue: Conv2dEpilogue,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
): Plan {
  const rows = s.batch * s.outH * s.outW;
  const allows = { subgroups: s.outC % 4 === 0, staged: s.inC % 4 === 0 && s.outC % 4 === 0 };
  const variant = chooseVariant({ rows, columns: s.outC, allows }, tiling, shaders);
  const rowTiles = Math.ceil(rows / variant.tileRows);
  const shape = [s.batch, s.outH, s.outW, s.outC];
  checkBinding('conv2d', 'x', [s.batch, s.inH, s.inW, s.inC], limits, precision);
  checkBinding('conv2d', 'w', [s.kH, s.kW, s.inC, s.outC], limits, precision);
  checkBinding('conv2d', 'y', shape, limits, precision);
  return {
    shader: variant.shader,
    tuning: variant.tuning,
    constants: {
      HAS_BIAS: Number(epilogue.bias ?? false),
      HAS_RESIDUAL: Number(epilogue.residual ?? false),
      RELU: Number(epilogue.relu ?? false),
    },
    params: { ...s, rowTiles },
    workgroups: foldRows('conv2d', Math.ceil(s.outC / variant.tileColumns), rowTiles, limits),
    precision,
    outputs: { y: { shape, dtype: precision } },
  };
}

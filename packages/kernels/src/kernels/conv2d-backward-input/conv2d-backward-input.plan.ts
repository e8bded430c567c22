/** Plans the gradient with respect to the input: shapes, device limits and tuning in, one dispatch out. */
import { checkBinding, foldRows, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import type { Tiling } from '../../tuning/tilings.ts';
import type { Conv2dShape } from '../conv2d/shape.ts';
import { chooseVariant } from '../conv2d/variant.ts';
import source from './conv2d-backward-input.wgsl?raw';
import subgroupsSource from './conv2d-backward-input-subgroups.wgsl?raw';

export const shader = readShader('conv2d-backward-input', source);
export const subgroupsShader = readShader('conv2d-backward-input-subgroups', subgroupsSource);

export function planConv2dBackwardInput(s: Conv2dShape, limits: Limits, tiling: Tiling = {}): Plan {
  const variant = chooseVariant(s, tiling, { direct: shader, subgroups: subgroupsShader });
  const rowTiles = Math.ceil((s.batch * s.inH * s.inW) / variant.tileRows);
  const shape = [s.batch, s.inH, s.inW, s.inC];
  checkBinding(shader.name, 'dy', [s.batch, s.outH, s.outW, s.outC], limits);
  checkBinding(shader.name, 'w', [s.kH, s.kW, s.inC, s.outC], limits);
  checkBinding(shader.name, 'dx', shape, limits);
  return {
    shader: variant.shader,
    tuning: variant.tuning,
    constants: {},
    params: { ...s, rowTiles },
    workgroups: foldRows(shader.name, Math.ceil(s.inC / variant.tileColumns), rowTiles, limits),
    outputs: { dx: { shape, dtype: 'float32' } },
  };
}

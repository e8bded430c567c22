/** Plans the gradient with respect to the input: shapes, device limits and tuning in, one dispatch out. */
import { checkBinding, foldRows, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import type { Conv2dShape } from '../conv2d/shape.ts';
import source from './conv2d-backward-input.wgsl?raw';

export const shader = readShader('conv2d-backward-input', source);

export function planConv2dBackwardInput(
  s: Conv2dShape,
  limits: Limits,
  tuning: Readonly<Record<string, number>> = {},
): Plan {
  const t = { ...shader.tunables, ...tuning };
  const { TM = 1, TN = 1, COLS = 1, ROWS = 1 } = t;
  const rowTiles = Math.ceil((s.batch * s.inH * s.inW) / (TM * ROWS));
  const shape = [s.batch, s.inH, s.inW, s.inC];
  checkBinding(shader.name, 'dy', [s.batch, s.outH, s.outW, s.outC], limits);
  checkBinding(shader.name, 'w', [s.kH, s.kW, s.inC, s.outC], limits);
  checkBinding(shader.name, 'dx', shape, limits);
  return {
    shader,
    tuning: t,
    constants: {},
    params: { ...s, rowTiles },
    workgroups: foldRows(shader.name, Math.ceil(s.inC / (TN * COLS)), rowTiles, limits),
    outputs: { dx: { shape, dtype: 'float32' } },
  };
}

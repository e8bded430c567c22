/** Plans the forward convolution: shapes, device limits and tuning in, one dispatch out. */
import { checkBinding, foldRows, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import type { Conv2dShape } from './shape.ts';
import source from './conv2d.wgsl?raw';

export const shader = readShader('conv2d', source);

/** What is computed in the same kernel after the sum. */
export interface Conv2dEpilogue {
  readonly bias?: boolean;
  readonly residual?: boolean;
  readonly relu?: boolean;
}

export function planConv2d(
  s: Conv2dShape,
  epilogue: Conv2dEpilogue,
  limits: Limits,
  tuning: Readonly<Record<string, number>> = {},
): Plan {
  const t = { ...shader.tunables, ...tuning };
  const { TM = 1, TN = 1, COLS = 1, ROWS = 1 } = t;
  const rowTiles = Math.ceil((s.batch * s.outH * s.outW) / (TM * ROWS));
  const shape = [s.batch, s.outH, s.outW, s.outC];
  checkBinding('conv2d', 'x', [s.batch, s.inH, s.inW, s.inC], limits);
  checkBinding('conv2d', 'w', [s.kH, s.kW, s.inC, s.outC], limits);
  checkBinding('conv2d', 'y', shape, limits);
  return {
    shader,
    tuning: t,
    constants: {
      HAS_BIAS: Number(epilogue.bias ?? false),
      HAS_RESIDUAL: Number(epilogue.residual ?? false),
      RELU: Number(epilogue.relu ?? false),
    },
    params: { ...s, rowTiles },
    workgroups: foldRows('conv2d', Math.ceil(s.outC / (TN * COLS)), rowTiles, limits),
    outputs: { y: { shape, dtype: 'float32' } },
  };
}

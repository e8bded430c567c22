/** Plans the gradients of a dense layer: shapes and device limits in, one dispatch each out. The layer is a 1x1 convolution. */
import { checkBinding, foldRows, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tiling, Tuning } from '../../tuning/tilings.ts';
import { readShader, type Shader } from '../../wgsl/shader.ts';
import backwardInputSource from './dense-backward-input.wgsl?raw';
import backwardWeightsSource from './dense-backward-weights.wgsl?raw';

export const backwardInputShader = readShader('dense-backward-input', backwardInputSource);
export const backwardWeightsShader = readShader('dense-backward-weights', backwardWeightsSource);

export interface DenseShape {
  /** Images. */
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly relu: boolean;
}

/** @throws on a tensor that the device cannot bind, and on a layer without inputs or outputs, naming it */
export function checkDense(s: DenseShape, limits: Limits): void {
  const { rows, inputs, outputs } = s;
  if (inputs === 0 || outputs === 0)
    throw new Error(`dense: a kernel of [${inputs}, ${outputs}]; there must be at least one input and one output`);
  checkBinding('dense', 'x', [rows, inputs], limits);
  checkBinding('dense', 'kernel', [inputs, outputs], limits);
  checkBinding('dense', 'y', [rows, outputs], limits);
}

function plan(
  shader: Shader,
  { rows, inputs, outputs, relu }: DenseShape,
  tuning: Tuning,
  [columns, rowTiles]: readonly [number, number],
  limits: Limits,
  made: Plan['outputs'],
): Plan {
  return {
    shader,
    tuning,
    constants: { RELU: Number(relu) },
    params: { rows, inputs, outputs, rowTiles },
    workgroups: rows === 0 && !made['dw'] ? [0, 0, 0] : foldRows(shader.name, columns, rowTiles, limits),
    outputs: made,
  };
}

/** Inputs dy and y [rows, outputs], w; output dx [rows, inputs]. */
export function planDenseBackwardInput(s: DenseShape, limits: Limits, { direct }: Tiling = {}): Plan {
  checkDense(s, limits);
  const { TM = 1, COLS: THREADS = backwardInputShader.tunables['THREADS'] ?? 1 } = {
    ...backwardInputShader.tunables,
    ...direct,
  };
  const tiles = [Math.ceil(s.inputs / THREADS), Math.ceil(s.rows / TM)] as const;
  return plan(backwardInputShader, s, { TM, THREADS }, tiles, limits, {
    dx: { shape: [s.rows, s.inputs], dtype: 'float32' },
  });
}

/** Inputs x [rows, inputs], dy and y [rows, outputs]; outputs dw [inputs, outputs], dbias [outputs]: zeros of no rows. */
export function planDenseBackwardWeights(s: DenseShape, limits: Limits, { direct }: Tiling = {}): Plan {
  checkDense(s, limits);
  const { TM = 1, COLS = 1 } = { ...backwardWeightsShader.tunables, ...direct };
  const ROWS = direct ? 1 : (backwardWeightsShader.tunables['ROWS'] ?? 1);
  const tiles = [Math.ceil(s.outputs / COLS), Math.ceil(s.inputs / (TM * ROWS))] as const;
  return plan(backwardWeightsShader, s, { TM, COLS, ROWS }, tiles, limits, {
    dw: { shape: [s.inputs, s.outputs], dtype: 'float32' },
    dbias: { shape: [s.outputs], dtype: 'float32' },
  });
}

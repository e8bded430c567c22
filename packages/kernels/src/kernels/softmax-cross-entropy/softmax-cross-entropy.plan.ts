/** Plans of the softmax cross-entropy from sparse labels, and of scaling rows, which its gradient needs. */
import { checkBinding, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import scaleRowsSource from './scale-rows.wgsl?raw';
import source from './softmax-cross-entropy.wgsl?raw';

export const shader = readShader('softmax-cross-entropy', source);
export const scaleRowsShader = readShader('scale-rows', scaleRowsSource);

/**
 * Inputs logits [rows, classes], labels [rows] int32; outputs loss [rows], gradient [rows, classes].
 * @param smoothing share of the target that all classes share evenly, in [0, 1)
 * @throws when there are no classes, or the smoothing is no such share
 */
export function planSoftmaxCrossEntropy(
  rows: number,
  classes: number,
  smoothing: number,
  limits: Limits,
  tuning: Readonly<Record<string, number>> = {},
): Plan {
  if (!(smoothing >= 0 && smoothing < 1))
    throw new Error(`softmax-cross-entropy: label smoothing must be in [0, 1), got ${smoothing}`);
  if (classes === 0)
    throw new Error(`softmax-cross-entropy: logits are [${rows}, 0]; there must be at least one class`);
  checkBinding('softmax-cross-entropy', 'logits', [rows, classes], limits);
  return {
    shader,
    tuning: { ...shader.tunables, ...tuning },
    constants: {},
    params: { rows, classes, smoothing },
    workgroups: foldWorkgroups('softmax-cross-entropy', rows, limits),
    outputs: { loss: { shape: [rows], dtype: 'float32' }, gradient: { shape: [rows, classes], dtype: 'float32' } },
  };
}

/** Inputs x [rows, columns], scale [rows]; output y. */
export function planScaleRows(rows: number, columns: number, limits: Limits): Plan {
  const { tunables } = scaleRowsShader;
  const perWorkgroup = (tunables['THREADS'] ?? 256) * (tunables['PER_THREAD'] ?? 4);
  return {
    shader: scaleRowsShader,
    tuning: tunables,
    constants: {},
    params: { size: rows * columns, columns },
    workgroups: foldWorkgroups('scale-rows', Math.ceil((rows * columns) / perWorkgroup), limits),
    outputs: { y: { shape: [rows, columns], dtype: 'float32' } },
  };
}

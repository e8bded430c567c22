/** Plans a batched matrix product: shapes, transposes and device limits in, one dispatch out. */
import { checkBinding, elements, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tiling } from '../../tuning/tilings.ts';
import { readShader } from '../../wgsl/shader.ts';
import { planPerElement } from '../per-element.plan.ts';
import integersSource from './mat-mul-integers.wgsl?raw';
import source from './mat-mul.wgsl?raw';

export const shader = readShader('mat-mul', source);

export const integersShader = readShader('mat-mul-integers', integersSource);

export interface MatMulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly bias?: boolean;
  readonly relu?: boolean;
}

/**
 * @param aShape [...batch, m, k], or [...batch, k, m] with transposeA
 * @param bShape [...batch, k, n], or [...batch, n, k] with transposeB; either batch may be 1
 * @throws when the inner dimensions or the batches do not agree, naming both shapes.
 */
function geometry(
  aShape: readonly number[],
  bShape: readonly number[],
  { transposeA = false, transposeB = false }: MatMulOptions,
  limits: Limits,
) {
  const [a0 = 1, a1 = 1] = aShape.slice(-2);
  const [b0 = 1, b1 = 1] = bShape.slice(-2);
  const [rows, depth] = transposeA ? [a1, a0] : [a0, a1];
  const [bDepth, columns] = transposeB ? [b1, b0] : [b0, b1];
  const aBatches = elements(aShape.slice(0, -2));
  const bBatches = elements(bShape.slice(0, -2));
  const shapes = `[${aShape.join(', ')}]${transposeA ? ' transposed' : ''} x [${bShape.join(', ')}]${transposeB ? ' transposed' : ''}`;
  if (depth !== bDepth) throw new Error(`matMul: inner dimensions differ in ${shapes}: ${depth} and ${bDepth}`);
  if (aBatches !== bBatches && aBatches !== 1 && bBatches !== 1)
    throw new Error(`matMul: batches differ in ${shapes}: ${aBatches} and ${bBatches}`);
  const batches = Math.max(aBatches, bBatches);
  const shape = [...(aBatches >= bBatches ? aShape : bShape).slice(0, -2), rows, columns];
  for (const [name, dims] of [['a', aShape], ['b', bShape], ['c', shape]] as const) checkBinding('matMul', name, dims, limits); // prettier-ignore
  const params = {
    rows, columns, depth,
    aBatch: aBatches === 1 ? 0 : rows * depth, aRow: transposeA ? 1 : depth, aDepth: transposeA ? rows : 1,
    bBatch: bBatches === 1 ? 0 : depth * columns, bDepth: transposeB ? 1 : columns, bColumn: transposeB ? depth : 1,
  }; // prettier-ignore
  return { shapes, shape, batches, params };
}

/** Of float32, with what is fused; output c. @throws as geometry(), and on a product of too many tiles */
export function planMatMul(
  aShape: readonly number[],
  bShape: readonly number[],
  options: MatMulOptions,
  limits: Limits,
  tiling: Tiling = {},
): Plan {
  const t = { ...shader.tunables, ...tiling.direct };
  const { TM = 1, TN = 1, COLS = 1, ROWS = 1 } = t;
  const { shapes, shape, batches, params } = geometry(aShape, bShape, options, limits);
  const workgroups = [Math.ceil(params.columns / (TN * COLS)), Math.ceil(params.rows / (TM * ROWS)), batches] as const;
  const most = limits.maxComputeWorkgroupsPerDimension;
  if (workgroups.some((count) => count > most))
    throw new Error(
      `matMul: ${shapes} needs ${workgroups.join(' x ')} workgroups, more than this device's ${most} a dimension; split it`,
    );
  return {
    shader,
    tuning: t,
    constants: { HAS_BIAS: Number(options.bias ?? false), RELU: Number(options.relu ?? false) },
    params,
    workgroups,
    outputs: { c: { shape, dtype: 'float32' } },
  };
}

/** Of int32, without anything fused; output y. @throws as geometry() */
export function planMatMulIntegers(
  aShape: readonly number[],
  bShape: readonly number[],
  options: MatMulOptions,
  limits: Limits,
): Plan {
  const { shape, params } = geometry(aShape, bShape, options, limits);
  return planPerElement({ kernel: 'matMul', shader: integersShader, shape, dtype: 'int32', params }, limits);
}

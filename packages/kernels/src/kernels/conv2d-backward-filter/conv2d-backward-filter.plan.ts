/** Plans the gradient with respect to the filter: one dispatch, or split K over workgroups and a second that adds up. */
import { checkBinding, foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import type { Tiling, Tuning } from '../../tuning/tilings.ts';
import type { Conv2dShape } from '../conv2d/shape.ts';
import { chooseVariant } from '../conv2d/variant.ts';
import source from './conv2d-backward-filter.wgsl?raw';
import stagedSource from './conv2d-backward-filter-staged.wgsl?raw';
import subgroupsSource from './conv2d-backward-filter-subgroups.wgsl?raw';
import sumSource from './sum-parts.wgsl?raw';

export const shader = readShader('conv2d-backward-filter', source);
export const subgroupsShader = readShader('conv2d-backward-filter-subgroups', subgroupsSource);
export const stagedShader = readShader('conv2d-backward-filter-staged', stagedSource);
const shaders = { direct: shader, subgroups: subgroupsShader, staged: stagedShader };
export const sumShader = readShader('sum-parts', sumSource);

/** Split until the grid has about this many workgroups: four per multiprocessor of the largest GPUs (132). */
const WANTED_WORKGROUPS = 512;
/** A part shorter than this spends more on writing and adding up than on its sum. */
const MIN_DEPTH_PER_PART = 32;

/** @param precision in which x and dy are stored; dw is float32 */
export function planConv2dBackwardFilter(
  s: Conv2dShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
  sumTuning: Tuning = {},
): Plan[] {
  const rows = s.kH * s.kW * s.inC;
  const allows = { subgroups: s.outC % 4 === 0, staged: s.inC % 4 === 0 && s.outC % 4 === 0 };
  const variant = chooseVariant({ rows, columns: s.outC, allows }, tiling, shaders);
  const shape = [s.kH, s.kW, s.inC, s.outC];
  const depth = s.batch * s.outH * s.outW;
  const columnTiles = Math.ceil(s.outC / variant.tileColumns);
  const rowTiles = Math.ceil(rows / variant.tileRows);
  const partBytes = 4 * rows * s.outC;
  const mostParts = Math.max(1, Math.floor(limits.maxStorageBufferBindingSize / partBytes));
  const wanted = Math.ceil(WANTED_WORKGROUPS / (columnTiles * rowTiles));
  const split = Math.max(1, Math.min(wanted, Math.floor(depth / MIN_DEPTH_PER_PART), mostParts));
  const depthPerPart = Math.ceil(depth / split);
  const count = Math.ceil(depth / depthPerPart);
  checkBinding(shader.name, 'x', [s.batch, s.inH, s.inW, s.inC], limits, precision);
  checkBinding(shader.name, 'dy', [s.batch, s.outH, s.outW, s.outC], limits, precision);
  checkBinding(shader.name, 'dw', shape, limits);
  const most = limits.maxComputeWorkgroupsPerDimension;
  if (rowTiles > most)
    throw new Error(
      `${shader.name}: a filter of ${rows} rows needs ${rowTiles} workgroups, more than this device's ${most}`,
    );
  const first: Plan = {
    shader: variant.shader,
    tuning: variant.tuning,
    constants: {},
    params: { ...s, depthPerPart },
    workgroups: [columnTiles, rowTiles, count],
    precision,
    outputs: { parts: { shape: count === 1 ? shape : [count, ...shape], dtype: 'float32' } },
  };
  if (count === 1) return [first];
  const sumTuned = { ...sumShader.tunables, ...sumTuning };
  const { THREADS = 1, PER_THREAD = 1 } = sumTuned;
  const size = rows * s.outC;
  const second: Plan = {
    shader: sumShader,
    tuning: sumTuned,
    constants: {},
    params: { size, count },
    workgroups: foldWorkgroups(sumShader.name, Math.ceil(size / (THREADS * PER_THREAD)), limits),
    outputs: { dw: { shape, dtype: 'float32' } },
  };
  return [first, second];
}

/** Plans the gradient with respect to the filter: one dispatch, or one that sums parts of the depth and a second that adds them up. */
import { checkBinding, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader, type Precision } from '../../wgsl/shader.ts';
import type { Tiling, Tuning } from '../../tuning/tilings.ts';
import { planSum, split } from '../conv2d/parts.ts';
import type { Conv2dShape } from '../conv2d/shape.ts';
import { allowsFlat, chooseVariant, type Product } from '../conv2d/variant.ts';
import source from './conv2d-backward-filter.wgsl?raw';
import flatSource from './conv2d-backward-filter-flat.wgsl?raw';
import matrixSource from './conv2d-backward-filter-matrix.wgsl?raw';
import stagedSource from './conv2d-backward-filter-staged.wgsl?raw';
import subgroupsSource from './conv2d-backward-filter-subgroups.wgsl?raw';

export const shaders = {
  direct: readShader('conv2d-backward-filter', source),
  subgroups: readShader('conv2d-backward-filter-subgroups', subgroupsSource),
  staged: readShader('conv2d-backward-filter-staged', stagedSource),
  flat: readShader('conv2d-backward-filter-flat', flatSource),
  matrix: readShader('conv2d-backward-filter-matrix', matrixSource),
};
const { name } = shaders.direct;

/** Split until the grid has about this many workgroups: four per multiprocessor of the largest GPUs (132). */
const WANTED_WORKGROUPS = 512;
/** Two where the depth is flat, as one tile holds most of a filter: its parts are many, and more of them are dear to add up. */
const WANTED_FLAT = 264;
/** A part shorter than this spends more on writing and adding up than on its sum. */
const MIN_DEPTH_PER_PART = 32;
/** The same where tiles are staged: as long as a tile is wide, a part loads about as much as it writes. */
const MIN_DEPTH_STAGED = 128;

/**
 * @param precision in which x and dy are stored; dw is float32
 * @param sumTuning of the pass that adds up parts
 */
export function planConv2dBackwardFilter(
  s: Conv2dShape,
  limits: Limits,
  tiling: Tiling = {},
  precision: Precision = 'float32',
  sumTuning: Tuning = {},
): Plan[] {
  const rows = s.kH * s.kW * s.inC;
  const depth = s.batch * s.outH * s.outW;
  const parts = Math.max(1, Math.floor(depth / MIN_DEPTH_STAGED));
  const product: Product = {
    rows,
    images: s.batch,
    columns: s.outC,
    parts,
    allows: {
      subgroups: s.outC % 4 === 0,
      staged: s.inC % 4 === 0 && s.outC % 4 === 0,
      flat: allowsFlat(s),
      matrix: precision === 'float16' && s.inC % 8 === 0 && s.outC % 8 === 0,
    },
  };
  const variant = chooseVariant(product, tiling, shaders);
  const shape = [s.kH, s.kW, s.inC, s.outC];
  const columnTiles = Math.ceil(s.outC / variant.tileColumns);
  const rowTiles = Math.ceil(rows / variant.tileRows);
  // Tiles are staged in steps of DEPTH.
  const { DEPTH } = variant.tuning;
  const { count, perPart } = split(
    {
      tiles: columnTiles * rowTiles,
      depth,
      wanted: variant.shader === shaders.flat ? WANTED_FLAT : WANTED_WORKGROUPS,
      shortest: DEPTH === undefined ? MIN_DEPTH_PER_PART : MIN_DEPTH_STAGED,
      step: DEPTH ?? 1,
      bytes: 4 * rows * s.outC,
    },
    limits,
  );
  checkBinding(name, 'x', [s.batch, s.inH, s.inW, s.inC], limits, precision);
  checkBinding(name, 'dy', [s.batch, s.outH, s.outW, s.outC], limits, precision);
  checkBinding(name, 'dw', shape, limits);
  const most = limits.maxComputeWorkgroupsPerDimension;
  if (rowTiles > most)
    throw new Error(`${name}: a filter of ${rows} rows needs ${rowTiles} workgroups, more than this device's ${most}`);
  const first: Plan = {
    shader: variant.shader,
    tuning: variant.tuning,
    constants: {},
    params: { ...s, depthPerPart: perPart },
    workgroups: [columnTiles, rowTiles, count],
    precision,
    outputs: { parts: { shape: count === 1 ? shape : [count, ...shape], dtype: 'float32' } },
  };
  return count === 1 ? [first] : [first, planSum(shape, count, limits, { tuning: sumTuning })];
}

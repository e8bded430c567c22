/**
 * Rewrites a shader that uses subgroup matrices into plain WGSL, so that the very text that matrix units run can be held
 * against a reference on any device: staging, edges, offsets, strides and the order of rows and columns are what they are.
 */
import { readShader, type Shader } from '../wgsl/shader.ts';
import emulation from './matrix-emulation.wgsl?raw';

const [, replacement = ''] = emulation.split('// --- what is put in');

const rewrites: readonly (readonly [RegExp, string])[] = [
  [/^enable (subgroups|chromium_experimental_subgroup_matrix);\n/gm, ''],
  [/^alias (Left|Right|Result) = subgroup_matrix_.*\n/gm, ''],
  [
    /^ *@builtin\(subgroup_id\) subgroup: u32,\n\) \{\n/m,
    ') {\n  lane = thread % LANES;\n  zero = thread / 65536u;\n  let subgroup = thread / LANES;\n',
  ],
  [/subgroupMatrixLoad<(Left|Right), row_major>\(&tiles, /g, 'load$1RowMajor('],
  [/subgroupMatrixLoad<(Left|Right), col_major>\(&tiles, /g, 'load$1ColMajor('],
  [/subgroupMatrixStore<row_major>\(&tiles, /g, 'storeRowMajor('],
  // Kept from being unrolled, see there; a loop around barriers must be seen to be the same for all threads.
  [/for \(var (\w+) = 0u;(?!.*\n *workgroupBarrier)/g, 'for (var $1 = zero;'],
  [/workgroupBarrier\(/g, 'barrier('],
  [/subgroupMatrixMultiplyAccumulate\(/g, 'multiplyAccumulate('],
];

/** @throws where something of subgroups is left that the rewriting does not know */
export function emulateMatrices(shader: Shader): Shader {
  const code = rewrites.reduce((source, [pattern, put]) => source.replace(pattern, put), shader.source);
  const [left] = /subgroup(Matrix|_)\w*/.exec(code) ?? [];
  if (left !== undefined) throw new Error(`${shader.name}.wgsl: '${left}' has no emulation`);
  return readShader(`${shader.name}-emulated`, code + replacement);
}

// Batched matrix product of integers, modulo 2^32: y[z, m, n] = sum over k of A[z, m, k] * B[z, k, n], read through strides
// as in mat-mul.wgsl. One thread makes one element.

const THREADS: u32 = 64u; // @tune

struct Params {
  size: u32,
  rows: u32, columns: u32, depth: u32,
  aBatch: u32, aRow: u32, aDepth: u32,
  bBatch: u32, bDepth: u32, bColumn: u32,
}

@group(0) @binding(0) var<storage, read> a: array<i32>;
@group(0) @binding(1) var<storage, read> b: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let n = i % params.columns;
  let m = i / params.columns % params.rows;
  let z = i / params.columns / params.rows;
  var sum = 0;
  for (var k = 0u; k < params.depth; k++) {
    sum += a[z * params.aBatch + m * params.aRow + k * params.aDepth]
      * b[z * params.bBatch + k * params.bDepth + n * params.bColumn];
  }
  y[i] = sum;
}

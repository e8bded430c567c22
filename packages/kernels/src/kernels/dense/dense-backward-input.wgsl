// Gradient of a dense layer with respect to its input: dx[n, i] = sum over o of dz[n, o] * w[i, o],
// with dz = dy where y > 0 (dy everywhere without the ReLU). A thread makes TM rows of one column.

const TM: u32 = 8u;       // @tune rows of one thread
const THREADS: u32 = 64u; // @tune threads along the columns

override RELU: bool = false;

struct Params {
  rows: u32,
  inputs: u32,
  outputs: u32,
  rowTiles: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let rowTile = group.z * groups.y + group.y;
  let col = group.x * THREADS + thread;
  if (rowTile >= params.rowTiles || col >= params.inputs) { return; }
  let row0 = rowTile * TM;

  var at: array<u32, TM>;
  for (var i = 0u; i < TM; i++) { at[i] = min(row0 + i, params.rows - 1u) * params.outputs; }
  var acc: array<f32, TM>;
  for (var o = 0u; o < params.outputs; o++) {
    let b = w[col * params.outputs + o];
    for (var i = 0u; i < TM; i++) {
      acc[i] = fma(maskedAt(at[i] + o), b, acc[i]);
    }
  }
  for (var i = 0u; i < TM; i++) {
    if (row0 + i < params.rows) { dx[(row0 + i) * params.inputs + col] = acc[i]; }
  }
}

fn maskedAt(i: u32) -> f32 {
  let dz = dy[i];
  if (!RELU) { return dz; }
  return select(dz, 0.0, y[i] <= 0.0);
}

// Gradients of a dense layer with respect to its kernel and bias:
//   dw[i, o] = sum over n of x[n, i] * dz[n, o],  dbias[o] = sum over n of dz[n, o],
// with dz = dy where y > 0 (dy everywhere without the ReLU). A thread makes TM rows of one column of dw.

const TM: u32 = 4u;       // @tune rows of one thread
const COLS: u32 = 32u;    // @tune threads along the columns
const ROWS: u32 = 2u;     // @tune threads along the rows

override RELU: bool = false;

struct Params {
  rows: u32, // of x and dy: the batch
  inputs: u32,
  outputs: u32,
  rowTiles: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;
@group(0) @binding(4) var<storage, read_write> dbias: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(COLS * ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let rowTile = group.z * groups.y + group.y;
  let col = group.x * COLS + thread % COLS;
  if (rowTile >= params.rowTiles || col >= params.outputs) { return; }
  let row0 = (rowTile * ROWS + thread / COLS) * TM;

  var at: array<u32, TM>;
  for (var i = 0u; i < TM; i++) { at[i] = min(row0 + i, params.inputs - 1u); }
  var acc: array<f32, TM>;
  var sum = 0.0;
  for (var n = 0u; n < params.rows; n++) {
    let here = n * params.outputs + col;
    var dz = dy[here];
    if (RELU) { dz = select(dz, 0.0, y[here] <= 0.0); }
    sum += dz;
    for (var i = 0u; i < TM; i++) { acc[i] = fma(x[n * params.inputs + at[i]], dz, acc[i]); }
  }
  for (var i = 0u; i < TM; i++) {
    if (row0 + i < params.inputs) { dw[(row0 + i) * params.outputs + col] = acc[i]; }
  }
  if (row0 == 0u) { dbias[col] = sum; }
}

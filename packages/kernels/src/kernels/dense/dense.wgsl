// A dense layer of few outputs: y[n, o] = act( sum over i of x[n, i] * w[i, o] + bias[o] )
// A workgroup makes TM rows x COLS columns; SLICES threads share the sum of each column, so that a product of two thousand
// inputs and thirty outputs still keeps a GPU's threads busy, and add up through workgroup memory.

const TM: u32 = 4u;     // @tune rows of one thread
const COLS: u32 = 32u;  // @tune threads along the columns
const SLICES: u32 = 8u; // @tune threads along the inputs
const THREADS = COLS * SLICES;
const_assert (SLICES & (SLICES - 1u)) == 0u;

override RELU: bool = false;

struct Params {
  rows: u32,
  inputs: u32,
  outputs: u32,
  rowTiles: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> sums: array<f32, THREADS * TM>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let rowTile = group.z * groups.y + group.y;
  if (rowTile >= params.rowTiles) { return; }
  let row0 = rowTile * TM;
  let col = group.x * COLS + thread % COLS;
  let readCol = min(col, params.outputs - 1u);

  var at: array<u32, TM>;
  for (var i = 0u; i < TM; i++) { at[i] = min(row0 + i, params.rows - 1u) * params.inputs; }
  var acc: array<f32, TM>;
  for (var k = thread / COLS; k < params.inputs; k += SLICES) {
    let b = w[k * params.outputs + readCol];
    for (var i = 0u; i < TM; i++) { acc[i] = fma(x[at[i] + k], b, acc[i]); }
  }
  for (var i = 0u; i < TM; i++) { sums[i * THREADS + thread] = acc[i]; }
  workgroupBarrier();
  for (var half = THREADS / 2u; half >= COLS; half /= 2u) {
    if (thread < half) {
      for (var i = 0u; i < TM; i++) { sums[i * THREADS + thread] += sums[i * THREADS + thread + half]; }
    }
    workgroupBarrier();
  }

  if (thread >= COLS || col >= params.outputs) { return; }
  for (var i = 0u; i < TM; i++) {
    if (row0 + i >= params.rows) { break; }
    var v = sums[i * THREADS + thread] + bias[col];
    if (RELU) { v = select(v, 0.0, v < 0.0); } // a NaN stays one
    y[(row0 + i) * params.outputs + col] = v;
  }
}

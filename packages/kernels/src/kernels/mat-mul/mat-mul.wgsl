// Batched matrix product with optional transposes, bias and activation:
//   c[z, m, n] = act( sum over k of A[z, m, k] * B[z, k, n] + bias[n] )
// A and B are read through strides, so a transpose is a stride; a batch of one is broadcast by a batch stride of zero.
// One thread makes TM rows x TN columns in registers; its columns lie COLS apart.

const TM: u32 = 4u;   // @tune rows of one thread
const TN: u32 = 4u;   // @tune columns of one thread
const COLS: u32 = 16u; // @tune threads along the columns
const ROWS: u32 = 4u; // @tune threads along the rows
const BM = TM * ROWS;
const BN = TN * COLS;

override HAS_BIAS: bool = false;
override RELU: bool = false;

struct Params {
  rows: u32, columns: u32, depth: u32,
  aBatch: u32, aRow: u32, aDepth: u32,
  bBatch: u32, bDepth: u32, bColumn: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(COLS * ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var rowThread = 0u;
  if (ROWS > 1u) { rowThread = thread / COLS; }
  let row0 = group.y * BM + rowThread * TM;
  let col0 = group.x * BN + thread % COLS;

  var aAt: array<u32, TM>;
  for (var i = 0u; i < TM; i++) { aAt[i] = group.z * params.aBatch + min(row0 + i, params.rows - 1u) * params.aRow; }
  var bAt: array<u32, TN>;
  for (var j = 0u; j < TN; j++) { bAt[j] = group.z * params.bBatch + min(col0 + j * COLS, params.columns - 1u) * params.bColumn; }

  var acc: array<f32, TM * TN>;
  for (var k = 0u; k < params.depth; k++) {
    var right: array<f32, TN>;
    for (var j = 0u; j < TN; j++) { right[j] = b[bAt[j] + k * params.bDepth]; }
    for (var i = 0u; i < TM; i++) {
      let left = a[aAt[i] + k * params.aDepth];
      for (var j = 0u; j < TN; j++) { acc[i * TN + j] = fma(left, right[j], acc[i * TN + j]); }
    }
  }

  for (var i = 0u; i < TM; i++) {
    if (row0 + i >= params.rows) { break; }
    let out = (group.z * params.rows + row0 + i) * params.columns + col0;
    for (var j = 0u; j < TN; j++) {
      if (col0 + j * COLS >= params.columns) { break; }
      var v = acc[i * TN + j];
      if (HAS_BIAS) { v += bias[col0 + j * COLS]; }
      if (RELU) { v = select(v, 0.0, v < 0.0); } // a NaN stays one
      c[out + j * COLS] = v;
    }
  }
}

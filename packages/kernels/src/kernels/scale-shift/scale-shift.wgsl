// y = relu(x * scale + shift + residual), per channel; x is [rows, channels].
// A thread keeps its channel and walks down a chunk of rows.

alias Stored = f32; // @stored
alias Real = f32;   // @wide

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const BLOCK: u32 = 1u;  // @tune rows that are loaded before any of them is stored
const THREADS = LANES * ROWS;

override HAS_RESIDUAL: bool = false;
override RELU: bool = false;

struct Params {
  rows: u32,
  channels: u32, // of Reals, as all counts of channels here
  chunkRows: u32,
  chunks: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> scale: array<Real>;
@group(0) @binding(2) var<storage, read> shift: array<Real>;
@group(0) @binding(3) var<storage, read> residual: array<Stored>;
@group(0) @binding(4) var<storage, read_write> y: array<Stored>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tiles = (params.channels + LANES - 1u) / LANES;
  let index = group.y * groups.x + group.x;
  let chunk = index / tiles;
  let channel = index % tiles * LANES + thread % LANES;
  if (channel >= params.channels || chunk >= params.chunks) { return; }

  let slope = scale[channel];
  let offset = shift[channel];
  let end = min((chunk + 1u) * params.chunkRows, params.rows);
  var row = chunk * params.chunkRows + thread / LANES;
  for (; row + (BLOCK - 1u) * ROWS < end; row += ROWS * BLOCK) {
    var block: array<Real, BLOCK>;
    for (var i = 0u; i < BLOCK; i++) {
      let at = (row + i * ROWS) * params.channels + channel;
      block[i] = finished(Real(x[at]) * slope + offset, at);
    }
    for (var i = 0u; i < BLOCK; i++) { y[(row + i * ROWS) * params.channels + channel] = Stored(block[i]); }
  }
  for (; row < end; row += ROWS) {
    let at = row * params.channels + channel;
    y[at] = Stored(finished(Real(x[at]) * slope + offset, at));
  }
}

fn finished(scaled: Real, i: u32) -> Real {
  var v = scaled;
  if (HAS_RESIDUAL) { v += Real(residual[i]); }
  if (RELU) { v = select(v, Real(0.0), v < Real(0.0)); } // a NaN stays one
  return v;
}

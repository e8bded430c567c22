// y = relu(x * scale + shift + residual), per channel; x is [rows, channels].
// A thread keeps its channel and walks down a chunk of rows.

alias Stored = f32; // @stored

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const THREADS = LANES * ROWS;

override HAS_RESIDUAL: bool = false;
override RELU: bool = false;

struct Params {
  rows: u32,
  channels: u32,
  chunkRows: u32,
  chunks: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> shift: array<f32>;
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
  for (var row = chunk * params.chunkRows + thread / LANES; row < end; row += ROWS) {
    let i = row * params.channels + channel;
    var v = f32(x[i]) * slope + offset;
    if (HAS_RESIDUAL) { v += f32(residual[i]); }
    if (RELU) { v = select(v, 0.0, v < 0.0); } // a NaN stays one
    y[i] = Stored(v);
  }
}

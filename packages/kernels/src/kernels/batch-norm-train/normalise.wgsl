// y = relu((x - mean) / sqrt(variance + epsilon) * gamma + beta + residual), per channel; x is [rows, channels].
// A thread keeps its channel and walks down a chunk of rows: what is constant in a channel is read once.

alias Stored = f32; // @stored

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const THREADS = LANES * ROWS;

override HAS_GAMMA: bool = true;
override HAS_BETA: bool = true;
override HAS_RESIDUAL: bool = false;
override RELU: bool = false;

struct Params {
  rows: u32,
  channels: u32,
  chunkRows: u32,
  chunks: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<Stored>;
@group(0) @binding(6) var<storage, read_write> y: array<Stored>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tiles = (params.channels + LANES - 1u) / LANES;
  let index = group.y * groups.x + group.x;
  let chunk = index / tiles;
  let channel = index % tiles * LANES + thread % LANES;
  if (channel >= params.channels || chunk >= params.chunks) { return; }

  let middle = mean[channel];
  var scale = 1.0 / sqrt(variance[channel] + params.epsilon);
  if (HAS_GAMMA) { scale *= gamma[channel]; }
  var shift = 0.0;
  if (HAS_BETA) { shift = beta[channel]; }
  let end = min((chunk + 1u) * params.chunkRows, params.rows);
  for (var row = chunk * params.chunkRows + thread / LANES; row < end; row += ROWS) {
    let i = row * params.channels + channel;
    var v = (f32(x[i]) - middle) * scale + shift;
    if (HAS_RESIDUAL) { v += f32(residual[i]); }
    if (RELU) { v = select(v, 0.0, v < 0.0); } // a NaN stays one
    y[i] = Stored(v);
  }
}

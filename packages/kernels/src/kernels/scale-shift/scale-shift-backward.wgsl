// dx = z * scale, dresidual = z, where z = dy where y > 0 (dy everywhere without the ReLU); tensors are [rows, channels].
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

@group(0) @binding(0) var<storage, read> dy: array<Stored>;
@group(0) @binding(1) var<storage, read> y: array<Stored>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(4) var<storage, read_write> dresidual: array<Stored>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tiles = (params.channels + LANES - 1u) / LANES;
  let index = group.y * groups.x + group.x;
  let chunk = index / tiles;
  let channel = index % tiles * LANES + thread % LANES;
  if (channel >= params.channels || chunk >= params.chunks) { return; }

  let slope = scale[channel];
  let end = min((chunk + 1u) * params.chunkRows, params.rows);
  for (var row = chunk * params.chunkRows + thread / LANES; row < end; row += ROWS) {
    let i = row * params.channels + channel;
    var z = f32(dy[i]);
    if (RELU) { z = select(z, 0.0, f32(y[i]) <= 0.0); }
    dx[i] = Stored(z * slope);
    if (HAS_RESIDUAL) { dresidual[i] = Stored(z); }
  }
}

// Per channel, over a chunk of rows, with z = dy where y > 0 (dy everywhere without the ReLU):
//   parts[chunk] = (sum of z, sum of z (x - mean) / sqrt(variance + epsilon))   NORMALISED
//   parts[chunk] = (sum of z, sum of z x)                                       otherwise
// Tensors are [rows, channels].

alias Stored = f32; // @stored

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const THREADS = LANES * ROWS;
const_assert (ROWS & (ROWS - 1u)) == 0u;

override RELU: bool = false;
override NORMALISED: bool = true;
override HAS_X: bool = true;

struct Params {
  rows: u32,
  channels: u32,
  chunkRows: u32,
  chunks: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> dy: array<Stored>;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> y: array<Stored>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> variance: array<f32>;
@group(0) @binding(5) var<storage, read_write> parts: array<f32>; // [chunks, 2, channels]
@group(0) @binding(6) var<uniform> params: Params;

var<workgroup> sums: array<vec2f, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tiles = (params.channels + LANES - 1u) / LANES;
  let index = group.y * groups.x + group.x;
  let chunk = index / tiles;
  let channel = index % tiles * LANES + thread % LANES;
  let isInside = channel < params.channels && chunk < params.chunks;

  var sum = vec2f(0.0);
  if (isInside) {
    var middle = 0.0;
    if (NORMALISED) { middle = mean[channel]; }
    let end = min((chunk + 1u) * params.chunkRows, params.rows);
    for (var row = chunk * params.chunkRows + thread / LANES; row < end; row += ROWS) {
      let i = row * params.channels + channel;
      var z = f32(dy[i]);
      if (RELU) { z = select(z, 0.0, f32(y[i]) <= 0.0); }
      sum.x += z;
      if (HAS_X) { sum.y += z * (f32(x[i]) - middle); }
    }
    if (NORMALISED) { sum.y /= sqrt(variance[channel] + params.epsilon); }
  }
  sums[thread] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2u; half >= LANES; half /= 2u) {
    if (thread < half) { sums[thread] += sums[thread + half]; }
    workgroupBarrier();
  }
  if (thread < LANES && isInside) {
    parts[(2u * chunk) * params.channels + channel] = sums[thread].x;
    parts[(2u * chunk + 1u) * params.channels + channel] = sums[thread].y;
  }
}

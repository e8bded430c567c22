// Merges the chunks' statistics of each channel by Chan's formula:
//   mean = x[0] + mean of the chunks' relative means, weighted by count;  variance = M2 / rows (biased)
// and moves the moving statistics as batch-statistics.wgsl does.

alias Stored = f32; // @stored

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const THREADS = LANES * ROWS;
const_assert (ROWS & (ROWS - 1u)) == 0u;

override MOVES: bool = false;

struct Params {
  rows: u32,
  channels: u32,
  chunkRows: u32,
  chunks: u32,
  momentum: f32,
  fresh: f32, // 1 - momentum
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> parts: array<f32>; // [chunks, 2, channels]
@group(0) @binding(2) var<storage, read_write> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> movingMean: array<f32>;
@group(0) @binding(5) var<storage, read_write> movingVariance: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

var<workgroup> counts: array<f32, THREADS>;
var<workgroup> means: array<f32, THREADS>;
var<workgroup> squares: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let channel = (group.y * groups.x + group.x) * LANES + thread % LANES;
  var count = 0.0;
  var middle = 0.0;
  var square = 0.0;
  if (channel < params.channels) {
    for (var chunk = thread / LANES; chunk < params.chunks; chunk += ROWS) {
      let n = f32(min(params.chunkRows, params.rows - chunk * params.chunkRows));
      let total = count + n;
      let delta = parts[(2u * chunk) * params.channels + channel] - middle;
      middle += delta * (n / total);
      square += parts[(2u * chunk + 1u) * params.channels + channel] + delta * delta * (count * n / total);
      count = total;
    }
  }
  counts[thread] = count;
  means[thread] = middle;
  squares[thread] = square;
  workgroupBarrier();
  for (var half = THREADS / 2u; half >= LANES; half /= 2u) {
    if (thread < half) {
      let n = counts[thread + half];
      let total = counts[thread] + n;
      if (total > 0.0) {
        let delta = means[thread + half] - means[thread];
        squares[thread] += squares[thread + half] + delta * delta * (counts[thread] * n / total);
        means[thread] += delta * (n / total);
        counts[thread] = total;
      }
    }
    workgroupBarrier();
  }
  if (thread < LANES && channel < params.channels) {
    let whole = f32(x[channel]) + means[thread];
    mean[channel] = whole;
    variance[channel] = squares[thread] / f32(params.rows);
    if (MOVES) {
      let unbiased = squares[thread] / f32(max(params.rows, 2u) - 1u);
      movingMean[channel] = params.momentum * movingMean[channel] + params.fresh * whole;
      movingVariance[channel] = params.momentum * movingVariance[channel] + params.fresh * unbiased;
    }
  }
}

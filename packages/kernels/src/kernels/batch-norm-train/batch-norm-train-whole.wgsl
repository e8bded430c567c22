// Training batch-norm in one dispatch: a workgroup has all rows of its tile of channels; x is [rows, channels].
//   y = relu((x - mean) / sqrt(variance + epsilon) * gamma + beta + residual),  variance = sum of (x - mean)^2 / rows
// Statistics as in batch-statistics.wgsl: blocks of BLOCK rows take two passes in registers, blocks and threads are merged by
// Chan's formula, and means are kept relative to the first row. MOVES: the moving statistics follow, as there.

alias Stored = f32; // @stored

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const BLOCK: u32 = 8u;  // @tune
const THREADS = LANES * ROWS;
const_assert (ROWS & (ROWS - 1u)) == 0u;

override HAS_RESIDUAL: bool = false;
override RELU: bool = false;
override MOVES: bool = false;

struct Params {
  rows: u32,
  channels: u32,
  epsilon: f32,
  momentum: f32,
  fresh: f32, // 1 - momentum, rounded once from float64
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> gamma: array<f32>;
@group(0) @binding(2) var<storage, read> beta: array<f32>;
@group(0) @binding(3) var<storage, read> residual: array<Stored>;
@group(0) @binding(4) var<storage, read_write> mean: array<f32>;
@group(0) @binding(5) var<storage, read_write> variance: array<f32>;
@group(0) @binding(6) var<storage, read_write> movingMean: array<f32>;
@group(0) @binding(7) var<storage, read_write> movingVariance: array<f32>;
@group(0) @binding(8) var<storage, read_write> y: array<Stored>;
@group(0) @binding(9) var<uniform> params: Params;

var<workgroup> counts: array<f32, THREADS>;
var<workgroup> means: array<f32, THREADS>;
var<workgroup> squares: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let lane = thread % LANES;
  let channel = (group.y * groups.x + group.x) * LANES + lane;
  let isInside = channel < params.channels;
  let row0 = thread / LANES;

  var pivot = 0.0;
  var count = 0.0;
  var middle = 0.0;
  var square = 0.0;
  if (isInside) {
    pivot = f32(x[channel]);
    for (var row = row0; row < params.rows; row += ROWS * BLOCK) {
      var block: array<f32, BLOCK>;
      let blockCount = min(BLOCK, (params.rows - row + ROWS - 1u) / ROWS);
      var sum = 0.0;
      for (var i = 0u; i < BLOCK; i++) {
        if (i < blockCount) {
          block[i] = f32(x[(row + i * ROWS) * params.channels + channel]) - pivot;
          sum += block[i];
        }
      }
      let n = f32(blockCount);
      let blockMean = sum / n;
      var blockSquare = 0.0;
      for (var i = 0u; i < BLOCK; i++) {
        if (i < blockCount) {
          let deviation = block[i] - blockMean;
          blockSquare += deviation * deviation;
        }
      }
      let total = count + n;
      let delta = blockMean - middle;
      middle += delta * (n / total);
      square += blockSquare + delta * delta * (count * n / total);
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
  if (!isInside) { return; }

  let whole = pivot + means[lane];
  let spread = squares[lane] / f32(params.rows);
  if (row0 == 0u) {
    mean[channel] = whole;
    variance[channel] = spread;
    if (MOVES) {
      let unbiased = squares[lane] / f32(max(params.rows, 2u) - 1u);
      movingMean[channel] = params.momentum * movingMean[channel] + params.fresh * whole;
      movingVariance[channel] = params.momentum * movingVariance[channel] + params.fresh * unbiased;
    }
  }

  let scale = 1.0 / sqrt(spread + params.epsilon) * gamma[channel];
  let shift = beta[channel];
  for (var row = row0; row < params.rows; row += ROWS) {
    let i = row * params.channels + channel;
    var v = (f32(x[i]) - whole) * scale + shift;
    if (HAS_RESIDUAL) { v += f32(residual[i]); }
    if (RELU) { v = select(v, 0.0, v < 0.0); } // a NaN stays one
    y[i] = Stored(v);
  }
}

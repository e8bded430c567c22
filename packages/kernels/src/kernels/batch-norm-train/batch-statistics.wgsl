// Mean and sum of squared deviations of each channel over a chunk of rows; x is [rows, channels].
//   part[chunk] = (mean of x - x[0], M2 = sum of (x - mean)^2)
// Blocks of BLOCK rows take two passes in registers; blocks and threads are merged by Chan's formula
//   M2 = M2a + M2b + (meanB - meanA)^2 countA countB / (countA + countB),
// never E[x^2] - E[x]^2. Means are kept relative to the first row: a mean of 1e4 costs no digits of the deviations.
// IS_WHOLE: the chunk is all rows, and what merge-statistics.wgsl makes of parts is made here.
// MOVES: the moving statistics follow, moving = momentum moving + (1 - momentum) statistic, with M2 / (rows - 1) as
// variance (Keras's fused batch-norm: keras-team/keras#10443).

alias Stored = f32; // @stored
alias Real = f32;   // @wide

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const BLOCK: u32 = 8u;  // @tune
const THREADS = LANES * ROWS;
const_assert (ROWS & (ROWS - 1u)) == 0u;

override IS_WHOLE: bool = false;
override MOVES: bool = false;

struct Params {
  rows: u32,
  channels: u32, // of Reals, as all counts of channels here
  chunkRows: u32,
  chunks: u32,
  momentum: f32,
  fresh: f32, // 1 - momentum, rounded once from float64
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read_write> parts: array<Real>; // [chunks, 2, channels]
@group(0) @binding(2) var<storage, read_write> mean: array<Real>;
@group(0) @binding(3) var<storage, read_write> variance: array<Real>;
@group(0) @binding(4) var<storage, read_write> movingMean: array<Real>;
@group(0) @binding(5) var<storage, read_write> movingVariance: array<Real>;
@group(0) @binding(6) var<uniform> params: Params;

var<workgroup> counts: array<f32, THREADS>;
var<workgroup> means: array<Real, THREADS>;
var<workgroup> squares: array<Real, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tiles = (params.channels + LANES - 1u) / LANES;
  let index = group.y * groups.x + group.x;
  let chunk = index / tiles;
  let channel = index % tiles * LANES + thread % LANES;
  let isInside = channel < params.channels && chunk < params.chunks;

  var count = 0.0;
  var middle = Real(0.0);
  var square = Real(0.0);
  if (isInside) {
    let pivot = Real(x[channel]);
    let end = min((chunk + 1u) * params.chunkRows, params.rows);
    for (var row = chunk * params.chunkRows + thread / LANES; row < end; row += ROWS * BLOCK) {
      // All of a block is loaded, its last row again in place of those past the end, so that no load waits for another.
      let blockCount = min(BLOCK, (end - row + ROWS - 1u) / ROWS);
      var block: array<Real, BLOCK>;
      for (var i = 0u; i < BLOCK; i++) { block[i] = Real(x[(row + min(i, blockCount - 1u) * ROWS) * params.channels + channel]) - pivot; }
      var sum = Real(0.0);
      for (var i = 0u; i < BLOCK; i++) { sum += select(Real(0.0), block[i], i < blockCount); }
      let n = f32(blockCount);
      let blockMean = sum / n;
      var blockSquare = Real(0.0);
      for (var i = 0u; i < BLOCK; i++) {
        let deviation = select(Real(0.0), block[i] - blockMean, i < blockCount);
        blockSquare += deviation * deviation;
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
  if (thread < LANES && isInside) {
    if (!IS_WHOLE) {
      parts[(2u * chunk) * params.channels + channel] = means[thread];
      parts[(2u * chunk + 1u) * params.channels + channel] = squares[thread];
      return;
    }
    let whole = Real(x[channel]) + means[thread];
    mean[channel] = whole;
    variance[channel] = squares[thread] / f32(params.rows);
    if (MOVES) {
      let unbiased = squares[thread] / f32(max(params.rows, 2u) - 1u);
      movingMean[channel] = params.momentum * movingMean[channel] + params.fresh * whole;
      movingVariance[channel] = params.momentum * movingVariance[channel] + params.fresh * unbiased;
    }
  }
}

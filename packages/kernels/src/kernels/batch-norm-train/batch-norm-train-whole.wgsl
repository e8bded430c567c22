// Training batch-norm in one dispatch: a workgroup has all rows of its tile of channels; x is [rows, channels].
//   y = relu((x - mean) / sqrt(variance + epsilon) * gamma + beta + residual),  variance = sum of (x - mean)^2 / rows
// Statistics as in batch-statistics.wgsl: blocks of BLOCK rows take two passes in registers, blocks and threads are merged by
// Chan's formula, and means are kept relative to the first row. MOVES: the moving statistics follow, as there.
// Four channels to a thread; channels are a multiple of 4.

alias Stored4 = vec4f; // @stored

const LANES: u32 = 8u; // @tune
const ROWS: u32 = 32u; // @tune
const BLOCK: u32 = 8u;  // @tune
const AHEAD: u32 = 1u;  // @tune rows that are loaded before any of them is stored
const THREADS = LANES * ROWS;
const SLOTS = LANES * max(1u, ROWS / 2u);
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

@group(0) @binding(0) var<storage, read> x: array<Stored4>;
@group(0) @binding(1) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(2) var<storage, read> beta: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<Stored4>;
@group(0) @binding(4) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> variance: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> movingMean: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> movingVariance: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> y: array<Stored4>;
@group(0) @binding(9) var<uniform> params: Params;

var<workgroup> counts: array<f32, SLOTS>;
var<workgroup> means: array<vec4f, SLOTS>;
var<workgroup> squares: array<vec4f, SLOTS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let lane = thread % LANES;
  let columns = params.channels / 4u;
  let column = (group.y * groups.x + group.x) * LANES + lane;
  let isInside = column < columns;
  let row0 = thread / LANES;

  var pivot = vec4f(0.0);
  var count = 0.0;
  var middle = vec4f(0.0);
  var square = vec4f(0.0);
  if (isInside) {
    pivot = vec4f(x[column]);
    for (var row = row0; row < params.rows; row += ROWS * BLOCK) {
      // All of a block is loaded, its last row again in place of those past the end, so that no load waits for another.
      let blockCount = min(BLOCK, (params.rows - row + ROWS - 1u) / ROWS);
      var block: array<vec4f, BLOCK>;
      for (var i = 0u; i < BLOCK; i++) { block[i] = vec4f(x[(row + min(i, blockCount - 1u) * ROWS) * columns + column]) - pivot; }
      var sum = vec4f(0.0);
      for (var i = 0u; i < BLOCK; i++) { sum += select(vec4f(0.0), block[i], i < blockCount); }
      let n = f32(blockCount);
      let blockMean = sum / n;
      var blockSquare = vec4f(0.0);
      for (var i = 0u; i < BLOCK; i++) {
        let deviation = select(vec4f(0.0), block[i] - blockMean, i < blockCount);
        blockSquare += deviation * deviation;
      }
      let total = count + n;
      let delta = blockMean - middle;
      middle += delta * (n / total);
      square += blockSquare + delta * delta * (count * n / total);
      count = total;
    }
  }
  for (var half = THREADS / 2u; half >= LANES; half /= 2u) {
    if (thread >= half && thread < 2u * half) {
      counts[thread - half] = count;
      means[thread - half] = middle;
      squares[thread - half] = square;
    }
    workgroupBarrier();
    if (thread < half) {
      let n = counts[thread];
      let total = count + n;
      if (total > 0.0) {
        let delta = means[thread] - middle;
        square += squares[thread] + delta * delta * (count * n / total);
        middle += delta * (n / total);
        count = total;
      }
    }
    workgroupBarrier();
  }
  if (thread < LANES) {
    means[thread] = middle;
    squares[thread] = square;
  }
  workgroupBarrier();
  if (!isInside) { return; }

  let whole = pivot + means[lane];
  let spread = squares[lane] / f32(params.rows);
  if (row0 == 0u) {
    mean[column] = whole;
    variance[column] = spread;
    if (MOVES) {
      let unbiased = squares[lane] / f32(max(params.rows, 2u) - 1u);
      movingMean[column] = params.momentum * movingMean[column] + params.fresh * whole;
      movingVariance[column] = params.momentum * movingVariance[column] + params.fresh * unbiased;
    }
  }

  let scale = 1.0 / sqrt(spread + params.epsilon) * gamma[column];
  let shift = beta[column];
  var row = row0;
  for (; row + (AHEAD - 1u) * ROWS < params.rows; row += ROWS * AHEAD) {
    var block: array<vec4f, AHEAD>;
    for (var i = 0u; i < AHEAD; i++) {
      let at = (row + i * ROWS) * columns + column;
      block[i] = finished((vec4f(x[at]) - whole) * scale + shift, at);
    }
    for (var i = 0u; i < AHEAD; i++) { y[(row + i * ROWS) * columns + column] = Stored4(block[i]); }
  }
  for (; row < params.rows; row += ROWS) {
    let at = row * columns + column;
    y[at] = Stored4(finished((vec4f(x[at]) - whole) * scale + shift, at));
  }
}

fn finished(normalised: vec4f, i: u32) -> vec4f {
  var v = normalised;
  if (HAS_RESIDUAL) { v += vec4f(residual[i]); }
  if (RELU) { v = select(v, vec4f(0.0), v < vec4f(0.0)); } // a NaN stays one
  return v;
}

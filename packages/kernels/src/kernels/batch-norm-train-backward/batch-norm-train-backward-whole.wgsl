// Gradient of training batch-norm in one dispatch: a workgroup has all rows of its tile of channels; tensors are
// [rows, channels]. With z = dy where y > 0 (dy everywhere without the ReLU), deviation = sqrt(variance + epsilon),
// xhat = (x - mean) / deviation:
//   dbeta = sum of z,  dgamma = sum of z xhat,  dresidual = z
//   dx = gamma / deviation (z - dbeta / rows - xhat dgamma / rows)

alias Stored = f32; // @stored

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const THREADS = LANES * ROWS;
const_assert (ROWS & (ROWS - 1u)) == 0u;

override RELU: bool = false;
override HAS_RESIDUAL: bool = false;

struct Params {
  rows: u32,
  channels: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> dy: array<Stored>;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> y: array<Stored>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> mean: array<f32>;
@group(0) @binding(5) var<storage, read> variance: array<f32>;
@group(0) @binding(6) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(7) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(8) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(9) var<storage, read_write> dresidual: array<Stored>;
@group(0) @binding(10) var<uniform> params: Params;

var<workgroup> sums: array<vec2f, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let lane = thread % LANES;
  let channel = (group.y * groups.x + group.x) * LANES + lane;
  let isInside = channel < params.channels;
  let row0 = thread / LANES;

  var middle = 0.0;
  var deviation = 1.0;
  var sum = vec2f(0.0);
  if (isInside) {
    middle = mean[channel];
    deviation = sqrt(variance[channel] + params.epsilon);
    for (var row = row0; row < params.rows; row += ROWS) {
      let i = row * params.channels + channel;
      var z = f32(dy[i]);
      if (RELU) { z = select(z, 0.0, f32(y[i]) <= 0.0); }
      sum += vec2f(z, z * (f32(x[i]) - middle));
    }
    sum.y /= deviation;
  }
  sums[thread] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2u; half >= LANES; half /= 2u) {
    if (thread < half) { sums[thread] += sums[thread + half]; }
    workgroupBarrier();
  }
  if (!isInside) { return; }

  let total = sums[lane];
  if (row0 == 0u) {
    dbeta[channel] = total.x;
    dgamma[channel] = total.y;
  }
  let rows = f32(params.rows);
  let scale = gamma[channel] / deviation;
  let offset = scale * total.x / rows;
  let slope = scale * total.y / (rows * deviation);
  for (var row = row0; row < params.rows; row += ROWS) {
    let i = row * params.channels + channel;
    var z = f32(dy[i]);
    if (RELU) { z = select(z, 0.0, f32(y[i]) <= 0.0); }
    dx[i] = Stored(scale * z - offset - (f32(x[i]) - middle) * slope);
    if (HAS_RESIDUAL) { dresidual[i] = Stored(z); }
  }
}

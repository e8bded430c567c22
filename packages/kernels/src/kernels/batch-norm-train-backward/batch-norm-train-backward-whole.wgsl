// Gradient of training batch-norm in one dispatch: a workgroup has all rows of its tile of channels; tensors are
// [rows, channels]. With z = dy where y > 0 (dy everywhere without the ReLU), deviation = sqrt(variance + epsilon),
// xhat = (x - mean) / deviation:
//   dbeta = sum of z,  dgamma = sum of z xhat,  dresidual = z
//   dx = gamma / deviation (z - dbeta / rows - xhat dgamma / rows)
// Four channels to a thread; channels are a multiple of 4.

alias Stored4 = vec4f; // @stored

const LANES: u32 = 8u; // @tune
const ROWS: u32 = 32u; // @tune
const THREADS = LANES * ROWS;
const_assert (ROWS & (ROWS - 1u)) == 0u;

override RELU: bool = false;
override HAS_RESIDUAL: bool = false;

struct Params {
  rows: u32,
  channels: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> dy: array<Stored4>;
@group(0) @binding(1) var<storage, read> x: array<Stored4>;
@group(0) @binding(2) var<storage, read> y: array<Stored4>;
@group(0) @binding(3) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(4) var<storage, read> mean: array<vec4f>;
@group(0) @binding(5) var<storage, read> variance: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dgamma: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dbeta: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> dx: array<Stored4>;
@group(0) @binding(9) var<storage, read_write> dresidual: array<Stored4>;
@group(0) @binding(10) var<uniform> params: Params;

struct Sums {
  z: vec4f,
  product: vec4f,
}
var<workgroup> sums: array<Sums, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let lane = thread % LANES;
  let columns = params.channels / 4u;
  let column = (group.y * groups.x + group.x) * LANES + lane;
  let isInside = column < columns;
  let row0 = thread / LANES;

  var middle = vec4f(0.0);
  var deviation = vec4f(1.0);
  var sum = Sums(vec4f(0.0), vec4f(0.0));
  if (isInside) {
    middle = mean[column];
    deviation = sqrt(variance[column] + params.epsilon);
    for (var row = row0; row < params.rows; row += ROWS) {
      let i = row * columns + column;
      var z = vec4f(dy[i]);
      if (RELU) { z = select(z, vec4f(0.0), vec4f(y[i]) <= vec4f(0.0)); }
      sum.z += z;
      sum.product += z * (vec4f(x[i]) - middle);
    }
    sum.product /= deviation;
  }
  sums[thread] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2u; half >= LANES; half /= 2u) {
    if (thread < half) {
      sums[thread].z += sums[thread + half].z;
      sums[thread].product += sums[thread + half].product;
    }
    workgroupBarrier();
  }
  if (!isInside) { return; }

  let total = sums[lane];
  if (row0 == 0u) {
    dbeta[column] = total.z;
    dgamma[column] = total.product;
  }
  let rows = f32(params.rows);
  let scale = gamma[column] / deviation;
  let offset = scale * total.z / rows;
  let slope = scale * total.product / (rows * deviation);
  for (var row = row0; row < params.rows; row += ROWS) {
    let i = row * columns + column;
    var z = vec4f(dy[i]);
    if (RELU) { z = select(z, vec4f(0.0), vec4f(y[i]) <= vec4f(0.0)); }
    dx[i] = Stored4(scale * z - offset - (vec4f(x[i]) - middle) * slope);
    if (HAS_RESIDUAL) { dresidual[i] = Stored4(z); }
  }
}

// Gradient of training batch-norm in one dispatch: a workgroup has all rows of its tile of channels; tensors are
// [rows, channels]. With z = dy where y > 0 (dy everywhere without the ReLU), deviation = sqrt(variance + epsilon),
// xhat = (x - mean) / deviation:
//   dbeta = sum of z,  dgamma = sum of z xhat,  dresidual = z
//   dx = gamma / deviation (z - dbeta / rows - xhat dgamma / rows)
// Four channels to a thread; channels are a multiple of 4.

alias Stored4 = vec4f; // @stored

const LANES: u32 = 8u; // @tune
const ROWS: u32 = 32u; // @tune
const BLOCK: u32 = 2u; // @tune
const THREADS = LANES * ROWS;
const SLOTS = LANES * max(1u, ROWS / 2u);
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
var<workgroup> sums: array<Sums, SLOTS>;

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
    for (var row = row0; row < params.rows; row += ROWS * BLOCK) {
      // All of a block is loaded, its last row again in place of those past the end, so that no load waits for another.
      let blockCount = min(BLOCK, (params.rows - row + ROWS - 1u) / ROWS);
      var z: array<vec4f, BLOCK>;
      var product: array<vec4f, BLOCK>;
      for (var i = 0u; i < BLOCK; i++) {
        let at = (row + min(i, blockCount - 1u) * ROWS) * columns + column;
        z[i] = maskedAt(at);
        product[i] = z[i] * (vec4f(x[at]) - middle);
      }
      for (var i = 0u; i < BLOCK; i++) {
        sum.z += select(vec4f(0.0), z[i], i < blockCount);
        sum.product += select(vec4f(0.0), product[i], i < blockCount);
      }
    }
    sum.product /= deviation;
  }
  for (var half = THREADS / 2u; half >= LANES; half /= 2u) {
    if (thread >= half && thread < 2u * half) { sums[thread - half] = sum; }
    workgroupBarrier();
    if (thread < half) {
      sum.z += sums[thread].z;
      sum.product += sums[thread].product;
    }
    workgroupBarrier();
  }
  if (thread < LANES) { sums[thread] = sum; }
  workgroupBarrier();
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
  // Whole blocks, whose loads all come before their stores, then what is left.
  var row = row0;
  for (; row + (BLOCK - 1u) * ROWS < params.rows; row += ROWS * BLOCK) {
    var z: array<vec4f, BLOCK>;
    var d: array<vec4f, BLOCK>;
    for (var i = 0u; i < BLOCK; i++) {
      let at = (row + i * ROWS) * columns + column;
      z[i] = maskedAt(at);
      d[i] = scale * z[i] - offset - (vec4f(x[at]) - middle) * slope;
    }
    for (var i = 0u; i < BLOCK; i++) { store((row + i * ROWS) * columns + column, d[i], z[i]); }
  }
  for (; row < params.rows; row += ROWS) {
    let at = row * columns + column;
    let z = maskedAt(at);
    store(at, scale * z - offset - (vec4f(x[at]) - middle) * slope, z);
  }
}

fn maskedAt(i: u32) -> vec4f {
  let z = vec4f(dy[i]);
  if (!RELU) { return z; }
  return select(z, vec4f(0.0), vec4f(y[i]) <= vec4f(0.0));
}

fn store(i: u32, d: vec4f, z: vec4f) {
  dx[i] = Stored4(d);
  if (HAS_RESIDUAL) { dresidual[i] = Stored4(z); }
}

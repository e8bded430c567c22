// Per channel, over a chunk of rows, with z = dy where y > 0 (dy everywhere without the ReLU):
//   parts[chunk] = (sum of z, sum of z (x - mean) / sqrt(variance + epsilon))   NORMALISED
//   parts[chunk] = (sum of z, sum of z x)                                       otherwise
// Tensors are [rows, channels].

alias Stored = f32; // @stored
alias Real = f32;   // @wide

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const BLOCK: u32 = 2u;  // @tune
const THREADS = LANES * ROWS;
const_assert (ROWS & (ROWS - 1u)) == 0u;

override RELU: bool = false;
override NORMALISED: bool = true;
override HAS_X: bool = true;

struct Params {
  rows: u32,
  channels: u32, // of Reals, as all counts of channels here
  chunkRows: u32,
  chunks: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> dy: array<Stored>;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> y: array<Stored>;
@group(0) @binding(3) var<storage, read> mean: array<Real>;
@group(0) @binding(4) var<storage, read> variance: array<Real>;
@group(0) @binding(5) var<storage, read_write> parts: array<Real>; // [chunks, 2, channels]
@group(0) @binding(6) var<uniform> params: Params;

struct Sums {
  z: Real,
  product: Real,
}
var<workgroup> sums: array<Sums, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tiles = (params.channels + LANES - 1u) / LANES;
  let index = group.y * groups.x + group.x;
  let chunk = index / tiles;
  let channel = index % tiles * LANES + thread % LANES;
  let isInside = channel < params.channels && chunk < params.chunks;

  var sum = Sums(Real(0.0), Real(0.0));
  if (isInside) {
    var middle = Real(0.0);
    if (NORMALISED) { middle = mean[channel]; }
    let end = min((chunk + 1u) * params.chunkRows, params.rows);
    for (var row = chunk * params.chunkRows + thread / LANES; row < end; row += ROWS * BLOCK) {
      // All of a block is loaded, its last row again in place of those past the end, so that no load waits for another.
      let blockCount = min(BLOCK, (end - row + ROWS - 1u) / ROWS);
      var z: array<Real, BLOCK>;
      var product: array<Real, BLOCK>;
      for (var i = 0u; i < BLOCK; i++) {
        let at = (row + min(i, blockCount - 1u) * ROWS) * params.channels + channel;
        z[i] = maskedAt(at);
        product[i] = productAt(at, z[i], middle);
      }
      for (var i = 0u; i < BLOCK; i++) {
        sum.z += select(Real(0.0), z[i], i < blockCount);
        sum.product += select(Real(0.0), product[i], i < blockCount);
      }
    }
    if (NORMALISED) { sum.product /= sqrt(variance[channel] + params.epsilon); }
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
  if (thread < LANES && isInside) {
    parts[(2u * chunk) * params.channels + channel] = sums[thread].z;
    parts[(2u * chunk + 1u) * params.channels + channel] = sums[thread].product;
  }
}

fn maskedAt(i: u32) -> Real {
  let z = Real(dy[i]);
  if (!RELU) { return z; }
  return select(z, Real(0.0), Real(y[i]) <= Real(0.0));
}

fn productAt(i: u32, z: Real, middle: Real) -> Real {
  if (!HAS_X) { return Real(0.0); }
  return z * (Real(x[i]) - middle);
}

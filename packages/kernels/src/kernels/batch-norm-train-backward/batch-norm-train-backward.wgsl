// dx = gamma / deviation (z - dbeta / rows - xhat dgamma / rows),  dresidual = z,  where z = dy where y > 0
// (dy everywhere without the ReLU), deviation = sqrt(variance + epsilon), xhat = (x - mean) / deviation.
// Tensors are [rows, channels]. A thread keeps its channel and walks down a chunk of rows; what is constant in a channel
// comes from merge-gradients.wgsl in `table`.

alias Stored = f32; // @stored
alias Real = f32;   // @wide

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const BLOCK: u32 = 1u;  // @tune rows that are loaded before any of them is stored
const THREADS = LANES * ROWS;

override RELU: bool = false;
override HAS_RESIDUAL: bool = false;

struct Params {
  rows: u32,
  channels: u32, // of Reals, as all counts of channels here
  chunkRows: u32,
  chunks: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<Stored>;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> y: array<Stored>;
@group(0) @binding(3) var<storage, read> table: array<Real>; // [4, channels]: mean, scale, scale dbeta / rows, scale dgamma / (rows deviation)
@group(0) @binding(4) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(5) var<storage, read_write> dresidual: array<Stored>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tiles = (params.channels + LANES - 1u) / LANES;
  let index = group.y * groups.x + group.x;
  let chunk = index / tiles;
  let channel = index % tiles * LANES + thread % LANES;
  if (channel >= params.channels || chunk >= params.chunks) { return; }

  let middle = table[channel];
  let scale = table[params.channels + channel];
  let offset = table[2u * params.channels + channel];
  let slope = table[3u * params.channels + channel];
  let end = min((chunk + 1u) * params.chunkRows, params.rows);
  var row = chunk * params.chunkRows + thread / LANES;
  for (; row + (BLOCK - 1u) * ROWS < end; row += ROWS * BLOCK) {
    var z: array<Real, BLOCK>;
    var d: array<Real, BLOCK>;
    for (var i = 0u; i < BLOCK; i++) {
      let at = (row + i * ROWS) * params.channels + channel;
      z[i] = maskedAt(at);
      d[i] = scale * z[i] - offset - (Real(x[at]) - middle) * slope;
    }
    for (var i = 0u; i < BLOCK; i++) { store((row + i * ROWS) * params.channels + channel, d[i], z[i]); }
  }
  for (; row < end; row += ROWS) {
    let at = row * params.channels + channel;
    let z = maskedAt(at);
    store(at, scale * z - offset - (Real(x[at]) - middle) * slope, z);
  }
}

fn maskedAt(i: u32) -> Real {
  let z = Real(dy[i]);
  if (!RELU) { return z; }
  return select(z, Real(0.0), Real(y[i]) <= Real(0.0));
}

fn store(i: u32, d: Real, z: Real) {
  dx[i] = Stored(d);
  if (HAS_RESIDUAL) { dresidual[i] = Stored(z); }
}

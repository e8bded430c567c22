// dx = z * scale, dresidual = z, where z = dy where y > 0 (dy everywhere without the ReLU); tensors are [rows, channels].
// A thread keeps its channel and walks down a chunk of rows.

alias Stored = f32; // @stored
alias Real = f32;   // @wide

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const BLOCK: u32 = 1u;  // @tune rows that are loaded before any of them is stored
const THREADS = LANES * ROWS;

override HAS_RESIDUAL: bool = false;
override RELU: bool = false;

struct Params {
  rows: u32,
  channels: u32, // of Reals, as all counts of channels here
  chunkRows: u32,
  chunks: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<Stored>;
@group(0) @binding(1) var<storage, read> y: array<Stored>;
@group(0) @binding(2) var<storage, read> scale: array<Real>;
@group(0) @binding(3) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(4) var<storage, read_write> dresidual: array<Stored>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let tiles = (params.channels + LANES - 1u) / LANES;
  let index = group.y * groups.x + group.x;
  let chunk = index / tiles;
  let channel = index % tiles * LANES + thread % LANES;
  if (channel >= params.channels || chunk >= params.chunks) { return; }

  let slope = scale[channel];
  let end = min((chunk + 1u) * params.chunkRows, params.rows);
  var row = chunk * params.chunkRows + thread / LANES;
  for (; row + (BLOCK - 1u) * ROWS < end; row += ROWS * BLOCK) {
    var block: array<Real, BLOCK>;
    for (var i = 0u; i < BLOCK; i++) {
      let at = (row + i * ROWS) * params.channels + channel;
      block[i] = maskedAt(at);
    }
    for (var i = 0u; i < BLOCK; i++) { store((row + i * ROWS) * params.channels + channel, block[i], slope); }
  }
  for (; row < end; row += ROWS) {
    let at = row * params.channels + channel;
    store(at, maskedAt(at), slope);
  }
}

fn maskedAt(i: u32) -> Real {
  let z = Real(dy[i]);
  if (!RELU) { return z; }
  return select(z, Real(0.0), Real(y[i]) <= Real(0.0));
}

fn store(i: u32, z: Real, slope: Real) {
  dx[i] = Stored(z * slope);
  if (HAS_RESIDUAL) { dresidual[i] = Stored(z); }
}

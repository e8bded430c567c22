// Adds up the chunks' sums of each channel, dbeta = sum of parts[., 0] and dgamma = sum of parts[., 1],
// and makes the table that the pass over dx reads: with deviation = sqrt(variance + epsilon), scale = gamma / deviation,
//   table = (mean, scale, scale dbeta / rows, scale dgamma / (rows deviation))

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const THREADS = LANES * ROWS;
const_assert (ROWS & (ROWS - 1u)) == 0u;

struct Params {
  channels: u32,
  chunks: u32,
  rows: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> parts: array<f32>; // [chunks, 2, channels]
@group(0) @binding(1) var<storage, read> gamma: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(6) var<storage, read_write> table: array<f32>; // [4, channels]
@group(0) @binding(7) var<uniform> params: Params;

var<workgroup> sums: array<vec2f, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let channel = (group.y * groups.x + group.x) * LANES + thread % LANES;
  var sum = vec2f(0.0);
  if (channel < params.channels) {
    for (var chunk = thread / LANES; chunk < params.chunks; chunk += ROWS) {
      let at = (2u * chunk) * params.channels + channel;
      sum += vec2f(parts[at], parts[at + params.channels]);
    }
  }
  sums[thread] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2u; half >= LANES; half /= 2u) {
    if (thread < half) { sums[thread] += sums[thread + half]; }
    workgroupBarrier();
  }
  if (thread < LANES && channel < params.channels) {
    let total = sums[thread];
    dbeta[channel] = total.x;
    dgamma[channel] = total.y;
    let deviation = sqrt(variance[channel] + params.epsilon);
    let scale = gamma[channel] / deviation;
    let rows = f32(params.rows);
    table[channel] = mean[channel];
    table[params.channels + channel] = scale;
    table[2u * params.channels + channel] = scale * total.x / rows;
    table[3u * params.channels + channel] = scale * total.y / (rows * deviation);
  }
}

// Adds up the chunks' sums of each channel: first = sum of parts[., 0], second = sum of parts[., 1].

const LANES: u32 = 32u; // @tune
const ROWS: u32 = 8u;   // @tune
const THREADS = LANES * ROWS;
const_assert (ROWS & (ROWS - 1u)) == 0u;

struct Params {
  channels: u32,
  chunks: u32,
}

@group(0) @binding(0) var<storage, read> parts: array<f32>; // [chunks, 2, channels]
@group(0) @binding(1) var<storage, read_write> first: array<f32>;
@group(0) @binding(2) var<storage, read_write> second: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

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
    first[channel] = sums[thread].x;
    second[channel] = sums[thread].y;
  }
}

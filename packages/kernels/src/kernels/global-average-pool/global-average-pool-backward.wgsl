// dx[n, p, c] = dy[n, c] / pixels; dx is [batch, pixels, channels].

alias Stored = f32; // @stored

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 256u;  // @tune

struct Params {
  size: u32, // batch * pixels * channels
  pixels: u32,
  channels: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    let n = i / (params.pixels * params.channels);
    dx[i] = Stored(dy[n * params.channels + i % params.channels] / f32(params.pixels));
  }
}

// y[n, c] = mean over pixels p of x[n, p, c]; x is [batch, pixels, channels]. One thread per output.

alias Stored = f32; // @stored

const THREADS: u32 = 64u; // @tune

struct Params {
  size: u32, // batch * channels
  pixels: u32,
  channels: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let start = i / params.channels * params.pixels * params.channels + i % params.channels;
  var sum = 0.0;
  for (var p = 0u; p < params.pixels; p++) { sum += f32(x[start + p * params.channels]); }
  y[i] = sum / f32(params.pixels);
}

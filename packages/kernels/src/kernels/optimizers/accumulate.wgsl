// sum = sum + scale x, in place; anew, sum = scale x, whatever it was.

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 256u;  // @tune

struct Params {
  size: u32, // vectors of four; the last may reach past the tensor into its padding
  scale: f32,
  anew: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> sum: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    sum[i] = select(sum[i], vec4f(0.0), params.anew == 1u) + params.scale * x[i];
  }
}

// One step of gradient descent without momentum, in place:
//   value = value - rates[0] (gradient + weightDecay value)
// Under loss scaling (SCALED) the gradient is scaling[0] times what is given, and a step for which scaling[1] is not 0 does
// nothing.

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 256u;  // @tune

override SCALED: bool = false;

struct Params {
  size: u32, // vectors of four; the last may reach past the tensor into its padding
  weightDecay: f32,
}

@group(0) @binding(0) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(1) var<storage, read> rates: array<f32>;
@group(0) @binding(2) var<storage, read_write> value: array<vec4f>;
@group(0) @binding(3) var<storage, read> scaling: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  if (SCALED && scaling[1] != 0.0) { return; }
  let rate = rates[0];
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    var g = gradient[i];
    if (SCALED) { g *= scaling[0]; }
    value[i] -= rate * (g + params.weightDecay * value[i]);
  }
}

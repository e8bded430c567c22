// y[o, i] = scale * sum over r of x[o, r, i], where rows are long and few: a thread makes some outputs, each added up in the order
// of r, and its neighbours read what lies beside it. reduce.wgsl spends a workgroup on each output.

const THREADS: u32 = 64u; // @tune
const PER_THREAD: u32 = 16u; // @tune

struct Params { length: u32, inner: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = (group.y * groups.x + group.x) * THREADS * PER_THREAD + thread;
  // The outer index is the workgroup's: software devices are slow at divisions.
  let start = group.z * params.length * params.inner;
  for (var k = 0u; k < PER_THREAD; k++) {
    let i = first + k * THREADS;
    if (i >= params.inner) { return; }
    var value = 0.0;
    for (var r = 0u; r < params.length; r++) { value += x[start + r * params.inner + i]; }
    y[group.z * params.inner + i] = value * params.scale;
  }
}

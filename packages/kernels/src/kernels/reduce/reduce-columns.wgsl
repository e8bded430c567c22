// y[o, i] = scale * sum over r of x[o, r, i], where rows are long and few: a thread makes one output, adding up in the order of r,
// and its neighbours read what lies beside it. reduce.wgsl spends a workgroup on each output.

const THREADS: u32 = 64u; // @tune

struct Params { outputs: u32, length: u32, inner: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let o = (group.y * groups.x + group.x) * THREADS + thread;
  if (o >= params.outputs) { return; }
  let start = o / params.inner * params.length * params.inner + o % params.inner;
  var value = 0.0;
  for (var r = 0u; r < params.length; r++) { value += x[start + r * params.inner]; }
  y[o] = value * params.scale;
}

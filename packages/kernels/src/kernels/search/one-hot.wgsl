// y[i, k] = on where indices[i] is k, off elsewhere; the values are bits of y's type.

const THREADS: u32 = 64u; // @tune

struct Params { size: u32, depth: u32, on: u32, off: u32 }

@group(0) @binding(0) var<storage, read> x: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  y[i] = select(params.off, params.on, x[i / params.depth] == i32(i % params.depth));
}

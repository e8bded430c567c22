// y[b, o, k, i] = x[b, o, indices[b, k], i]; an index outside [0, length) reads as zero bits.

const THREADS: u32 = 64u; // @tune

struct Params { size: u32, outer: u32, length: u32, count: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= params.size) { return; }
  let inner = at % params.inner;
  let k = at / params.inner % params.count;
  let outer = at / params.inner / params.count;
  let index = indices[outer / params.outer * params.count + k];
  if (index < 0 || index >= i32(params.length)) { y[at] = 0u; return; }
  y[at] = x[(outer * params.length + u32(index)) * params.inner + inner];
}

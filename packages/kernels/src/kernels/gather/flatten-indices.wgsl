// flat[n] = sum over r of indices[n, r] * stride_r: where a row of coordinates points to in a flat tensor; -1 for a place
// that lies outside of it.

const THREADS: u32 = 64u; // @tune

struct Params {
  size: u32, depth: u32, limit: i32,
  s0: i32, s1: i32, s2: i32, s3: i32, s4: i32, s5: i32,
}

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let n = (group.y * groups.x + group.x) * THREADS + thread;
  if (n >= params.size) { return; }
  var strides = array(params.s0, params.s1, params.s2, params.s3, params.s4, params.s5);
  var at = 0;
  for (var r = 0u; r < params.depth; r++) { at += indices[n * params.depth + r] * strides[r]; }
  y[n] = select(at, -1, at < 0 || at >= params.limit);
}

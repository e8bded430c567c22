// y[i] = x[i] as another type: f32 to i32 truncates, anything to bool is x != 0, bool and i32 to f32 are exact numbers.

const THREADS: u32 = 64u; // @tune

// 0: f32 -> i32, 1: i32 or bool -> f32, 2: f32 -> bool, 3: i32 -> bool
override OP: u32 = 0u;

struct Params { size: u32 }

@group(0) @binding(0) var<storage, read> x: array<u32>;
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
  switch (OP) {
    case 0u: { y[i] = bitcast<u32>(i32(bitcast<f32>(x[i]))); }
    case 1u: { y[i] = bitcast<u32>(f32(bitcast<i32>(x[i]))); }
    case 2u: { y[i] = select(0u, 1u, bitcast<f32>(x[i]) != 0.0); }
    default: { y[i] = select(0u, 1u, x[i] != 0u); }
  }
}

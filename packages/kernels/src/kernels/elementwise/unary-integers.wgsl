// y[i] = f(x[i]) of integers, exact where floats would round (above 2^24); f is fixed when the pipeline is made, and has
// the number that it has in unary.wgsl. Tests give 0 or 1.

const THREADS: u32 = 64u; // @tune

override OP: u32 = 0u;

struct Params { size: u32, a: f32, b: f32 }

@group(0) @binding(0) var<storage, read> x: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;

fn apply(v: i32) -> i32 {
  switch (OP) {
    case 0u: { return max(v, 0); }
    case 1u: { return -v; }
    case 6u: { return v * v; }
    case 7u: { return abs(v); }
    case 10u: { return select(0, v, abs(v) == 1); } // truncated
    case 11u: { return sign(v); }
    case 13u: { return select(i32(params.a), 1, v > 0); }
    case 14u: { return select(select(v, i32(params.b), f32(v) > params.b), i32(params.a), f32(v) < params.a); }
    case 15u: { return clamp(v, 0, 6); }
    case 64u, 65u: { return 0; }
    case 66u: { return 1; }
    case 67u: { return select(0, 1, v == 0); }
    default: { return v; } // rounded already
  }
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i < params.size) { y[i] = apply(x[i]); }
}

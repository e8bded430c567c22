// y[i] = x[i] as another type: f32 to i32 truncates and wraps modulo 2^32 as JavaScript does (NaN and infinity give 0),
// anything to bool is x != 0, bool and i32 to f32 are exact numbers.

const THREADS: u32 = 64u; // @tune

// 0: f32 -> i32, 1: i32 or bool -> f32, 2: f32 -> bool, 3: i32 -> bool
override OP: u32 = 0u;

struct Params { size: u32 }

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

fn truncated(bits: u32) -> u32 {
  let exponent = (bits >> 23u) & 255u;
  if (exponent < 158u) { return bitcast<u32>(i32(bitcast<f32>(bits))); } // smaller than 2^31
  // A multiple of 2^8, of which only the low 32 bits stay.
  if (exponent >= 182u) { return 0u; }
  let size = ((bits & 0x7fffffu) | 0x800000u) << (exponent - 150u);
  return select(size, 0u - size, (bits >> 31u) == 1u);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  switch (OP) {
    case 0u: { y[i] = truncated(x[i]); }
    case 1u: { y[i] = bitcast<u32>(f32(bitcast<i32>(x[i]))); }
    case 2u: { y[i] = select(0u, 1u, (x[i] & 0x7fffffffu) != 0u); }
    default: { y[i] = select(0u, 1u, x[i] != 0u); }
  }
}

// The k largest elements of each row of x, largest first, the earlier first among equals, and their places. A thread counts
// the elements that come before its own, and so knows its rank: no element waits for another. NaN counts as the largest.

const THREADS: u32 = 64u; // @tune

override FLOAT: bool = true;

struct Params { size: u32, length: u32, k: u32 }

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

// The bits as an integer of the same order as the numbers.
fn order(bits: u32) -> i32 {
  if (!FLOAT) { return bitcast<i32>(bits); }
  if (bits == 0x80000000u) { return 0; } // negative zero is zero
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0x7fffffff; }
  return bitcast<i32>(select(bits, bits ^ 0x7fffffffu, (bits >> 31u) == 1u));
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let row = i / params.length;
  let own = i % params.length;
  let mine = order(x[i]);
  var rank = 0u;
  for (var j = 0u; j < params.length; j++) {
    let other = order(x[row * params.length + j]);
    if (other > mine || (other == mine && j < own)) { rank++; }
  }
  if (rank >= params.k) { return; }
  values[row * params.k + rank] = x[i];
  indices[row * params.k + rank] = own;
}

// y[index] = x[sum over d of (index_d * step_d) + offset], or a constant where the index lies outside x: transpose, slice,
// reverse, pad, tile, concatenation and a diagonal are strides, offsets and bounds of one strided copy. It moves bits and
// knows no type. Source dimension d runs over [lo_d, lo_d + n_d); beyond, OUTSIDE says what is read.

const THREADS: u32 = 64u; // @tune

// 0 the constant, 1 the source again, 2 its mirror image without the edge, 3 its mirror image with the edge
override OUTSIDE: u32 = 0u;
// Writes y through strides instead of x: for concatenation into a part of y.
override SCATTER: bool = false;

struct Params {
  size: u32, bits: u32, offset: i32,
  d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, d5: u32,
  s0: i32, s1: i32, s2: i32, s3: i32, s4: i32, s5: i32,
  lo0: u32, lo1: u32, lo2: u32, lo3: u32, lo4: u32, lo5: u32,
  n0: u32, n1: u32, n2: u32, n3: u32, n4: u32, n5: u32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

// Index within the source dimension of length n that begins at lo; n where it lies outside.
fn inside(e: u32, lo: u32, n: u32) -> u32 {
  if (OUTSIDE == 1u) { return e % n; }
  if (OUTSIDE >= 2u) {
    let edge = OUTSIDE - 2u;
    if (e < lo) { return lo - e - edge; }
    if (e >= lo + n) { return 2u * (n - 1u) + edge - (e - lo); }
  }
  return select(e - lo, n, e < lo || e - lo >= n);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  var rest = i;
  let e5 = inside(rest % params.d5, params.lo5, params.n5); rest /= params.d5;
  let e4 = inside(rest % params.d4, params.lo4, params.n4); rest /= params.d4;
  let e3 = inside(rest % params.d3, params.lo3, params.n3); rest /= params.d3;
  let e2 = inside(rest % params.d2, params.lo2, params.n2); rest /= params.d2;
  let e1 = inside(rest % params.d1, params.lo1, params.n1); rest /= params.d1;
  let e0 = inside(rest, params.lo0, params.n0);
  let hit = e0 < params.n0 && e1 < params.n1 && e2 < params.n2 && e3 < params.n3 && e4 < params.n4 && e5 < params.n5;
  let at = params.offset + i32(e0) * params.s0 + i32(e1) * params.s1 + i32(e2) * params.s2
    + i32(e3) * params.s3 + i32(e4) * params.s4 + i32(e5) * params.s5;
  if (SCATTER) { y[u32(at)] = x[i]; }
  else if (hit) { y[i] = x[u32(at)]; }
  else { y[i] = params.bits; }
}

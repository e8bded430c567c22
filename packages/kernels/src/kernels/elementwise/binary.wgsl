// c = f(a, b) elementwise with broadcasting. Values are read as f32, as i32 or as bool (an i32 of 0 or 1) by TYPE.
// A strided index of up to six dimensions finds the operands; a dimension of one has stride 0.

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 64u;   // @tune

override OP: u32 = 0u;
// 0: f32 -> f32, 1: i32 -> i32, 2: f32 -> bool, 3: i32 -> bool
override TYPE: u32 = 0u;
override SAME_SHAPE: bool = false;

struct Params {
  size: u32,
  d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, d5: u32,
  a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32,
  b0: u32, b1: u32, b2: u32, b3: u32, b4: u32, b5: u32,
}

@group(0) @binding(0) var<storage, read> a: array<u32>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read_write> c: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

// p to the power q as IEEE and JavaScript have it; WGSL's pow takes no negative base.
fn power(p: f32, q: f32) -> f32 {
  if (q == 0.0) { return 1.0; }
  if (p == 0.0) { return select(0.0, 1.0 / abs(p), q < 0.0); }
  if (p > 0.0) { return pow(p, q); }
  if (q != floor(q)) { return log2(p); } // NaN
  let size = pow(-p, q);
  return select(size, -size, floor(q / 2.0) * 2.0 != q);
}

fn integerPower(p: i32, q: i32) -> i32 {
  if (q < 0) { return select(0, select(1, p, (q & 1) != 0), p == 1 || p == -1); }
  var result = 1;
  var factor = p;
  for (var rest = q; rest > 0; rest >>= 1u) {
    if ((rest & 1) != 0) { result *= factor; }
    factor *= factor;
  }
  return result;
}

fn applyF32(p: f32, q: f32) -> f32 {
  switch (OP) {
    case 0u: { return p + q; }
    case 1u: { return p - q; }
    case 2u: { return p * q; }
    case 3u: { return p / q; }
    case 4u: { return max(p, q); }
    case 5u: { return min(p, q); }
    case 6u: { return (p - q) * (p - q); }
    case 7u: { return power(p, q); }
    case 8u: { return floor(p / q); }
    case 9u: { return select(p, p * q, p < 0.0); }       // PReLU of p with slope q
    case 10u: { return select(p, p * (q + 1.0), q < 0.0); } // ELU's gradient: p is dy, q the output
    default: { return p; }
  }
}

fn applyI32(p: i32, q: i32) -> i32 {
  switch (OP) {
    case 0u: { return p + q; }
    case 1u: { return p - q; }
    case 2u: { return p * q; }
    case 4u: { return max(p, q); }
    case 5u: { return min(p, q); }
    case 6u: { return (p - q) * (p - q); }
    case 7u: { return integerPower(p, q); }
    case 8u: {
      let quotient = p / q;
      return select(quotient, quotient - 1, p % q != 0 && (p < 0) != (q < 0));
    }
    default: { return p; }
  }
}

fn compareF32(p: f32, q: f32) -> bool {
  switch (OP) {
    case 16u: { return p == q; }
    case 17u: { return p != q; }
    case 18u: { return p < q; }
    case 19u: { return p <= q; }
    case 20u: { return p > q; }
    default: { return p >= q; }
  }
}

fn compareI32(p: i32, q: i32) -> bool {
  switch (OP) {
    case 16u: { return p == q; }
    case 17u: { return p != q; }
    case 18u: { return p < q; }
    case 19u: { return p <= q; }
    case 20u: { return p > q; }
    case 21u: { return p >= q; }
    case 22u: { return p != 0 && q != 0; }
    default: { return p != 0 || q != 0; }
  }
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    compute(i);
  }
}

fn compute(i: u32) {
  var at = i;
  var other = i;
  if (!SAME_SHAPE) {
    var rest = i;
    let e5 = rest % params.d5; rest /= params.d5;
    let e4 = rest % params.d4; rest /= params.d4;
    let e3 = rest % params.d3; rest /= params.d3;
    let e2 = rest % params.d2; rest /= params.d2;
    let e1 = rest % params.d1; let e0 = rest / params.d1;
    at = e0 * params.a0 + e1 * params.a1 + e2 * params.a2 + e3 * params.a3 + e4 * params.a4 + e5 * params.a5;
    other = e0 * params.b0 + e1 * params.b1 + e2 * params.b2 + e3 * params.b3 + e4 * params.b4 + e5 * params.b5;
  }
  let p = a[at];
  let q = b[other];
  switch (TYPE) {
    case 0u: { c[i] = bitcast<u32>(applyF32(bitcast<f32>(p), bitcast<f32>(q))); }
    case 1u: { c[i] = bitcast<u32>(applyI32(bitcast<i32>(p), bitcast<i32>(q))); }
    case 2u: { c[i] = select(0u, 1u, compareF32(bitcast<f32>(p), bitcast<f32>(q))); }
    default: { c[i] = select(0u, 1u, compareI32(bitcast<i32>(p), bitcast<i32>(q))); }
  }
}

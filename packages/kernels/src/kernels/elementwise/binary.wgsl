// c = f(a, b) elementwise with broadcasting. Values are read as f32, as i32 or as bool (an i32 of 0 or 1) by TYPE.
// A strided index of up to six dimensions finds the operands; a dimension of one has stride 0. NaNs are told by their bits,
// as a compiler may assume that there are none.

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 64u;   // @tune

override OP: u32 = 0u;
// 0: f32 -> f32, 1: i32 -> i32, 2: f32 -> bool, 3: i32 -> bool
override TYPE: u32 = 0u;
override SAME_SHAPE: bool = false;

struct Params {
  size: u32, nan: u32,
  d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, d5: u32,
  a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32,
  b0: u32, b1: u32, b2: u32, b3: u32, b4: u32, b5: u32,
}

@group(0) @binding(0) var<storage, read> a: array<u32>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read_write> c: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

const PI = 3.141592653589793;
const LARGEST = 3.4028234e38;

fn isNan(bits: u32) -> bool { return (bits & 0x7fffffffu) > 0x7f800000u; }
fn nan() -> f32 { return bitcast<f32>(params.nan); }
// WGSL says how exact a division is for divisors up to 2^126; beyond, NVIDIA's gives 0 or NaN. Powers of two cost no digits.
fn quotient(p: f32, q: f32) -> f32 {
  let scale = select(1.0, 0.25, abs(q) > 0x1p126);
  return (p * scale) / (q * scale);
}
fn isOdd(q: f32) -> bool { return q == floor(q) && floor(q / 2.0) * 2.0 != q; }

// p to the power q as JavaScript has it; WGSL's pow takes no negative base.
fn power(p: f32, q: f32) -> f32 {
  if (q == 0.0) { return 1.0; }
  if (abs(p) == 1.0 && abs(q) > LARGEST) { return nan(); }
  var size = 0.0;
  if (p == 0.0) { size = select(0.0, 1.0 / abs(p), q < 0.0); }
  else { size = pow(abs(p), q); }
  let isNegative = (bitcast<u32>(p) >> 31u) == 1u;
  if (isNegative && isOdd(q)) { return -size; }
  if (p < 0.0 && p >= -LARGEST && q != floor(q)) { return nan(); }
  return size;
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

// What is left of p divided by q, with the sign of p; exact, by long division in twos.
fn remainder(p: f32, q: f32) -> f32 {
  let bits = bitcast<u32>(q);
  let exponent = (bits >> 23u) & 255u;
  var rest = abs(p);
  for (var e = (bitcast<u32>(rest) >> 23u) & 255u; e >= exponent; e--) {
    let step = bitcast<f32>((e << 23u) | (bits & 0x7fffffu));
    if (rest >= step) { rest -= step; }
  }
  return select(rest, -rest, (bitcast<u32>(p) >> 31u) == 1u);
}

// The remainder with the sign of q: where that of p is another, q is added (tfjs-cpu does so in float64).
fn modulo(p: f32, q: f32) -> f32 {
  let agrees = (p < 0.0) == (q < 0.0);
  if (q == 0.0 || abs(p) > LARGEST) { return nan(); }
  if (abs(q) > LARGEST) { return select(nan(), p, agrees); }
  let rest = remainder(p, q);
  if (agrees) { return rest; }
  if (abs(rest) <= abs(q) * 0x1p-54) { return bitcast<f32>(bitcast<u32>(q) & 0x80000000u); }
  return rest + q;
}

fn integerModulo(p: i32, q: i32) -> i32 {
  if (q == 0) { return 0; }
  let rest = p % q;
  return select(rest, rest + q, rest != 0 && (rest < 0) != (q < 0));
}

// The angle of the point (q, p), by the polynomial of the arctangent in unary.wgsl.
fn angle(p: f32, q: f32) -> f32 {
  let isLarge = abs(p) > LARGEST || abs(q) > LARGEST;
  // Infinities count as ones beside zeros.
  let y = select(abs(p), select(0.0, 1.0, abs(p) > LARGEST), isLarge);
  let x = select(abs(q), select(0.0, 1.0, abs(q) > LARGEST), isLarge);
  var r = 0.0;
  if (max(x, y) > 0.0) { r = quotient(min(x, y), max(x, y)); }
  let isUpper = r > 0.4142135624;
  if (isUpper) { r = (r - 1.0) / (r + 1.0); }
  let z = r * r;
  var size = ((((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * r + r);
  if (isUpper) { size += PI / 4.0; }
  if (y > x) { size = PI / 2.0 - size; }
  if ((bitcast<u32>(q) >> 31u) == 1u) { size = PI - size; }
  return select(size, -size, (bitcast<u32>(p) >> 31u) == 1u);
}

// The length of (p, q), whose squares might overflow.
fn hypotenuse(p: f32, q: f32) -> f32 {
  let larger = max(abs(p), abs(q));
  if (larger == 0.0 || larger > LARGEST) { return larger; }
  let ratio = quotient(min(abs(p), abs(q)), larger);
  return larger * sqrt(1.0 + ratio * ratio);
}

fn applyF32(p: f32, q: f32) -> f32 {
  switch (OP) {
    case 0u: { return p + q; }
    case 1u: { return p - q; }
    case 2u: { return p * q; }
    case 3u: { return quotient(p, q); }
    // Of two zeros the positive one is the larger: its bits are the smaller.
    case 4u: { return select(max(p, q), bitcast<f32>(bitcast<u32>(p) & bitcast<u32>(q)), p == q); }
    case 5u: { return select(min(p, q), bitcast<f32>(bitcast<u32>(p) | bitcast<u32>(q)), p == q); }
    case 6u: { return (p - q) * (p - q); }
    case 7u: { return power(p, q); }
    case 8u: { return floor(quotient(p, q)); }
    case 9u: { return select(p, p * q, p < 0.0); }       // PReLU of p with slope q
    case 10u: { return select(p, p * (q + 1.0), q < 0.0); } // ELU's gradient: p is dy, q the output
    case 11u: { return modulo(p, q); }
    case 12u: { return angle(p, q); }
    case 14u: { return hypotenuse(p, q); }
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
      if (q == 0) { return 0; }
      let quotient = p / q;
      return select(quotient, quotient - 1, p % q != 0 && (p < 0) != (q < 0));
    }
    case 11u: { return integerModulo(p, q); }
    case 13u: { return p & q; }
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

// Bits of the result where an operand is NaN: NaN, but 1 to the power 0, what is positive where only the slope of a PReLU is
// one, false of a comparison, true of "not equal".
fn withNan(p: u32, q: u32) -> u32 {
  if (TYPE == 2u) { return select(0u, 1u, OP == 17u); }
  if (OP == 9u && !isNan(p) && bitcast<f32>(p) >= 0.0) { return p; }
  if (OP == 7u && (q & 0x7fffffffu) == 0u) { return bitcast<u32>(1.0); }
  return params.nan;
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
  if ((TYPE == 0u || TYPE == 2u) && (isNan(p) || isNan(q))) { c[i] = withNan(p, q); return; }
  switch (TYPE) {
    case 0u: { c[i] = bitcast<u32>(applyF32(bitcast<f32>(p), bitcast<f32>(q))); }
    case 1u: { c[i] = bitcast<u32>(applyI32(bitcast<i32>(p), bitcast<i32>(q))); }
    case 2u: { c[i] = select(0u, 1u, compareF32(bitcast<f32>(p), bitcast<f32>(q))); }
    default: { c[i] = select(0u, 1u, compareI32(bitcast<i32>(p), bitcast<i32>(q))); }
  }
}

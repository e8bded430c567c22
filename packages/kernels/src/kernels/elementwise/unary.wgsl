// y[i] = f(x[i]) for one of the functions below; f is fixed when the pipeline is made. WGSL allows its own functions errors
// of 2^-11 (sin, cos) or cancellation near zero (sinh, tanh, asinh, atanh), so these are made of polynomials: S. Moshier's
// Cephes library, single precision. NaNs are told by their bits, as a compiler may assume that there are none.

const THREADS: u32 = 64u; // @tune

override OP: u32 = 0u;

struct Params { size: u32, nan: u32, a: f32, b: f32 }

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

const HALF_PI = 1.5707963267948966;
const LN2 = 0.6931471805599453;
// Beyond, the square in asinh and acosh might overflow and the one beside it no longer counts.
const LARGE = 1e10;

fn isNan(bits: u32) -> bool { return (bits & 0x7fffffffu) > 0x7f800000u; }
fn nan() -> f32 { return bitcast<f32>(params.nan); }

// exp(v) = 2^k exp(r) with r in [-ln 2 / 2, ln 2 / 2], correct to about one unit in the last place.
fn exponential(v: f32) -> f32 {
  let k = round(clamp(v, -150.0, 150.0) * 1.4426950408889634);
  let r = fma(-k, -2.12194440e-4, fma(-k, 0.693359375, clamp(v, -150.0, 150.0)));
  let p = ((((1.9875691500e-4 * r + 1.3981999507e-3) * r + 8.3334519073e-3) * r + 4.1665795894e-2) * r + 1.6666665459e-1) * r + 5.0000001201e-1;
  let half = i32(k) / 2;
  return ldexp(fma(p * r, r, r) + 1.0, half) * ldexp(1.0, i32(k) - half);
}

// Zero apart: SwiftShader's log gives -88.03 there.
fn logarithm(v: f32) -> f32 {
  let logOrMinusInfinity = select(log(v), bitcast<f32>((params.nan & 0x7f800000u) | 0x80000000u), v == 0.0);
  return select(logOrMinusInfinity, nan(), v < 0.0);
}

// log(1 + v): near 1 by the series of 2 atanh(v / (2 + v)).
fn log1p(v: f32) -> f32 {
  if (v < -0.3 || v > 0.5) { return logarithm(1.0 + v); }
  let s = v / (2.0 + v);
  let z = s * s;
  return 2.0 * s * (1.0 + z * (0.33333333 + z * (0.2 + z * (0.14285714 + z * 0.11111111))));
}

// exp(v) - 1: near 0 by its Taylor series.
fn expm1(v: f32) -> f32 {
  if (abs(v) > 0.5) { return exponential(v) - 1.0; }
  return v * (1.0 + v * (0.5 + v * (0.16666667 + v * (0.041666667 + v * (8.3333333e-3 + v * (1.3888889e-3 + v * (1.9841270e-4 + v * 2.4801587e-5)))))));
}

// The upper 32 bits of a product.
fn high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}

// `rest` is what rounding took off a large angle.
struct Reduced { angle: f32, rest: f32, quadrant: i32 }

// An angle as angle + quadrant * pi / 2 with |angle| <= pi / 4. Small ones: pi / 2 is taken off in three parts whose
// products with a small integer are exact. Large ones (Payne and Hanek): the bits that matter of the product with 2 / pi.
fn reduce(v: f32) -> Reduced {
  if (abs(v) < 1000.0) {
    let k = round(v * 0.63661977);
    let angle = fma(-k, 7.5497899549e-8, fma(-k, 4.837512969970703125e-4, fma(-k, 1.5703125, v)));
    return Reduced(angle, 0.0, i32(k));
  }
  // 2 / pi, shifted by two.
  var twoOverPi = array(0u, 0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u);
  let bits = bitcast<u32>(v);
  let mantissa = (bits << 8u) | 0x80000000u;
  let exponent = ((bits >> 23u) & 255u) - 126u;
  let word = exponent / 32u;
  let shift = exponent % 32u;
  var parts: array<u32, 3>;
  for (var i = 0u; i < 3u; i++) {
    parts[i] = twoOverPi[word + i];
    if (shift > 0u) { parts[i] = (parts[i] << shift) | (twoOverPi[word + i + 1u] >> (32u - shift)); }
  }
  // In units of 2^-62 of a quarter turn; the upper word's first two bits are the quadrant.
  let carried = high(mantissa, parts[2]);
  let lower = mantissa * parts[1] + carried;
  let upper = mantissa * parts[0] + high(mantissa, parts[1]) + select(0u, 1u, lower < carried);
  // To the nearest quadrant: of the next one the distance counts, which is negative.
  let isPast = (upper & 0x20000000u) != 0u;
  var head = upper & 0x3fffffffu;
  var tail = lower;
  if (isPast) {
    head = 0x3fffffffu - head + select(0u, 1u, tail == 0u);
    tail = 0u - tail;
  }
  // The first 32 bits times pi / 2.
  let zeros = select(countLeadingZeros(head), 32u + countLeadingZeros(tail), head == 0u);
  if (zeros >= 32u) { head = tail << (zeros - 32u); }
  else if (zeros > 0u) { head = (head << zeros) | (tail >> (32u - zeros)); }
  let size = high(head, 0xc90fdaa2u);
  let rounded = f32(size);
  let rest = f32(bitcast<i32>(size - u32(rounded)));
  let scale = ldexp(select(1.0, -1.0, isPast != (v < 0.0)), -29 - i32(zeros));
  let quadrant = i32(upper >> 30u) + select(0, 1, isPast);
  return Reduced(rounded * scale, rest * scale, select(quadrant, -quadrant, v < 0.0));
}

// sin(v + quarters * pi / 2)
fn sine(v: f32, quarters: i32) -> f32 {
  if (abs(v) > 3.4028234e38) { return nan(); }
  let reduced = reduce(v);
  let r = reduced.angle;
  let z = r * r;
  let quadrant = (reduced.quadrant + quarters) & 3;
  var s = fma(((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z, r, r);
  if ((quadrant & 1) != 0) {
    s = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
  }
  return select(s, -s, quadrant >= 2);
}

fn tangent(v: f32) -> f32 {
  if (abs(v) > 3.4028234e38) { return nan(); }
  let reduced = reduce(v);
  let r = reduced.angle;
  let z = r * r;
  let t = fma((((((9.38540185543e-3 * z + 3.11992232697e-3) * z + 2.44301354525e-2) * z + 5.34112807005e-2) * z + 1.33387994085e-1) * z + 3.33331568548e-1) * z, r, r);
  if ((reduced.quadrant & 1) == 0) { return t; }
  // Beside a pole every rounding counts: what q t lacks to -1 is worked out of halves whose products are exact.
  let q = -1.0 / t;
  let qHead = bitcast<f32>(bitcast<u32>(q) & 0xfffff000u);
  let tHead = bitcast<f32>(bitcast<u32>(t) & 0xfffff000u);
  let lack = ((qHead * tHead + 1.0) + qHead * (t - tHead) + (q - qHead) * tHead) + (q - qHead) * (t - tHead);
  return q + q * (lack + q * reduced.rest);
}

fn arcsine(v: f32) -> f32 {
  let size = abs(v);
  if (size > 1.0) { return nan(); }
  let isLarge = size > 0.5;
  let z = select(size * size, 0.5 * (1.0 - size), isLarge);
  let r = select(size, sqrt(z), isLarge);
  let p = ((((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z + 7.4953002686e-2) * z + 1.6666752422e-1) * z * r + r;
  let angle = select(p, HALF_PI - 2.0 * p, isLarge);
  return select(angle, -angle, v < 0.0);
}

// Of v in [-1, 1] without the cancellation of pi/2 - arcsine(v) near 1.
fn arccosine(v: f32) -> f32 {
  if (v > 0.5) { return 2.0 * arcsine(sqrt(0.5 * (1.0 - v))); }
  if (v < -0.5) { return 2.0 * HALF_PI - 2.0 * arcsine(sqrt(0.5 * (1.0 + v))); }
  return HALF_PI - arcsine(v);
}

fn arctangent(v: f32) -> f32 {
  var r = abs(v);
  var base = 0.0;
  if (r > 2.414213562) { base = HALF_PI; r = -1.0 / r; }
  else if (r > 0.4142135624) { base = 0.5 * HALF_PI; r = (r - 1.0) / (r + 1.0); }
  let z = r * r;
  let angle = base + ((((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * r + r);
  return select(angle, -angle, v < 0.0);
}

fn hyperbolicSine(v: f32) -> f32 {
  let z = v * v;
  if (abs(v) <= 1.0) { return ((2.03721912945e-4 * z + 8.33028376239e-3) * z + 1.66667160211e-1) * z * v + v; }
  // exp(v) overflows before its half does.
  let root = exponential(0.5 * abs(v));
  let size = 0.5 * root * root - 0.5 / root / root;
  return select(size, -size, v < 0.0);
}

fn hyperbolicCosine(v: f32) -> f32 {
  let root = exponential(0.5 * abs(v));
  return 0.5 * root * root + 0.5 / root / root;
}

fn hyperbolicTangent(v: f32) -> f32 {
  let z = v * v;
  if (abs(v) < 0.625) {
    return ((((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 1.33314422036e-1) * z - 3.33332819422e-1) * z * v + v;
  }
  let size = 1.0 - 2.0 / (exponential(2.0 * min(abs(v), 20.0)) + 1.0);
  return select(size, -size, v < 0.0);
}

fn areaHyperbolicSine(v: f32) -> f32 {
  let a = abs(v);
  var size = log(a) + LN2;
  if (a < LARGE) { size = log1p(a + a * a / (1.0 + sqrt(1.0 + a * a))); }
  return select(size, -size, v < 0.0);
}

fn areaHyperbolicCosine(v: f32) -> f32 {
  if (v < 1.0) { return nan(); }
  if (v >= LARGE) { return log(v) + LN2; }
  let t = v - 1.0;
  return log1p(t + sqrt(2.0 * t + t * t));
}

fn areaHyperbolicTangent(v: f32) -> f32 {
  let a = abs(v);
  if (a > 1.0) { return nan(); }
  let size = 0.5 * log1p(2.0 * a / (1.0 - a));
  return select(size, -size, v < 0.0);
}

// Abramowitz and Stegun 7.1.26, as tfjs-cpu has it: an error of 1.5e-7. Near zero, where that would count, the Taylor series.
fn errorFunction(v: f32) -> f32 {
  let a = abs(v);
  let z = v * v;
  if (a < 0.4) { return 1.1283791671 * v * (1.0 + z * (-0.33333333 + z * (0.1 + z * (-0.023809524 + z * 4.6296296e-3)))); }
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let size = 1.0 - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * exponential(-a * a);
  return sign(v) * size;
}

fn apply(v: f32) -> f32 {
  switch (OP) {
    case 0u: { return select(v, 0.0, v <= 0.0); }
    case 1u: { return -v; }
    case 2u: { return exponential(v); }
    case 3u: { return logarithm(v); }
    case 4u: { return select(sqrt(v), nan(), v < 0.0); }
    case 5u: { return select(1.0 / sqrt(v), nan(), v < 0.0); }
    case 6u: { return v * v; }
    case 7u: { return abs(v); }
    case 8u: { return 1.0 / (1.0 + exponential(-v)); }
    case 9u: { return hyperbolicTangent(v); }
    case 10u: { return 1.0 / v; }
    case 11u: { return sign(v); }
    case 12u: { return floor(v); }
    case 13u: { return select(params.a, 1.0, v > 0.0); } // a is Step's alpha
    case 14u: { return select(select(v, params.a, v < params.a), params.b, v > params.b); }
    case 15u: { return select(select(v, 0.0, v <= 0.0), 6.0, v > 6.0); }
    case 16u: { return select(v, expm1(v), v < 0.0); }
    case 17u: { return select(v, params.a * v, v < 0.0); } // a is LeakyRelu's alpha
    case 18u: { return ceil(v); }
    case 19u: { return select(round(v), 0.0, v == -0.5); } // halves to the even neighbour, where that is 0 to the positive one
    case 20u: { return sine(v, 0); }
    case 21u: { return sine(v, 1); }
    case 22u: { return tangent(v); }
    case 23u: { return arcsine(v); }
    case 24u: { return arccosine(v); }
    case 25u: { return arctangent(v); }
    case 26u: { return hyperbolicSine(v); }
    case 27u: { return hyperbolicCosine(v); }
    case 28u: { return areaHyperbolicSine(v); }
    case 29u: { return areaHyperbolicCosine(v); }
    case 30u: { return areaHyperbolicTangent(v); }
    case 31u: { return log1p(v); }
    case 32u: { return expm1(v); }
    case 33u: { return errorFunction(v); }
    case 34u: { return 1.0507009873554805 * select(v, 1.6732632423543772 * expm1(v), v < 0.0); }
    case 35u: { return max(v, 0.0) + log1p(exponential(-abs(v))); } // log(1 + exp(v)) without overflow
    default: { return v; }
  }
}

fn test(bits: u32) -> bool {
  let size = bits & 0x7fffffffu;
  switch (OP) {
    case 64u: { return size > 0x7f800000u; }
    case 65u: { return size == 0x7f800000u; }
    case 66u: { return size < 0x7f800000u; }
    default: { return size == 0u; }
  }
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let bits = x[i];
  if (OP >= 64u) { y[i] = select(0u, 1u, test(bits)); }
  else if (isNan(bits)) { y[i] = select(bits, 0u, OP == 11u); } // tfjs's sign of NaN is 0
  else { y[i] = bitcast<u32>(apply(bitcast<f32>(bits))); }
}

// Forward convolution as in conv2d-staged.wgsl, for inputs whose channels do not come in fours: ResNet's stem has three.
// Along a row of the filter, taps and channels lie one after the other in x as in w, so the sum runs over one flat depth
// (ky, kx, channel), DEPTH of it at a time, and no tile is filled up with channels that are not there. A thread reads
// four neighbours of the depth, number by number. Rows are output pixels in the order of memory: those of neighbouring
// threads read overlapping windows. Needs outC to be a multiple of 4, and taps that are neighbours (dilationW = 1).

alias Stored = f32; // @stored
alias Stored4 = vec4f; // @stored

const TM: u32 = 8u;    // @tune rows of one thread
const TN: u32 = 8u;    // @tune columns of one thread, a multiple of 4
const COLS: u32 = 8u;  // @tune threads along the columns
const ROWS: u32 = 16u; // @tune threads along the rows
const DEPTH: u32 = 16u;  // @tune of the depth, staged at a time: a multiple of 4 that divides the number of threads
const BUFFERS: u32 = 1u; // @tune tiles of either operand in workgroup memory, 1 or 2
const THREADS = COLS * ROWS;
const TN4 = TN / 4u;
const BM = TM * ROWS;
const BN4 = TN4 * COLS;
const DEPTH4 = DEPTH / 4u;
const X_PITCH = DEPTH4 + 1u;
const X_SIZE = BM * X_PITCH;
const W_SIZE = DEPTH * BN4;
const X_ITEMS = BM * DEPTH4;
const X_LOADS = (X_ITEMS + THREADS - 1u) / THREADS;
const W_LOADS = (W_SIZE + THREADS - 1u) / THREADS;
const OUTSIDE = 0x40000000i; // a row below any image

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: u32, strideW: u32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  hasBias: u32, hasResidual: u32, relu: u32, // 1 or 0; no constants, as compiling takes longer than asking
  rowTiles: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> w: array<Stored4>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<Stored4>;
@group(0) @binding(4) var<storage, read_write> y: array<Stored4>;
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> xTile: array<vec4f, BUFFERS * X_SIZE>; // [row][depth / 4]
var<workgroup> wTile: array<vec4f, BUFFERS * W_SIZE>; // [depth][column / 4]

/** The next place of the depth, as (ky, (kx, channel)), where a row of the filter has `window` of them. */
fn after(place: vec2u, window: u32) -> vec2u {
  return select(vec2u(place.x, place.y + 1u), vec2u(place.x + 1u, 0u), place.y + 1u == window);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let rowTile = group.z * groups.y + group.y;
  if (rowTile >= params.rowTiles) { return; }
  let pixels = params.outH * params.outW;
  let rows = params.batch * pixels;
  let outC4 = params.outC / 4u;
  let row0 = rowTile * BM;
  let col0 = group.x * BN4;
  let pitch = params.inW * params.inC; // numbers in a row of x
  let window = params.kW * params.inC;
  let depth = params.kH * window;

  // Where the windows of the rows this thread brings begin: the row of x, the number in that, and in all of x. Rows past
  // the end repeat the last one and are not stored.
  var top: array<i32, X_LOADS>;
  var left: array<i32, X_LOADS>;
  var base: array<i32, X_LOADS>;
  for (var l = 0u; l < X_LOADS; l++) {
    let m = min(row0 + (thread + l * THREADS) / DEPTH4, rows - 1u);
    let pixel = m % pixels;
    top[l] = i32(pixel / params.outW * params.strideH) - params.padTop;
    left[l] = (i32(pixel % params.outW * params.strideW) - params.padLeft) * i32(params.inC);
    base[l] = (i32(m / pixels * params.inH) + top[l]) * i32(pitch) + left[l];
  }

  let rowThread = thread / COLS;
  let colThread = thread % COLS;
  var acc: array<vec4f, TM * TN4>;
  var xNext: array<Stored, 4u * X_LOADS>;
  var wNext: array<Stored4, W_LOADS>;
  // The depth staged next, and the place of the first of four that this thread brings of it.
  var k0 = 0u;
  var place = vec2u(thread % DEPTH4 * 4u / window, thread % DEPTH4 * 4u % window);
  var turn = 0u; // steps staged so far
  loop {
    let more = k0 < depth;
    if (more) {
      let second = after(place, window);
      let third = after(second, window);
      let fourth = after(third, window);
      let ky = vec4u(place.x, second.x, third.x, fourth.x);
      let tapY = select(vec4i(ky * params.dilationH), vec4i(OUTSIDE), ky >= vec4u(params.kH));
      let tapX = vec4i(vec4u(place.y, second.y, third.y, fourth.y));
      let tap = tapY * i32(pitch) + tapX;
      for (var l = 0u; l < X_LOADS; l++) {
        // What lies above or left of the image is negative, and as u32 larger than any.
        let isInside = (bitcast<vec4u>(tapY + top[l]) < vec4u(params.inH)) & (bitcast<vec4u>(tapX + left[l]) < vec4u(pitch));
        let at = bitcast<vec4u>(tap + base[l]);
        xNext[4u * l] = Stored();
        xNext[4u * l + 1u] = Stored();
        xNext[4u * l + 2u] = Stored();
        xNext[4u * l + 3u] = Stored();
        if (isInside.x) { xNext[4u * l] = x[at.x]; }
        if (isInside.y) { xNext[4u * l + 1u] = x[at.y]; }
        if (isInside.z) { xNext[4u * l + 2u] = x[at.z]; }
        if (isInside.w) { xNext[4u * l + 3u] = x[at.w]; }
      }
      for (var l = 0u; l < W_LOADS; l++) {
        let e = thread + l * THREADS;
        let row = k0 + e / BN4;
        wNext[l] = Stored4();
        if (row < depth) { wNext[l] = w[row * outC4 + min(col0 + e % BN4, outC4 - 1u)]; }
      }
    }
    if (turn > 0u) {
      let xAt = (turn + 1u) % BUFFERS * X_SIZE;
      let wAt = (turn + 1u) % BUFFERS * W_SIZE;
      for (var k = 0u; k < DEPTH4; k++) {
        var a: array<vec4f, TM>;
        for (var i = 0u; i < TM; i++) { a[i] = xTile[xAt + (rowThread + i * ROWS) * X_PITCH + k]; }
        for (var j = 0u; j < TN4; j++) {
          let at = wAt + k * 4u * BN4 + colThread + j * COLS;
          let b = array(wTile[at], wTile[at + BN4], wTile[at + 2u * BN4], wTile[at + 3u * BN4]);
          for (var i = 0u; i < TM; i++) {
            let sum = fma(vec4f(a[i].y), b[1], fma(vec4f(a[i].x), b[0], acc[i * TN4 + j]));
            acc[i * TN4 + j] = fma(vec4f(a[i].w), b[3], fma(vec4f(a[i].z), b[2], sum));
          }
        }
      }
    }
    if (!more) { break; }
    if (BUFFERS == 1u) { workgroupBarrier(); }
    for (var l = 0u; l < X_LOADS; l++) {
      let e = thread + l * THREADS;
      let at = 4u * l;
      if (X_ITEMS % THREADS == 0u || e < X_ITEMS) {
        xTile[turn % BUFFERS * X_SIZE + e / DEPTH4 * X_PITCH + e % DEPTH4] =
          vec4f(f32(xNext[at]), f32(xNext[at + 1u]), f32(xNext[at + 2u]), f32(xNext[at + 3u]));
      }
    }
    for (var l = 0u; l < W_LOADS; l++) {
      let e = thread + l * THREADS;
      if (W_SIZE % THREADS == 0u || e < W_SIZE) { wTile[turn % BUFFERS * W_SIZE + e] = vec4f(wNext[l]); }
    }
    workgroupBarrier();
    turn++;
    k0 += DEPTH;
    place.y += DEPTH;
    while (place.y >= window) { place = vec2u(place.x + 1u, place.y - window); }
  }

  for (var i = 0u; i < TM; i++) {
    let m = row0 + rowThread + i * ROWS;
    for (var j = 0u; j < TN4; j++) {
      let col = col0 + colThread + j * COLS;
      if (m < rows && col < outC4) {
        let out = m * outC4 + col;
        var v = acc[i * TN4 + j];
        if (params.hasBias != 0u) { v += bias[col]; }
        if (params.hasResidual != 0u) { v += vec4f(residual[out]); }
        if (params.relu != 0u) { v = select(v, vec4f(0.0), v < vec4f(0.0)); } // a NaN stays one
        y[out] = Stored4(v);
      }
    }
  }
}

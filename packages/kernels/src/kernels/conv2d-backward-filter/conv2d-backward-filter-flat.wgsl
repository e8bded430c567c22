// Gradient of a convolution with respect to its filter as in conv2d-backward-filter-staged.wgsl, for inputs whose channels
// do not come in fours (see conv2d-flat.wgsl). Rows are (ky, kx, channel), four to a vector; what they read of x, from the
// beginning of a window on, lies in workgroup memory. The depth are output pixels in the order of memory, so dy is read from
// end to end, and neighbouring threads read x at neighbouring pixels: each brings one place of the depth, whose window it
// finds by counting on. Needs outC to be a multiple of 4, and taps that are neighbours (dilationW = 1).

alias Stored = f32; // @stored
alias Stored4 = vec4f; // @stored

const TM: u32 = 8u;    // @tune rows of one thread, a multiple of 4
const TN: u32 = 8u;    // @tune columns of one thread, a multiple of 4
const COLS: u32 = 8u;  // @tune threads along the columns
const ROWS: u32 = 16u; // @tune threads along the rows
const DEPTH: u32 = 16u;  // @tune places of the depth staged at a time: divides the number of threads
const BUFFERS: u32 = 1u; // @tune tiles of either operand in workgroup memory, 1 or 2
const THREADS = COLS * ROWS;
const TM4 = TM / 4u;
const TN4 = TN / 4u;
const BM4 = TM4 * ROWS;
const BN4 = TN4 * COLS;
const X_PITCH = BM4 + 1u; // neighbouring places lie in different banks
const X_SIZE = DEPTH * X_PITCH;
const DY_SIZE = DEPTH * BN4;
const X_ITEMS = DEPTH * BM4;
const X_LOADS = (X_ITEMS + THREADS - 1u) / THREADS;
const DY_LOADS = (DY_SIZE + THREADS - 1u) / THREADS;
const OUTSIDE = 0x40000000i; // a row below any image

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: u32, strideW: u32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  depthPerPart: u32, // a multiple of DEPTH
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> dy: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> parts: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> xTile: array<vec4f, BUFFERS * X_SIZE>;   // [place][row / 4]
var<workgroup> dyTile: array<vec4f, BUFFERS * DY_SIZE>; // [place][column / 4]
var<workgroup> tapY: array<vec4i, BM4>; // rows of x from the beginning of a window
var<workgroup> tapX: array<vec4i, BM4>; // and numbers along that row

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let outC4 = params.outC / 4u;
  let pitch = params.inW * params.inC; // numbers in a row of x
  let window = params.kW * params.inC;
  let rows = params.kH * window;
  let row0 = group.y * BM4 * 4u;
  let col0 = group.x * BN4;
  for (var t = thread; t < BM4; t += THREADS) {
    let r = vec4u(row0 + 4u * t) + vec4u(0u, 1u, 2u, 3u);
    tapY[t] = select(vec4i(r / window * params.dilationH), vec4i(OUTSIDE), r >= vec4u(rows));
    tapX[t] = vec4i(r % window);
  }
  workgroupBarrier();

  // Depth index d = image * pixels + pixel. The place of it that this thread brings, and its window.
  let pixels = params.outH * params.outW;
  let depthEnd = min((group.z + 1u) * params.depthPerPart, pixels * params.batch);
  var d0 = group.z * params.depthPerPart;
  let place = d0 + thread % DEPTH;
  var image = place / pixels;
  var oy = place % pixels / params.outW;
  var ox = place % params.outW;

  let rowThread = thread / COLS;
  let colThread = thread % COLS;
  var acc: array<vec4f, TM * TN4>;
  var xNext: array<Stored, 4u * X_LOADS>;
  var dyNext: array<Stored4, DY_LOADS>;
  var turn = 0u; // steps staged so far
  loop {
    let more = d0 < depthEnd;
    if (more) {
      let top = select(OUTSIDE, i32(oy * params.strideH) - params.padTop, d0 + thread % DEPTH < depthEnd);
      let left = (i32(ox * params.strideW) - params.padLeft) * i32(params.inC);
      let base = (i32(image * params.inH) + top) * i32(pitch) + left;
      for (var l = 0u; l < X_LOADS; l++) {
        let row4 = min((thread + l * THREADS) / DEPTH, BM4 - 1u);
        let tapRow = tapY[row4];
        let tapCol = tapX[row4];
        // What lies above or left of the image is negative, and as u32 larger than any.
        let isInside = (bitcast<vec4u>(tapRow + top) < vec4u(params.inH)) & (bitcast<vec4u>(tapCol + left) < vec4u(pitch));
        let at = bitcast<vec4u>(tapRow * i32(pitch) + tapCol + base);
        xNext[4u * l] = Stored();
        xNext[4u * l + 1u] = Stored();
        xNext[4u * l + 2u] = Stored();
        xNext[4u * l + 3u] = Stored();
        if (isInside.x) { xNext[4u * l] = x[at.x]; }
        if (isInside.y) { xNext[4u * l + 1u] = x[at.y]; }
        if (isInside.z) { xNext[4u * l + 2u] = x[at.z]; }
        if (isInside.w) { xNext[4u * l + 3u] = x[at.w]; }
      }
      for (var l = 0u; l < DY_LOADS; l++) {
        let e = thread + l * THREADS;
        let d = d0 + e / BN4;
        dyNext[l] = Stored4();
        if (d < depthEnd) { dyNext[l] = dy[d * outC4 + min(col0 + e % BN4, outC4 - 1u)]; }
      }
    }
    if (turn > 0u) {
      let xAt = (turn + 1u) % BUFFERS * X_SIZE;
      let dyAt = (turn + 1u) % BUFFERS * DY_SIZE;
      for (var k = 0u; k < DEPTH; k++) {
        var b: array<vec4f, TN4>;
        for (var j = 0u; j < TN4; j++) { b[j] = dyTile[dyAt + k * BN4 + colThread + j * COLS]; }
        for (var i = 0u; i < TM4; i++) {
          let a = xTile[xAt + k * X_PITCH + rowThread + i * ROWS];
          for (var j = 0u; j < TN4; j++) {
            let at = i * 4u * TN4 + j;
            acc[at] = fma(vec4f(a.x), b[j], acc[at]);
            acc[at + TN4] = fma(vec4f(a.y), b[j], acc[at + TN4]);
            acc[at + 2u * TN4] = fma(vec4f(a.z), b[j], acc[at + 2u * TN4]);
            acc[at + 3u * TN4] = fma(vec4f(a.w), b[j], acc[at + 3u * TN4]);
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
        xTile[turn % BUFFERS * X_SIZE + e % DEPTH * X_PITCH + e / DEPTH] =
          vec4f(f32(xNext[at]), f32(xNext[at + 1u]), f32(xNext[at + 2u]), f32(xNext[at + 3u]));
      }
    }
    for (var l = 0u; l < DY_LOADS; l++) {
      let e = thread + l * THREADS;
      if (DY_SIZE % THREADS == 0u || e < DY_SIZE) { dyTile[turn % BUFFERS * DY_SIZE + e] = vec4f(dyNext[l]); }
    }
    workgroupBarrier();
    turn++;
    d0 += DEPTH;
    ox += DEPTH;
    while (ox >= params.outW) {
      ox -= params.outW;
      oy++;
    }
    while (oy >= params.outH) {
      oy -= params.outH;
      image++;
    }
  }

  for (var i = 0u; i < TM4; i++) {
    for (var c = 0u; c < 4u; c++) {
      let row = row0 + 4u * (rowThread + i * ROWS) + c;
      for (var j = 0u; j < TN4; j++) {
        let col = col0 + colThread + j * COLS;
        if (row < rows && col < outC4) { parts[(group.z * rows + row) * outC4 + col] = acc[(i * 4u + c) * TN4 + j]; }
      }
    }
  }
}

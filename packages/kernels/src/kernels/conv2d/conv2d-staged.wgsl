// Forward convolution as in conv2d.wgsl, staged through workgroup memory: for GPUs, whose arithmetic outruns their loads.
// A workgroup makes BM rows x BN columns. It brings DEPTH input channels of one tap at a time into workgroup memory, in
// vectors of four along the memory of x and of w, and each thread makes TM x TN of the outputs from there.
// A thread's rows lie ROWS apart and its vectors of columns COLS apart, so that neighbouring threads read different banks.
// A tap that lies outside the image for all rows of the tile is skipped. Needs inC and outC to be multiples of 4.

alias Stored4 = vec4f; // @stored

const TM: u32 = 8u;    // @tune rows of one thread
const TN: u32 = 8u;    // @tune columns of one thread, a multiple of 4
const COLS: u32 = 16u; // @tune threads along the columns
const ROWS: u32 = 16u; // @tune threads along the rows
const DEPTH: u32 = 16u; // @tune channels staged at a time, a multiple of 4
const THREADS = COLS * ROWS;
const TN4 = TN / 4u;
const BM = TM * ROWS;
const BN4 = TN4 * COLS;
const DEPTH4 = DEPTH / 4u;
const X_SIZE = BM * DEPTH4;
const W_SIZE = DEPTH * BN4;
const X_LOADS = (X_SIZE + THREADS - 1u) / THREADS;
const W_LOADS = (W_SIZE + THREADS - 1u) / THREADS;

override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override RELU: bool = false;

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: u32, strideW: u32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  rowTiles: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored4>;
@group(0) @binding(1) var<storage, read> w: array<Stored4>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<Stored4>;
@group(0) @binding(4) var<storage, read_write> y: array<Stored4>;
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> xTile: array<vec4f, X_SIZE>; // [row][channel / 4]
var<workgroup> wTile: array<vec4f, W_SIZE>; // [channel][column / 4]

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let rowTile = group.z * groups.y + group.y;
  if (rowTile >= params.rowTiles) { return; }
  let rows = params.batch * params.outH * params.outW;
  let inC4 = params.inC / 4u;
  let outC4 = params.outC / 4u;
  let row0 = rowTile * BM;
  let col0 = group.x * BN4;

  // Upper left tap and image of the rows this thread brings; rows past the end repeat the last one and are not stored.
  var top: array<i32, X_LOADS>;
  var left: array<i32, X_LOADS>;
  var image: array<u32, X_LOADS>;
  for (var l = 0u; l < X_LOADS; l++) {
    let m = min(row0 + (thread + l * THREADS) / DEPTH4, rows - 1u);
    let pixel = m / params.batch;
    top[l] = i32(pixel / params.outW * params.strideH) - params.padTop;
    left[l] = i32(pixel % params.outW * params.strideW) - params.padLeft;
    image[l] = (m % params.batch) * params.inH * params.inW;
  }

  // The tile's output pixels, the same for the whole workgroup: from them follows which taps reach into the image.
  let firstPixel = row0 / params.batch;
  let lastPixel = min(row0 + BM, rows) - 1u;
  let firstY = firstPixel / params.outW;
  let lastY = lastPixel / params.batch / params.outW;
  var firstX = 0u;
  var lastX = params.outW - 1u;
  if (firstY == lastY) {
    firstX = firstPixel % params.outW;
    lastX = lastPixel / params.batch % params.outW;
  }

  let rowThread = thread / COLS;
  let colThread = thread % COLS;
  var acc: array<vec4f, TM * TN4>;
  for (var ky = 0u; ky < params.kH; ky++) {
    let dy = i32(ky * params.dilationH) - params.padTop;
    if (i32(lastY * params.strideH) + dy < 0 || i32(firstY * params.strideH) + dy >= i32(params.inH)) { continue; }
    for (var kx = 0u; kx < params.kW; kx++) {
      let dx = i32(kx * params.dilationW) - params.padLeft;
      if (i32(lastX * params.strideW) + dx < 0 || i32(firstX * params.strideW) + dx >= i32(params.inW)) { continue; }
      var at: array<u32, X_LOADS>;
      var inside: array<bool, X_LOADS>;
      for (var l = 0u; l < X_LOADS; l++) {
        let iy = top[l] + i32(ky * params.dilationH);
        let ix = left[l] + i32(kx * params.dilationW);
        let hit = iy >= 0 && iy < i32(params.inH) && ix >= 0 && ix < i32(params.inW);
        inside[l] = hit;
        at[l] = select(0u, (image[l] + u32(iy) * params.inW + u32(ix)) * inC4, hit);
      }
      let tap = (ky * params.kW + kx) * params.inC;
      for (var channel4 = 0u; channel4 < inC4; channel4 += DEPTH4) {
        for (var l = 0u; l < X_LOADS; l++) {
          let e = thread + l * THREADS;
          if (e < X_SIZE) {
            let c = channel4 + e % DEPTH4;
            xTile[e] = select(vec4f(0.0), vec4f(x[at[l] + min(c, inC4 - 1u)]), inside[l] && c < inC4);
          }
        }
        for (var l = 0u; l < W_LOADS; l++) {
          let e = thread + l * THREADS;
          if (e < W_SIZE) {
            let c = channel4 * 4u + e / BN4;
            wTile[e] = vec4f(w[(tap + min(c, params.inC - 1u)) * outC4 + min(col0 + e % BN4, outC4 - 1u)]);
          }
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH4; k++) {
          var a: array<vec4f, TM>;
          for (var i = 0u; i < TM; i++) { a[i] = xTile[(rowThread + i * ROWS) * DEPTH4 + k]; }
          for (var c = 0u; c < 4u; c++) {
            for (var j = 0u; j < TN4; j++) {
              let b = wTile[(k * 4u + c) * BN4 + colThread + j * COLS];
              for (var i = 0u; i < TM; i++) { acc[i * TN4 + j] = fma(vec4f(a[i][c]), b, acc[i * TN4 + j]); }
            }
          }
        }
        workgroupBarrier();
      }
    }
  }

  for (var i = 0u; i < TM; i++) {
    let m = row0 + rowThread + i * ROWS;
    if (m >= rows) { break; }
    let pixel = m / params.batch;
    let out = ((m % params.batch) * params.outH * params.outW + pixel) * outC4;
    for (var j = 0u; j < TN4; j++) {
      let col = col0 + colThread + j * COLS;
      if (col >= outC4) { break; }
      var v = acc[i * TN4 + j];
      if (HAS_BIAS) { v += bias[col]; }
      if (HAS_RESIDUAL) { v += vec4f(residual[out + col]); }
      if (RELU) { v = select(v, vec4f(0.0), v < vec4f(0.0)); } // a NaN stays one
      y[out + col] = Stored4(v);
    }
  }
}

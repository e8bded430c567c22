// Gradient of a convolution with respect to its filter as in conv2d-backward-filter.wgsl, staged through workgroup memory
// (see conv2d-staged.wgsl). Both operands lie across the depth, x along the rows and dy along the columns, so each tile
// holds vectors of four of them for DEPTH places of the depth. Places whose taps all fall outside the image are skipped
// where the whole workgroup works on one tap. Needs inC and outC to be multiples of 4.

alias Stored4 = vec4f; // @stored

const TM: u32 = 8u;    // @tune rows of one thread, a multiple of 4
const TN: u32 = 8u;    // @tune columns of one thread, a multiple of 4
const COLS: u32 = 16u; // @tune threads along the columns
const ROWS: u32 = 16u; // @tune threads along the rows
const DEPTH: u32 = 16u; // @tune places of the depth staged at a time
const THREADS = COLS * ROWS;
const TM4 = TM / 4u;
const TN4 = TN / 4u;
const BM4 = TM4 * ROWS;
const BN4 = TN4 * COLS;
const X_SIZE = DEPTH * BM4;
const DY_SIZE = DEPTH * BN4;
const X_LOADS = (X_SIZE + THREADS - 1u) / THREADS;
const DY_LOADS = (DY_SIZE + THREADS - 1u) / THREADS;

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: u32, strideW: u32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  depthPerPart: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored4>;
@group(0) @binding(1) var<storage, read> dy: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> parts: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> xTile: array<vec4f, X_SIZE>;   // [place][row / 4]
var<workgroup> dyTile: array<vec4f, DY_SIZE>; // [place][column / 4]

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let inC4 = params.inC / 4u;
  let outC4 = params.outC / 4u;
  let rows4 = params.kH * params.kW * inC4;
  let row0 = group.y * BM4;
  let col0 = group.x * BN4;

  // Tap and channel of the rows this thread brings; rows past the end repeat the last one and are not stored.
  var tapY: array<i32, X_LOADS>;
  var tapX: array<i32, X_LOADS>;
  var channel: array<u32, X_LOADS>;
  for (var l = 0u; l < X_LOADS; l++) {
    let r = min(row0 + (thread + l * THREADS) % BM4, rows4 - 1u);
    let tap = r / inC4;
    tapY[l] = i32(tap / params.kW * params.dilationH) - params.padTop;
    tapX[l] = i32(tap % params.kW * params.dilationW) - params.padLeft;
    channel[l] = r % inC4;
  }
  let firstTap = row0 / inC4;
  let isOneTap = firstTap == (min(row0 + BM4, rows4) - 1u) / inC4;
  let firstTapY = i32(firstTap / params.kW * params.dilationH) - params.padTop;
  let firstTapX = i32(firstTap % params.kW * params.dilationW) - params.padLeft;

  // Depth index d = pixel * batch + image.
  let pixels = params.outH * params.outW;
  let depth0 = group.z * params.depthPerPart;
  let depthEnd = min(depth0 + params.depthPerPart, pixels * params.batch);
  let rowThread = thread / COLS;
  let colThread = thread % COLS;
  var acc: array<vec4f, TM * TN4>;
  for (var d0 = depth0; d0 < depthEnd; d0 += DEPTH) {
    let firstPixel = d0 / params.batch;
    if (isOneTap && firstPixel == (min(d0 + DEPTH, depthEnd) - 1u) / params.batch) {
      let iy = i32(firstPixel / params.outW * params.strideH) + firstTapY;
      let ix = i32(firstPixel % params.outW * params.strideW) + firstTapX;
      if (iy < 0 || ix < 0 || iy >= i32(params.inH) || ix >= i32(params.inW)) { continue; }
    }
    for (var l = 0u; l < X_LOADS; l++) {
      let e = thread + l * THREADS;
      if (e < X_SIZE) {
        let d = d0 + e / BM4;
        let pixel = d / params.batch;
        let iy = i32(pixel / params.outW * params.strideH) + tapY[l];
        let ix = i32(pixel % params.outW * params.strideW) + tapX[l];
        let hit = d < depthEnd && iy >= 0 && ix >= 0 && iy < i32(params.inH) && ix < i32(params.inW);
        let at = ((d % params.batch * params.inH + u32(iy)) * params.inW + u32(ix)) * inC4 + channel[l];
        xTile[e] = select(vec4f(0.0), vec4f(x[select(0u, at, hit)]), hit);
      }
    }
    for (var l = 0u; l < DY_LOADS; l++) {
      let e = thread + l * THREADS;
      if (e < DY_SIZE) {
        let d = min(d0 + e / BN4, depthEnd - 1u); // past the end x is 0
        let at = (d % params.batch * pixels + d / params.batch) * outC4 + min(col0 + e % BN4, outC4 - 1u);
        dyTile[e] = vec4f(dy[at]);
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      var b: array<vec4f, TN4>;
      for (var j = 0u; j < TN4; j++) { b[j] = dyTile[k * BN4 + colThread + j * COLS]; }
      for (var i = 0u; i < TM4; i++) {
        let a = xTile[k * BM4 + rowThread + i * ROWS];
        for (var c = 0u; c < 4u; c++) {
          for (var j = 0u; j < TN4; j++) {
            let at = (i * 4u + c) * TN4 + j;
            acc[at] = fma(vec4f(a[c]), b[j], acc[at]);
          }
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < TM4; i++) {
    let row4 = row0 + rowThread + i * ROWS;
    if (row4 >= rows4) { break; }
    for (var c = 0u; c < 4u; c++) {
      let out = (group.z * rows4 * 4u + row4 * 4u + c) * outC4;
      for (var j = 0u; j < TN4; j++) {
        let col = col0 + colThread + j * COLS;
        if (col >= outC4) { break; }
        parts[out + col] = acc[(i * 4u + c) * TN4 + j];
      }
    }
  }
}

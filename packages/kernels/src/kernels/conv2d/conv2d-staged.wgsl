// Forward convolution as in conv2d.wgsl, staged through workgroup memory: for GPUs, whose arithmetic outruns their loads.
// A workgroup makes BM rows x BN columns. It brings DEPTH input channels of one tap at a time into workgroup memory, in
// vectors of four along the memory of x and of w, and each thread makes TM x TN of the outputs from there. The next
// channels are on their way into registers meanwhile; with two buffers each step needs one barrier, with one it needs two.
// A thread's rows lie ROWS apart and its vectors of columns COLS apart, and x's rows have one vector more than they need, so
// that neighbouring threads read different banks.
// A tap that lies outside the image for all rows of the tile is skipped. Where few tiles make the grid, parts of the input
// channels are summed apart and added up by sum-parts.wgsl. Needs inC and outC to be multiples of 4.

alias Stored4 = vec4f; // @stored

const TM: u32 = 8u;    // @tune rows of one thread
const TN: u32 = 8u;    // @tune columns of one thread, a multiple of 4
const COLS: u32 = 8u;  // @tune threads along the columns
const ROWS: u32 = 16u; // @tune threads along the rows
const DEPTH: u32 = 16u;  // @tune channels staged at a time, a multiple of 4
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

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: u32, strideW: u32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  hasBias: u32, hasResidual: u32, relu: u32, // 1 or 0; no constants, as compiling takes longer than asking
  rowTiles: u32, columnTiles: u32,
  channelsPerPart: u32, // a multiple of DEPTH
}

@group(0) @binding(0) var<storage, read> x: array<Stored4>;
@group(0) @binding(1) var<storage, read> w: array<Stored4>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<Stored4>;
@group(0) @binding(4) var<storage, read_write> y: array<Stored4>; // [part][image][pixel][channel]
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> xTile: array<vec4f, BUFFERS * X_SIZE>; // [row][channel / 4]
var<workgroup> wTile: array<vec4f, BUFFERS * W_SIZE>; // [channel][column / 4]

/** The output pixels of a tile lie in the rectangle from (firstY, firstX) to (lastY, lastX). */
struct Bounds { firstY: u32, lastY: u32, firstX: u32, lastX: u32 }

/** The first tap, counted from `start`, that reaches into the image from some pixel of the tile. */
fn nextTap(start: u32, tile: Bounds) -> u32 {
  var tap = start;
  while (tap < params.kH * params.kW) {
    let dy = i32(tap / params.kW * params.dilationH) - params.padTop;
    let dx = i32(tap % params.kW * params.dilationW) - params.padLeft;
    let isBefore = i32(tile.lastY * params.strideH) + dy < 0 || i32(tile.lastX * params.strideW) + dx < 0;
    let isAfter = i32(tile.firstY * params.strideH) + dy >= i32(params.inH)
      || i32(tile.firstX * params.strideW) + dx >= i32(params.inW);
    if (!isBefore && !isAfter) { break; }
    tap++;
  }
  return tap;
}

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
  let part = group.x / params.columnTiles;
  let row0 = rowTile * BM;
  let col0 = group.x % params.columnTiles * BN4;
  let channel0 = part * params.channelsPerPart / 4u;
  let channelEnd = min(channel0 + params.channelsPerPart / 4u, inC4);

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

  // The same for the whole workgroup, and so are the taps that follow from it.
  let firstPixel = row0 / params.batch;
  let lastPixel = (min(row0 + BM, rows) - 1u) / params.batch;
  var tile = Bounds(firstPixel / params.outW, lastPixel / params.outW, 0u, params.outW - 1u);
  if (tile.firstY == tile.lastY) {
    tile.firstX = firstPixel % params.outW;
    tile.lastX = lastPixel % params.outW;
  }

  let rowThread = thread / COLS;
  let colThread = thread % COLS;
  let taps = params.kH * params.kW;
  var acc: array<vec4f, TM * TN4>;
  var base: array<u32, X_LOADS>;
  var inside: array<bool, X_LOADS>;
  var xNext: array<Stored4, X_LOADS>;
  var wNext: array<Stored4, W_LOADS>;
  var tap = nextTap(0u, tile);
  var channel = channel0;
  var turn = 0u; // steps staged so far
  loop {
    let more = tap < taps;
    if (more) {
      if (channel == channel0) {
        for (var l = 0u; l < X_LOADS; l++) {
          let iy = top[l] + i32(tap / params.kW * params.dilationH);
          let ix = left[l] + i32(tap % params.kW * params.dilationW);
          let hit = iy >= 0 && iy < i32(params.inH) && ix >= 0 && ix < i32(params.inW);
          inside[l] = hit;
          base[l] = select(0u, (image[l] + u32(iy) * params.inW + u32(ix)) * inC4, hit);
        }
      }
      for (var l = 0u; l < X_LOADS; l++) {
        let c = channel + (thread + l * THREADS) % DEPTH4;
        xNext[l] = Stored4();
        if (inside[l] && c < channelEnd) { xNext[l] = x[base[l] + c]; }
      }
      for (var l = 0u; l < W_LOADS; l++) {
        let e = thread + l * THREADS;
        let c = channel * 4u + e / BN4;
        wNext[l] = Stored4();
        if (c < channelEnd * 4u) { wNext[l] = w[(tap * params.inC + c) * outC4 + min(col0 + e % BN4, outC4 - 1u)]; }
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
      if (X_ITEMS % THREADS == 0u || e < X_ITEMS) {
        xTile[turn % BUFFERS * X_SIZE + e / DEPTH4 * X_PITCH + e % DEPTH4] = vec4f(xNext[l]);
      }
    }
    for (var l = 0u; l < W_LOADS; l++) {
      let e = thread + l * THREADS;
      if (W_SIZE % THREADS == 0u || e < W_SIZE) { wTile[turn % BUFFERS * W_SIZE + e] = vec4f(wNext[l]); }
    }
    workgroupBarrier();
    turn++;
    channel += DEPTH4;
    if (channel >= channelEnd) {
      channel = channel0;
      tap = nextTap(tap + 1u, tile);
    }
  }

  for (var i = 0u; i < TM; i++) {
    let m = row0 + rowThread + i * ROWS;
    if (m < rows) {
      let pixel = m / params.batch;
      let out = (part * rows + (m % params.batch) * params.outH * params.outW + pixel) * outC4;
      for (var j = 0u; j < TN4; j++) {
        let col = col0 + colThread + j * COLS;
        if (col < outC4) {
          var v = acc[i * TN4 + j];
          if (params.hasBias != 0u) { v += bias[col]; }
          if (params.hasResidual != 0u) { v += vec4f(residual[out + col]); }
          if (params.relu != 0u) { v = select(v, vec4f(0.0), v < vec4f(0.0)); } // a NaN stays one
          y[out + col] = Stored4(v);
        }
      }
    }
  }
}

// Forward convolution as in conv2d.wgsl on the device's matrix units: x, w and y are stored in float16, sums are float32.
// A workgroup makes BM rows x BN columns. It brings DEPTH input channels of one tap at a time into workgroup memory, where
// its subgroups, each with TM x TN products of the matrix unit (M x K by K x N), load them from. While they multiply, the
// next channels are on their way into registers; two buffers take turns, so that each step needs one barrier.
// Rows run over (pixel, image) with the image innermost; a tap outside the image for all rows of the tile is skipped.
// Tiles have one vector more in a row than they need, so that the rows of a matrix lie in different banks.
// Where few tiles make the grid, parts of the input channels are summed apart (PARTIAL) and added up by sum-parts.wgsl.
// Needs inC and outC to be multiples of 8. docs/decisions/subgroup-matrix.md says how this is checked.
// @unrolled: matrices in an array that a loop indexes lie in memory on NVIDIA, and multiply at a fifteenth of the speed.

enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

alias Stored8 = vec4u; // @stored float16: eight halves

const M: u32 = 16u;     // @tune rows of the matrix unit, a multiple of 8
const N: u32 = 16u;     // @tune columns of the matrix unit, a multiple of 8
const K: u32 = 16u;     // @tune depth of the matrix unit, a multiple of 8
const LANES: u32 = 32u; // @tune the device's subgroup size
const TM: u32 = 2u;     // @tune units of one subgroup along the rows
const TN: u32 = 2u;     // @tune units of one subgroup along the columns
const ROWS: u32 = 2u;   // @tune subgroups along the rows
const COLS: u32 = 2u;   // @tune subgroups along the columns
const DEPTH: u32 = 16u; // @tune channels staged at a time, a multiple of K
const THREADS = ROWS * COLS * LANES;
const BM = ROWS * TM * M;
const BN8 = COLS * TN * N / 8u;
const DEPTH8 = DEPTH / 8u;
const X_PITCH = DEPTH8 + 1u;
const W_PITCH = BN8 + 1u;
const Y_PITCH = 2u * BN8 + 1u;
const W_START = BM * X_PITCH;
const BUFFER = W_START + DEPTH * W_PITCH;
const SIZE = max(2u * BUFFER, ROWS * M * Y_PITCH);
const X_ITEMS = BM * DEPTH8;
const W_ITEMS = DEPTH * BN8;
const Y_ITEMS = ROWS * M * BN8;
const X_LOADS = (X_ITEMS + THREADS - 1u) / THREADS;
const W_LOADS = (W_ITEMS + THREADS - 1u) / THREADS;
const Y_STORES = (Y_ITEMS + THREADS - 1u) / THREADS;

alias Left = subgroup_matrix_left<f16, K, M>;
alias Right = subgroup_matrix_right<f16, N, K>;
alias Result = subgroup_matrix_result<f32, N, M>;

override PARTIAL: bool = false;

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

@group(0) @binding(0) var<storage, read> x: array<Stored8>;
@group(0) @binding(1) var<storage, read> w: array<Stored8>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<Stored8>;
@group(0) @binding(4) var<storage, read_write> y: array<Stored8>; // PARTIAL: float32, [part][image][pixel][channel]
@group(0) @binding(5) var<uniform> params: Params;

// Two buffers of [row][channel / 8] of x and [channel][column / 8] of w; after the sum [row][column / 4] in float32.
var<workgroup> tiles: array<vec4u, SIZE>;

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
  @builtin(subgroup_id) subgroup: u32,
) {
  let rowTile = group.z * groups.y + group.y;
  if (rowTile >= params.rowTiles) { return; }
  let rows = params.batch * params.outH * params.outW;
  let inC8 = params.inC / 8u;
  let outC8 = params.outC / 8u;
  let part = group.x / params.columnTiles;
  let row0 = rowTile * BM;
  let col0 = group.x % params.columnTiles * BN8;
  let channel0 = part * params.channelsPerPart / 8u;
  let channelEnd = min(channel0 + params.channelsPerPart / 8u, inC8);

  // Upper left tap and image of the rows this thread brings; rows past the end repeat the last one and are not stored.
  var top: array<i32, X_LOADS>;
  var left: array<i32, X_LOADS>;
  var image: array<u32, X_LOADS>;
  for (var l = 0u; l < X_LOADS; l++) {
    let m = min(row0 + (thread + l * THREADS) / DEPTH8, rows - 1u);
    let pixel = m / params.batch;
    top[l] = i32(pixel / params.outW * params.strideH) - params.padTop;
    left[l] = i32(pixel % params.outW * params.strideW) - params.padLeft;
    image[l] = (m % params.batch) * params.inH * params.inW;
  }

  let firstPixel = row0 / params.batch;
  let lastPixel = (min(row0 + BM, rows) - 1u) / params.batch;
  var tile = Bounds(firstPixel / params.outW, lastPixel / params.outW, 0u, params.outW - 1u);
  if (tile.firstY == tile.lastY) {
    tile.firstX = firstPixel % params.outW;
    tile.lastX = lastPixel % params.outW;
  }

  // Bounded by % so that Tint can prove what is loaded to lie in `tiles`: its checks would make strides unknown to drivers.
  let rowPart = subgroup / COLS % ROWS;
  let colPart = subgroup % COLS;
  let taps = params.kH * params.kW;
  var acc: array<Result, TM * TN>;
  var base: array<u32, X_LOADS>;
  var inside: array<bool, X_LOADS>;
  var tap = nextTap(0u, tile);
  var channel = channel0;
  var xNext: array<vec4u, X_LOADS>;
  var wNext: array<vec4u, W_LOADS>;
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
          base[l] = select(0u, (image[l] + u32(iy) * params.inW + u32(ix)) * inC8, hit);
        }
      }
      for (var l = 0u; l < X_LOADS; l++) {
        let c = channel + (thread + l * THREADS) % DEPTH8;
        xNext[l] = vec4u(0u);
        if (inside[l] && c < channelEnd) { xNext[l] = x[base[l] + c]; }
      }
      for (var l = 0u; l < W_LOADS; l++) {
        let e = thread + l * THREADS;
        let c = channel * 8u + e / BN8;
        wNext[l] = vec4u(0u);
        if (c < channelEnd * 8u) { wNext[l] = w[(tap * params.inC + c) * outC8 + min(col0 + e % BN8, outC8 - 1u)]; }
      }
    }
    if (turn > 0u) {
      let start = (turn + 1u) % 2u * BUFFER;
      for (var k = 0u; k < DEPTH / K; k++) {
        var b: array<Right, TN>;
        for (var j = 0u; j < TN; j++) {
          let at = start + W_START + k * K * W_PITCH + (colPart * TN + j) * (N / 8u);
          b[j] = subgroupMatrixLoad<Right, row_major>(&tiles, at, W_PITCH);
        }
        for (var i = 0u; i < TM; i++) {
          let at = start + (rowPart * TM + i) * M * X_PITCH + k * (K / 8u);
          let a = subgroupMatrixLoad<Left, row_major>(&tiles, at, X_PITCH);
          for (var j = 0u; j < TN; j++) {
            acc[i * TN + j] = subgroupMatrixMultiplyAccumulate(a, b[j], acc[i * TN + j]);
          }
        }
      }
    }
    if (!more) { break; }
    let here = turn % 2u * BUFFER;
    for (var l = 0u; l < X_LOADS; l++) {
      let e = thread + l * THREADS;
      if (X_ITEMS % THREADS == 0u || e < X_ITEMS) { tiles[here + e / DEPTH8 * X_PITCH + e % DEPTH8] = xNext[l]; }
    }
    for (var l = 0u; l < W_LOADS; l++) {
      let e = thread + l * THREADS;
      if (W_ITEMS % THREADS == 0u || e < W_ITEMS) { tiles[here + W_START + e / BN8 * W_PITCH + e % BN8] = wNext[l]; }
    }
    workgroupBarrier();
    turn++;
    channel += DEPTH8;
    if (channel >= channelEnd) {
      channel = channel0;
      tap = nextTap(tap + 1u, tile);
    }
  }

  // Through workgroup memory, M rows of every subgroup at a time: where the lanes hold a result is the device's secret.
  for (var i = 0u; i < TM; i++) {
    workgroupBarrier();
    for (var j = 0u; j < TN; j++) {
      let to = rowPart * M * Y_PITCH + (colPart * TN + j) * (N / 4u);
      subgroupMatrixStore<row_major>(&tiles, to, acc[i * TN + j], Y_PITCH);
    }
    workgroupBarrier();
    for (var l = 0u; l < Y_STORES; l++) {
      let e = thread + l * THREADS;
      let r = e / BN8;
      let m = row0 + (r / M * TM + i) * M + r % M;
      let col = col0 + e % BN8;
      if ((Y_ITEMS % THREADS == 0u || e < Y_ITEMS) && m < rows && col < outC8) {
        let pixel = m / params.batch;
        let out = ((m % params.batch) * params.outH * params.outW + pixel) * outC8 + col;
        var low = bitcast<vec4f>(tiles[r * Y_PITCH + 2u * (e % BN8)]);
        var high = bitcast<vec4f>(tiles[r * Y_PITCH + 2u * (e % BN8) + 1u]);
        if (PARTIAL) {
          y[2u * (part * rows * outC8 + out)] = bitcast<vec4u>(low);
          y[2u * (part * rows * outC8 + out) + 1u] = bitcast<vec4u>(high);
        } else {
          if (params.hasBias != 0u) {
            low += bias[2u * col];
            high += bias[2u * col + 1u];
          }
          if (params.hasResidual != 0u) {
            let more = residual[out];
            low += vec4f(bitcast<vec4h>(more.xy));
            high += vec4f(bitcast<vec4h>(more.zw));
          }
          if (params.relu != 0u) { // a NaN stays one
            low = select(low, vec4f(0.0), low < vec4f(0.0));
            high = select(high, vec4f(0.0), high < vec4f(0.0));
          }
          y[out] = vec4u(bitcast<vec2u>(vec4h(low)), bitcast<vec2u>(vec4h(high)));
        }
      }
    }
  }
}

// Gradient of a convolution with respect to its input as in conv2d-backward-input.wgsl, on the device's matrix units
// (see conv2d-matrix.wgsl): dy, w and dx are stored in float16, sums are float32. Both operands lie along co, so both tiles
// hold vectors of output channels, and the filter's tile is loaded as a matrix whose columns lie one after another.
// Needs inC and outC to be multiples of 8.
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
const BN = COLS * TN * N;
const BN8 = BN / 8u;
const DEPTH8 = DEPTH / 8u;
const PITCH = DEPTH8 + 1u;
const DX_PITCH = 2u * BN8 + 1u;
const W_START = BM * PITCH;
const BUFFER = W_START + BN * PITCH;
const SIZE = max(2u * BUFFER, ROWS * M * DX_PITCH);
const DY_ITEMS = BM * DEPTH8;
const W_ITEMS = BN * DEPTH8;
const DX_ITEMS = ROWS * M * BN8;
const DY_LOADS = (DY_ITEMS + THREADS - 1u) / THREADS;
const W_LOADS = (W_ITEMS + THREADS - 1u) / THREADS;
const DX_STORES = (DX_ITEMS + THREADS - 1u) / THREADS;

alias Left = subgroup_matrix_left<f16, K, M>;
alias Right = subgroup_matrix_right<f16, N, K>;
alias Result = subgroup_matrix_result<f32, N, M>;

override PARTIAL: bool = false;

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: i32, strideW: i32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  rowTiles: u32, columnTiles: u32,
  channelsPerPart: u32, // a multiple of DEPTH
}

@group(0) @binding(0) var<storage, read> dy: array<Stored8>;
@group(0) @binding(1) var<storage, read> w: array<Stored8>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored8>; // PARTIAL: float32, [part][image][pixel][channel]
@group(0) @binding(3) var<uniform> params: Params;

// Two buffers of [row][channel / 8] of dy and [column][channel / 8] of w; after the sum [row][column / 4] in float32.
var<workgroup> tiles: array<vec4u, SIZE>;

/** Where row m lies: its image, and its pixel (iy, ix), which may lie past the image's end. */
struct Place { image: u32, iy: u32, ix: u32 }

/** spanH and spanW: coarse pixels, one for each stride, the last of which may reach past the image. */
struct Spans { spanH: u32, spanW: u32 }

fn place(m: u32, s: Spans) -> Place {
  let strideH = u32(params.strideH);
  let strideW = u32(params.strideW);
  let pixel = m / params.batch;
  let coarse = pixel % (s.spanH * s.spanW);
  let phase = pixel / (s.spanH * s.spanW);
  return Place(m % params.batch, coarse / s.spanW * strideH + phase / strideW, coarse % s.spanW * strideW + phase % strideW);
}

/** What is the same for the whole tile: its first and last place, whether they share the phase, and the row of pixels. */
struct Bounds { first: Place, last: Place, isOnePhase: bool, isOneRow: bool }

/** The first tap, counted from `start`, that reaches an output from some row of the tile. */
fn nextTap(start: u32, tile: Bounds) -> u32 {
  var tap = start;
  while (tap < params.kH * params.kW) {
    let ky = i32(tap / params.kW * params.dilationH) - params.padTop;
    let kx = i32(tap % params.kW * params.dilationW) - params.padLeft;
    let upper = i32(tile.first.iy) - ky;
    let leftmost = i32(tile.first.ix) - kx;
    let isBetween = upper % params.strideH != 0 || leftmost % params.strideW != 0;
    let isAbove = i32(tile.last.iy) - ky < 0 || upper >= i32(params.outH) * params.strideH;
    let isBeside = i32(tile.last.ix) - kx < 0 || leftmost >= i32(params.outW) * params.strideW;
    let isOutside = tile.isOnePhase && (isBetween || isAbove || (tile.isOneRow && isBeside));
    if (!isOutside) { break; }
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
  let strideH = u32(params.strideH);
  let strideW = u32(params.strideW);
  let spans = Spans((params.inH + strideH - 1u) / strideH, (params.inW + strideW - 1u) / strideW);
  let rows = params.batch * spans.spanH * strideH * spans.spanW * strideW;
  let inC8 = params.inC / 8u;
  let outC8 = params.outC / 8u;
  let part = group.x / params.columnTiles;
  let row0 = rowTile * BM;
  let col0 = group.x % params.columnTiles * BN;
  let channel0 = part * params.channelsPerPart / 8u;
  let channelEnd = min(channel0 + params.channelsPerPart / 8u, outC8);

  // Rows past the end repeat the last one and are not stored.
  var top: array<i32, DY_LOADS>;
  var left: array<i32, DY_LOADS>;
  var image: array<u32, DY_LOADS>;
  for (var l = 0u; l < DY_LOADS; l++) {
    let p = place(min(row0 + (thread + l * THREADS) / DEPTH8, rows - 1u), spans);
    top[l] = i32(p.iy) + params.padTop;
    left[l] = i32(p.ix) + params.padLeft;
    image[l] = p.image * params.outH * params.outW;
  }

  let firstPixel = row0 / params.batch;
  let lastPixel = (min(row0 + BM, rows) - 1u) / params.batch;
  let phasePixels = spans.spanH * spans.spanW;
  let first = place(row0, spans);
  let last = place(lastPixel * params.batch, spans);
  let isOnePhase = firstPixel / phasePixels == lastPixel / phasePixels;
  let tile = Bounds(first, last, isOnePhase, isOnePhase && first.iy == last.iy);

  // Bounded by % so that Tint can prove what is loaded to lie in `tiles`: its checks would make strides unknown to drivers.
  let rowPart = subgroup / COLS % ROWS;
  let colPart = subgroup % COLS;
  let taps = params.kH * params.kW;
  var acc: array<Result, TM * TN>;
  var base: array<u32, DY_LOADS>;
  var inside: array<bool, DY_LOADS>;
  var tap = nextTap(0u, tile);
  var channel = channel0;
  var dyNext: array<vec4u, DY_LOADS>;
  var wNext: array<vec4u, W_LOADS>;
  var turn = 0u; // steps staged so far
  loop {
    let more = tap < taps;
    if (more) {
      if (channel == channel0) {
        for (var l = 0u; l < DY_LOADS; l++) {
          let sy = top[l] - i32(tap / params.kW * params.dilationH);
          let sx = left[l] - i32(tap % params.kW * params.dilationW);
          let oy = sy / params.strideH;
          let ox = sx / params.strideW;
          let hit = sy >= 0 && sx >= 0 && oy * params.strideH == sy && ox * params.strideW == sx
            && oy < i32(params.outH) && ox < i32(params.outW);
          inside[l] = hit;
          base[l] = select(0u, (image[l] + u32(oy) * params.outW + u32(ox)) * outC8, hit);
        }
      }
      for (var l = 0u; l < DY_LOADS; l++) {
        let c = channel + (thread + l * THREADS) % DEPTH8;
        dyNext[l] = vec4u(0u);
        if (inside[l] && c < channelEnd) { dyNext[l] = dy[base[l] + c]; }
      }
      for (var l = 0u; l < W_LOADS; l++) {
        let e = thread + l * THREADS;
        let c = channel + e % DEPTH8;
        let col = min(col0 + e / DEPTH8, params.inC - 1u);
        wNext[l] = vec4u(0u);
        if (c < channelEnd) { wNext[l] = w[(tap * params.inC + col) * outC8 + c]; }
      }
    }
    if (turn > 0u) {
      let start = (turn + 1u) % 2u * BUFFER;
      for (var k = 0u; k < DEPTH / K; k++) {
        var b: array<Right, TN>;
        for (var j = 0u; j < TN; j++) {
          let at = start + W_START + (colPart * TN + j) * N * PITCH + k * (K / 8u);
          b[j] = subgroupMatrixLoad<Right, col_major>(&tiles, at, PITCH);
        }
        for (var i = 0u; i < TM; i++) {
          let at = start + (rowPart * TM + i) * M * PITCH + k * (K / 8u);
          let a = subgroupMatrixLoad<Left, row_major>(&tiles, at, PITCH);
          for (var j = 0u; j < TN; j++) {
            acc[i * TN + j] = subgroupMatrixMultiplyAccumulate(a, b[j], acc[i * TN + j]);
          }
        }
      }
    }
    if (!more) { break; }
    let here = turn % 2u * BUFFER;
    for (var l = 0u; l < DY_LOADS; l++) {
      let e = thread + l * THREADS;
      if (DY_ITEMS % THREADS == 0u || e < DY_ITEMS) { tiles[here + e / DEPTH8 * PITCH + e % DEPTH8] = dyNext[l]; }
    }
    for (var l = 0u; l < W_LOADS; l++) {
      let e = thread + l * THREADS;
      if (W_ITEMS % THREADS == 0u || e < W_ITEMS) { tiles[here + W_START + e / DEPTH8 * PITCH + e % DEPTH8] = wNext[l]; }
    }
    workgroupBarrier();
    turn++;
    channel += DEPTH8;
    if (channel >= channelEnd) {
      channel = channel0;
      tap = nextTap(tap + 1u, tile);
    }
  }

  for (var i = 0u; i < TM; i++) {
    workgroupBarrier();
    for (var j = 0u; j < TN; j++) {
      let at = rowPart * M * DX_PITCH + (colPart * TN + j) * (N / 4u);
      subgroupMatrixStore<row_major>(&tiles, at, acc[i * TN + j], DX_PITCH);
    }
    workgroupBarrier();
    for (var l = 0u; l < DX_STORES; l++) {
      let e = thread + l * THREADS;
      let r = e / BN8;
      let m = row0 + (r / M * TM + i) * M + r % M;
      let col = col0 / 8u + e % BN8;
      if ((DX_ITEMS % THREADS == 0u || e < DX_ITEMS) && m < rows && col < inC8) {
        let p = place(m, spans);
        if (p.iy < params.inH && p.ix < params.inW) {
          let out = ((p.image * params.inH + p.iy) * params.inW + p.ix) * inC8 + col;
          let low = tiles[r * DX_PITCH + 2u * (e % BN8)];
          let high = tiles[r * DX_PITCH + 2u * (e % BN8) + 1u];
          if (PARTIAL) {
            let start = part * params.batch * params.inH * params.inW * inC8;
            dx[2u * (start + out)] = low;
            dx[2u * (start + out) + 1u] = high;
          } else {
            dx[out] = vec4u(bitcast<vec2u>(vec4h(bitcast<vec4f>(low))), bitcast<vec2u>(vec4h(bitcast<vec4f>(high))));
          }
        }
      }
    }
  }
}

// Gradient of a convolution with respect to its input as in conv2d-backward-input.wgsl, staged through workgroup memory
// (see conv2d-staged.wgsl). Both operands lie along co, so both tiles hold vectors of four output channels. Where few tiles
// make the grid, parts of the output channels are summed apart and added up by sum-parts.wgsl.
// Needs outC to be a multiple of 4.

alias Stored = f32; // @stored
alias Stored4 = vec4f; // @stored

const TM: u32 = 8u;    // @tune rows of one thread
const TN: u32 = 8u;    // @tune columns of one thread
const COLS: u32 = 8u;  // @tune threads along the columns
const ROWS: u32 = 16u; // @tune threads along the rows
const DEPTH: u32 = 16u;  // @tune channels staged at a time, a multiple of 4
const BUFFERS: u32 = 1u; // @tune tiles of either operand in workgroup memory, 1 or 2
const THREADS = COLS * ROWS;
const BM = TM * ROWS;
const BN = TN * COLS;
const DEPTH4 = DEPTH / 4u;
const PITCH = DEPTH4 + 1u;
const DY_SIZE = BM * PITCH;
const W_SIZE = BN * PITCH;
const DY_ITEMS = BM * DEPTH4;
const W_ITEMS = BN * DEPTH4;
const DY_LOADS = (DY_ITEMS + THREADS - 1u) / THREADS;
const W_LOADS = (W_ITEMS + THREADS - 1u) / THREADS;

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

@group(0) @binding(0) var<storage, read> dy: array<Stored4>;
@group(0) @binding(1) var<storage, read> w: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored>; // [part][image][pixel][channel]
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> dyTile: array<vec4f, BUFFERS * DY_SIZE>; // [row][channel / 4]
var<workgroup> wTile: array<vec4f, BUFFERS * W_SIZE>;   // [column][channel / 4]

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
) {
  let rowTile = group.z * groups.y + group.y;
  if (rowTile >= params.rowTiles) { return; }
  let strideH = u32(params.strideH);
  let strideW = u32(params.strideW);
  let spans = Spans((params.inH + strideH - 1u) / strideH, (params.inW + strideW - 1u) / strideW);
  let rows = params.batch * spans.spanH * strideH * spans.spanW * strideW;
  let outC4 = params.outC / 4u;
  let part = group.x / params.columnTiles;
  let row0 = rowTile * BM;
  let col0 = group.x % params.columnTiles * BN;
  let channel0 = part * params.channelsPerPart / 4u;
  let channelEnd = min(channel0 + params.channelsPerPart / 4u, outC4);

  // Rows past the end repeat the last one and are not stored.
  var top: array<i32, DY_LOADS>;
  var left: array<i32, DY_LOADS>;
  var image: array<u32, DY_LOADS>;
  for (var l = 0u; l < DY_LOADS; l++) {
    let p = place(min(row0 + (thread + l * THREADS) / DEPTH4, rows - 1u), spans);
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

  let rowThread = thread / COLS;
  let colThread = thread % COLS;
  let taps = params.kH * params.kW;
  var acc: array<f32, TM * TN>;
  var base: array<u32, DY_LOADS>;
  var inside: array<bool, DY_LOADS>;
  var tap = nextTap(0u, tile);
  var channel = channel0;
  var dyNext: array<Stored4, DY_LOADS>;
  var wNext: array<Stored4, W_LOADS>;
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
          base[l] = select(0u, (image[l] + u32(oy) * params.outW + u32(ox)) * outC4, hit);
        }
      }
      for (var l = 0u; l < DY_LOADS; l++) {
        let c = channel + (thread + l * THREADS) % DEPTH4;
        dyNext[l] = Stored4();
        if (inside[l] && c < channelEnd) { dyNext[l] = dy[base[l] + c]; }
      }
      for (var l = 0u; l < W_LOADS; l++) {
        let e = thread + l * THREADS;
        let c = channel + e % DEPTH4;
        let col = min(col0 + e / DEPTH4, params.inC - 1u);
        wNext[l] = Stored4();
        if (c < channelEnd) { wNext[l] = w[(tap * params.inC + col) * outC4 + c]; }
      }
    }
    if (turn > 0u) {
      let dyAt = (turn + 1u) % BUFFERS * DY_SIZE;
      let wAt = (turn + 1u) % BUFFERS * W_SIZE;
      for (var k = 0u; k < DEPTH4; k++) {
        var a: array<vec4f, TM>;
        for (var i = 0u; i < TM; i++) { a[i] = dyTile[dyAt + (rowThread + i * ROWS) * PITCH + k]; }
        for (var j = 0u; j < TN; j++) {
          let b = wTile[wAt + (colThread + j * COLS) * PITCH + k];
          for (var i = 0u; i < TM; i++) {
            let partial = fma(a[i].y, b.y, fma(a[i].x, b.x, acc[i * TN + j]));
            acc[i * TN + j] = fma(a[i].w, b.w, fma(a[i].z, b.z, partial));
          }
        }
      }
    }
    if (!more) { break; }
    if (BUFFERS == 1u) { workgroupBarrier(); }
    for (var l = 0u; l < DY_LOADS; l++) {
      let e = thread + l * THREADS;
      if (DY_ITEMS % THREADS == 0u || e < DY_ITEMS) {
        dyTile[turn % BUFFERS * DY_SIZE + e / DEPTH4 * PITCH + e % DEPTH4] = vec4f(dyNext[l]);
      }
    }
    for (var l = 0u; l < W_LOADS; l++) {
      let e = thread + l * THREADS;
      if (W_ITEMS % THREADS == 0u || e < W_ITEMS) {
        wTile[turn % BUFFERS * W_SIZE + e / DEPTH4 * PITCH + e % DEPTH4] = vec4f(wNext[l]);
      }
    }
    workgroupBarrier();
    turn++;
    channel += DEPTH4;
    if (channel >= channelEnd) {
      channel = channel0;
      tap = nextTap(tap + 1u, tile);
    }
  }

  let start = part * params.batch * params.inH * params.inW;
  for (var i = 0u; i < TM; i++) {
    let m = row0 + rowThread + i * ROWS;
    let p = place(m, spans);
    if (m < rows && p.iy < params.inH && p.ix < params.inW) {
      let out = (start + (p.image * params.inH + p.iy) * params.inW + p.ix) * params.inC;
      for (var j = 0u; j < TN; j++) {
        let col = col0 + colThread + j * COLS;
        if (col < params.inC) { dx[out + col] = Stored(acc[i * TN + j]); }
      }
    }
  }
}

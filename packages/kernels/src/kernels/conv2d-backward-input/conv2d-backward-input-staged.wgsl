// Gradient of a convolution with respect to its input as in conv2d-backward-input.wgsl, staged through workgroup memory
// (see conv2d-staged.wgsl). Both operands lie along co, so both tiles hold vectors of four output channels; a row of the
// filter's tile has one vector more than it needs, so that neighbouring columns lie in different banks.
// Needs outC to be a multiple of 4.

alias Stored = f32; // @stored
alias Stored4 = vec4f; // @stored

const TM: u32 = 8u;    // @tune rows of one thread
const TN: u32 = 8u;    // @tune columns of one thread
const COLS: u32 = 16u; // @tune threads along the columns
const ROWS: u32 = 16u; // @tune threads along the rows
const DEPTH: u32 = 16u; // @tune channels staged at a time, a multiple of 4
const THREADS = COLS * ROWS;
const BM = TM * ROWS;
const BN = TN * COLS;
const DEPTH4 = DEPTH / 4u;
const PITCH4 = DEPTH4 + 1u;
const DY_SIZE = BM * DEPTH4;
const W_SIZE = BN * DEPTH4;
const DY_LOADS = (DY_SIZE + THREADS - 1u) / THREADS;
const W_LOADS = (W_SIZE + THREADS - 1u) / THREADS;

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: i32, strideW: i32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  rowTiles: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<Stored4>;
@group(0) @binding(1) var<storage, read> w: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> dyTile: array<vec4f, DY_SIZE>;    // [row][channel / 4]
var<workgroup> wTile: array<vec4f, BN * PITCH4>; // [column][channel / 4]

/** Where row m lies: its image, and its pixel (iy, ix), which may lie past the image's end. */
struct Place { image: u32, iy: u32, ix: u32 }

fn place(m: u32, spanH: u32, spanW: u32) -> Place {
  let strideH = u32(params.strideH);
  let strideW = u32(params.strideW);
  let pixel = m / params.batch;
  let coarse = pixel % (spanH * spanW);
  let phase = pixel / (spanH * spanW);
  return Place(m % params.batch, coarse / spanW * strideH + phase / strideW, coarse % spanW * strideW + phase % strideW);
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
  let spanH = (params.inH + strideH - 1u) / strideH;
  let spanW = (params.inW + strideW - 1u) / strideW;
  let rows = params.batch * spanH * strideH * spanW * strideW;
  let outC4 = params.outC / 4u;
  let row0 = rowTile * BM;
  let col0 = group.x * BN;

  var top: array<i32, DY_LOADS>;
  var left: array<i32, DY_LOADS>;
  var image: array<u32, DY_LOADS>;
  for (var l = 0u; l < DY_LOADS; l++) {
    let p = place(min(row0 + (thread + l * THREADS) / DEPTH4, rows - 1u), spanH, spanW);
    top[l] = i32(p.iy) + params.padTop;
    left[l] = i32(p.ix) + params.padLeft;
    image[l] = p.image * params.outH * params.outW;
  }

  // Taps are skipped for the whole workgroup by what is the same for it: the phase, and the rows of pixels it covers.
  let firstPixel = row0 / params.batch;
  let lastPixel = (min(row0 + BM, rows) - 1u) / params.batch;
  let isOnePhase = firstPixel / (spanH * spanW) == lastPixel / (spanH * spanW);
  let first = place(row0, spanH, spanW);
  let last = place(lastPixel * params.batch, spanH, spanW);
  let isOneRow = isOnePhase && first.iy == last.iy;

  let rowThread = thread / COLS;
  let colThread = thread % COLS;
  var acc: array<f32, TM * TN>;
  for (var ky = 0u; ky < params.kH; ky++) {
    let upper = i32(first.iy) + params.padTop - i32(ky * params.dilationH);
    let lower = i32(last.iy) + params.padTop - i32(ky * params.dilationH);
    if (isOnePhase && (upper % params.strideH != 0 || lower < 0 || upper >= i32(params.outH) * params.strideH)) { continue; }
    for (var kx = 0u; kx < params.kW; kx++) {
      let leftmost = i32(first.ix) + params.padLeft - i32(kx * params.dilationW);
      let rightmost = i32(last.ix) + params.padLeft - i32(kx * params.dilationW);
      if (isOnePhase && leftmost % params.strideW != 0) { continue; }
      if (isOneRow && (rightmost < 0 || leftmost >= i32(params.outW) * params.strideW)) { continue; }
      var at: array<u32, DY_LOADS>;
      var inside: array<bool, DY_LOADS>;
      for (var l = 0u; l < DY_LOADS; l++) {
        let sy = top[l] - i32(ky * params.dilationH);
        let sx = left[l] - i32(kx * params.dilationW);
        let oy = sy / params.strideH;
        let ox = sx / params.strideW;
        let hit = sy >= 0 && sx >= 0 && oy * params.strideH == sy && ox * params.strideW == sx
          && oy < i32(params.outH) && ox < i32(params.outW);
        inside[l] = hit;
        at[l] = select(0u, (image[l] + u32(oy) * params.outW + u32(ox)) * outC4, hit);
      }
      let tap = (ky * params.kW + kx) * params.inC;
      for (var channel4 = 0u; channel4 < outC4; channel4 += DEPTH4) {
        for (var l = 0u; l < DY_LOADS; l++) {
          let e = thread + l * THREADS;
          if (e < DY_SIZE) {
            let c = channel4 + e % DEPTH4;
            dyTile[e] = select(vec4f(0.0), vec4f(dy[at[l] + min(c, outC4 - 1u)]), inside[l] && c < outC4);
          }
        }
        for (var l = 0u; l < W_LOADS; l++) {
          let e = thread + l * THREADS;
          if (e < W_SIZE) {
            let col = e / DEPTH4;
            let c = channel4 + e % DEPTH4;
            let at = (tap + min(col0 + col, params.inC - 1u)) * outC4 + min(c, outC4 - 1u);
            wTile[col * PITCH4 + e % DEPTH4] = vec4f(w[at]);
          }
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH4; k++) {
          var a: array<vec4f, TM>;
          for (var i = 0u; i < TM; i++) { a[i] = dyTile[(rowThread + i * ROWS) * DEPTH4 + k]; }
          for (var j = 0u; j < TN; j++) {
            let b = wTile[(colThread + j * COLS) * PITCH4 + k];
            for (var i = 0u; i < TM; i++) {
              let partial = fma(a[i].y, b.y, fma(a[i].x, b.x, acc[i * TN + j]));
              acc[i * TN + j] = fma(a[i].w, b.w, fma(a[i].z, b.z, partial));
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
    let p = place(m, spanH, spanW);
    if (p.iy >= params.inH || p.ix >= params.inW) { continue; }
    let out = ((p.image * params.inH + p.iy) * params.inW + p.ix) * params.inC;
    for (var j = 0u; j < TN; j++) {
      let col = col0 + colThread + j * COLS;
      if (col >= params.inC) { break; }
      dx[out + col] = Stored(acc[i * TN + j]);
    }
  }
}

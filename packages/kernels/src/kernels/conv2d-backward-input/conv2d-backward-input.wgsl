// Gradient of a convolution with respect to its input, NHWC, as an implicit GEMM:
//   dx[n, iy, ix, ci] = sum over (ky, kx, co) of dy[n, oy, ox, co] * w[ky, kx, ci, co]
//   with oy*strideH = iy + padTop - ky*dilationH and ox*strideW = ix + padLeft - kx*dilationW, both whole and inside.
// Rows run over (iy mod strideH, ix mod strideW, iy, ix, n): pixels of one phase are reached by the same taps, so that a tile
// skips those that contribute nothing to it (all but one in stride^2). With the image innermost its rows share their pixel
// where the batch is large enough, and taps outside the image are skipped, too.

alias Stored = f32; // @stored

const TM: u32 = 8u;   // @tune rows of one thread
const TN: u32 = 4u;   // @tune columns of one thread
const COLS: u32 = 16u; // @tune threads along the columns
const ROWS: u32 = 4u; // @tune threads along the rows
const BM = TM * ROWS;
const BN = TN * COLS;
const NOWHERE = 0xffffffffu;

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: i32, strideW: i32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  rowTiles: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<Stored>;
@group(0) @binding(1) var<storage, read> w: array<Stored>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(COLS * ROWS)
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
  var rowThread = 0u;
  if (ROWS > 1u) { rowThread = thread / COLS; }
  let row0 = rowTile * BM + rowThread * TM;
  let col0 = group.x * BN + thread % COLS;

  var top: array<i32, TM>;
  var left: array<i32, TM>;
  var image: array<u32, TM>;
  var home: array<u32, TM>; // where the row is stored; NOWHERE past the image's end
  for (var i = 0u; i < TM; i++) {
    let m = row0 + i;
    let n = m % params.batch;
    let place = m / params.batch % (spanH * spanW);
    let phase = m / params.batch / (spanH * spanW);
    let iy = place / spanW * strideH + phase / strideW;
    let ix = place % spanW * strideW + phase % strideW;
    top[i] = i32(iy) + params.padTop;
    left[i] = i32(ix) + params.padLeft;
    image[i] = n * params.outH * params.outW;
    let isInside = m < rows && iy < params.inH && ix < params.inW;
    home[i] = select(NOWHERE, ((n * params.inH + iy) * params.inW + ix) * params.inC, isInside);
  }
  var col: array<u32, TN>;
  for (var j = 0u; j < TN; j++) { col[j] = min(col0 + j * COLS, params.inC - 1u) * params.outC; }

  var acc: array<f32, TM * TN>;
  for (var ky = 0u; ky < params.kH; ky++) {
    for (var kx = 0u; kx < params.kW; kx++) {
      var at: array<u32, TM>;
      var inside: array<bool, TM>;
      var any = false;
      for (var i = 0u; i < TM; i++) {
        let sy = top[i] - i32(ky * params.dilationH);
        let sx = left[i] - i32(kx * params.dilationW);
        let oy = sy / params.strideH;
        let ox = sx / params.strideW;
        let hit = home[i] != NOWHERE && sy >= 0 && sx >= 0 && oy * params.strideH == sy && ox * params.strideW == sx
          && oy < i32(params.outH) && ox < i32(params.outW);
        any = any || hit;
        inside[i] = hit;
        at[i] = select(0u, (image[i] + u32(oy) * params.outW + u32(ox)) * params.outC, hit);
      }
      if (!any) { continue; }
      let tap = (ky * params.kW + kx) * params.inC * params.outC;
      for (var co = 0u; co < params.outC; co++) {
        var b: array<f32, TN>;
        for (var j = 0u; j < TN; j++) { b[j] = f32(w[tap + col[j] + co]); }
        for (var i = 0u; i < TM; i++) {
          let a = select(0.0, f32(dy[at[i] + co]), inside[i]);
          for (var j = 0u; j < TN; j++) { acc[i * TN + j] = fma(a, b[j], acc[i * TN + j]); }
        }
      }
    }
  }

  for (var i = 0u; i < TM; i++) {
    if (home[i] == NOWHERE) { continue; }
    let out = home[i] + col0;
    for (var j = 0u; j < TN; j++) {
      if (col0 + j * COLS >= params.inC) { break; }
      dx[out + j * COLS] = Stored(acc[i * TN + j]);
    }
  }
}

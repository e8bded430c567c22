// Gradient of a convolution with respect to its filter, HWIO, as an implicit GEMM with split K:
//   dw[part, r, co] = sum over the part's (n, oy, ox) of
//     x[n, oy*strideH + ky*dilationH - padTop, ox*strideW + kx*dilationW - padLeft, ci] * dy[n, oy, ox, co]
// Rows r run over (ky, kx, ci). The depth runs over output pixels, and over the images of each pixel: a pixel whose tap
// falls outside the image for every row of the thread is skipped for the whole batch. With several parts a second
// kernel adds them up.

alias Stored = f32; // @stored

const TM: u32 = 8u;   // @tune rows of one thread
const TN: u32 = 4u;   // @tune columns of one thread
const COLS: u32 = 16u; // @tune threads along the columns
const ROWS: u32 = 4u; // @tune threads along the rows
const BM = TM * ROWS;
const BN = TN * COLS;

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: u32, strideW: u32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  depthPerPart: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> dy: array<Stored>;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(COLS * ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let rows = params.kH * params.kW * params.inC;
  var rowThread = 0u;
  if (ROWS > 1u) { rowThread = thread / COLS; }
  let row0 = group.y * BM + rowThread * TM;
  let col0 = group.x * BN + thread % COLS;

  // Offset of each row's tap in the input; rows past the end repeat the last one and are not stored.
  var tapY: array<i32, TM>;
  var tapX: array<i32, TM>;
  var channel: array<u32, TM>;
  for (var i = 0u; i < TM; i++) {
    let r = min(row0 + i, rows - 1u);
    let tap = r / params.inC;
    tapY[i] = i32(tap / params.kW * params.dilationH) - params.padTop;
    tapX[i] = i32(tap % params.kW * params.dilationW) - params.padLeft;
    channel[i] = r % params.inC;
  }
  var col: array<u32, TN>;
  for (var j = 0u; j < TN; j++) { col[j] = min(col0 + j * COLS, params.outC - 1u); }

  // Depth index d = pixel * batch + image.
  let pixels = params.outH * params.outW;
  let depth0 = group.z * params.depthPerPart;
  let depthEnd = min(depth0 + params.depthPerPart, pixels * params.batch);

  var acc: array<f32, TM * TN>;
  var d = depth0;
  while (d < depthEnd) {
    let pixel = d / params.batch;
    let image0 = d % params.batch;
    let images = min(params.batch - image0, depthEnd - d);
    d += images;
    var at: array<u32, TM>;
    var inside: array<bool, TM>;
    var any = false;
    for (var i = 0u; i < TM; i++) {
      let iy = i32(pixel / params.outW * params.strideH) + tapY[i];
      let ix = i32(pixel % params.outW * params.strideW) + tapX[i];
      let hit = iy >= 0 && ix >= 0 && iy < i32(params.inH) && ix < i32(params.inW);
      any = any || hit;
      inside[i] = hit;
      at[i] = select(0u, ((image0 * params.inH + u32(iy)) * params.inW + u32(ix)) * params.inC + channel[i], hit);
    }
    if (!any) { continue; }
    var dyAt = (image0 * pixels + pixel) * params.outC;
    var shift = 0u;
    for (var n = 0u; n < images; n++) {
      var b: array<f32, TN>;
      for (var j = 0u; j < TN; j++) { b[j] = f32(dy[dyAt + col[j]]); }
      for (var i = 0u; i < TM; i++) {
        let a = select(0.0, f32(x[at[i] + shift]), inside[i]);
        for (var j = 0u; j < TN; j++) { acc[i * TN + j] = fma(a, b[j], acc[i * TN + j]); }
      }
      shift += params.inH * params.inW * params.inC;
      dyAt += pixels * params.outC;
    }
  }

  for (var i = 0u; i < TM; i++) {
    if (row0 + i >= rows) { break; }
    let out = (group.z * rows + row0 + i) * params.outC;
    for (var j = 0u; j < TN; j++) {
      if (col0 + j * COLS >= params.outC) { break; }
      parts[out + col[j]] = acc[i * TN + j];
    }
  }
}

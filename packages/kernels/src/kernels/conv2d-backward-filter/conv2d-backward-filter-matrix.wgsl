// Gradient of a convolution with respect to its filter as in conv2d-backward-filter.wgsl, on the device's matrix units
// (see conv2d-matrix.wgsl): x and dy are stored in float16, dw and its sums are float32. Both operands lie across the depth
// (pixel, image), x along the rows and dy along the columns; x's tile is loaded as a matrix whose columns lie one after
// another. Places whose taps all fall outside the image are skipped where the whole workgroup works on one tap.
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
const DEPTH: u32 = 16u; // @tune places of the depth staged at a time, a multiple of K
const THREADS = ROWS * COLS * LANES;
const BM8 = ROWS * TM * M / 8u;
const BN8 = COLS * TN * N / 8u;
const X_PITCH = BM8 + 1u;
const DY_PITCH = BN8 + 1u;
const DW_PITCH = 2u * BN8 + 1u;
const DY_START = DEPTH * X_PITCH;
const BUFFER = DY_START + DEPTH * DY_PITCH;
const SIZE = max(2u * BUFFER, ROWS * M * DW_PITCH);
const X_ITEMS = DEPTH * BM8;
const DY_ITEMS = DEPTH * BN8;
const DW_ITEMS = ROWS * M * BN8;
const X_LOADS = (X_ITEMS + THREADS - 1u) / THREADS;
const DY_LOADS = (DY_ITEMS + THREADS - 1u) / THREADS;
const DW_STORES = (DW_ITEMS + THREADS - 1u) / THREADS;

alias Left = subgroup_matrix_left<f16, K, M>;
alias Right = subgroup_matrix_right<f16, N, K>;
alias Result = subgroup_matrix_result<f32, N, M>;

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: u32, strideW: u32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  depthPerPart: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored8>;
@group(0) @binding(1) var<storage, read> dy: array<Stored8>;
@group(0) @binding(2) var<storage, read_write> parts: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// Two buffers of [place][row / 8] of x and [place][column / 8] of dy; after the sum [row][column / 4] in float32.
var<workgroup> tiles: array<vec4u, SIZE>;

/** A place of the depth: an output pixel and an image. */
struct Place { image: u32, oy: u32, ox: u32 }

/** The place `offset` further, without a division where the batch is as large as a step. */
fn advance(p: Place, offset: u32) -> Place {
  let image = p.image + offset;
  var pixels = select(0u, 1u, image >= params.batch);
  if (params.batch < DEPTH) { pixels = image / params.batch; }
  let ox = p.ox + pixels;
  if (ox < params.outW) { return Place(image - pixels * params.batch, p.oy, ox); }
  return Place(image - pixels * params.batch, p.oy + ox / params.outW, ox % params.outW);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
) {
  let inC8 = params.inC / 8u;
  let outC8 = params.outC / 8u;
  let rows8 = params.kH * params.kW * inC8;
  let row0 = group.y * BM8;
  let col0 = group.x * BN8;

  // Tap and channel of the rows this thread brings; rows past the end repeat the last one and are not stored.
  var tapY: array<i32, X_LOADS>;
  var tapX: array<i32, X_LOADS>;
  var channel: array<u32, X_LOADS>;
  for (var l = 0u; l < X_LOADS; l++) {
    let r = min(row0 + (thread + l * THREADS) % BM8, rows8 - 1u);
    let tap = r / inC8;
    tapY[l] = i32(tap / params.kW * params.dilationH) - params.padTop;
    tapX[l] = i32(tap % params.kW * params.dilationW) - params.padLeft;
    channel[l] = r % inC8;
  }
  let firstTap = row0 / inC8;
  let isOneTap = firstTap == (min(row0 + BM8, rows8) - 1u) / inC8;
  let firstTapY = i32(firstTap / params.kW * params.dilationH) - params.padTop;
  let firstTapX = i32(firstTap % params.kW * params.dilationW) - params.padLeft;

  // Depth index d = pixel * batch + image.
  let pixels = params.outH * params.outW;
  let depthEnd = min((group.z + 1u) * params.depthPerPart, pixels * params.batch);
  // Bounded by % so that Tint can prove what is loaded to lie in `tiles`: its checks would make strides unknown to drivers.
  let rowPart = subgroup / COLS % ROWS;
  let colPart = subgroup % COLS;
  var acc: array<Result, TM * TN>;
  var d0 = group.z * params.depthPerPart;
  var step = Place(d0 % params.batch, d0 / params.batch / params.outW, d0 / params.batch % params.outW);
  var xNext: array<vec4u, X_LOADS>;
  var dyNext: array<vec4u, DY_LOADS>;
  var turn = 0u; // steps staged so far
  loop {
    // On to the next places that some row of the tile reads inside the image.
    while (d0 < depthEnd) {
      let isOnePixel = step.image + min(DEPTH, depthEnd - d0) <= params.batch;
      let iy = i32(step.oy * params.strideH) + firstTapY;
      let ix = i32(step.ox * params.strideW) + firstTapX;
      let isInside = iy >= 0 && ix >= 0 && iy < i32(params.inH) && ix < i32(params.inW);
      if (!isOneTap || !isOnePixel || isInside) { break; }
      step = advance(step, DEPTH);
      d0 += DEPTH;
    }
    let more = d0 < depthEnd;
    if (more) {
      for (var l = 0u; l < X_LOADS; l++) {
        let offset = (thread + l * THREADS) / BM8;
        let p = advance(step, offset);
        let iy = i32(p.oy * params.strideH) + tapY[l];
        let ix = i32(p.ox * params.strideW) + tapX[l];
        xNext[l] = vec4u(0u);
        if (d0 + offset < depthEnd && iy >= 0 && ix >= 0 && iy < i32(params.inH) && ix < i32(params.inW)) {
          xNext[l] = x[((p.image * params.inH + u32(iy)) * params.inW + u32(ix)) * inC8 + channel[l]];
        }
      }
      for (var l = 0u; l < DY_LOADS; l++) {
        let offset = (thread + l * THREADS) / BN8;
        let p = advance(step, offset);
        let col = min(col0 + (thread + l * THREADS) % BN8, outC8 - 1u);
        dyNext[l] = vec4u(0u);
        if (d0 + offset < depthEnd) { dyNext[l] = dy[(p.image * pixels + p.oy * params.outW + p.ox) * outC8 + col]; }
      }
    }
    if (turn > 0u) {
      let start = (turn + 1u) % 2u * BUFFER;
      for (var k = 0u; k < DEPTH / K; k++) {
        var b: array<Right, TN>;
        for (var j = 0u; j < TN; j++) {
          let at = start + DY_START + k * K * DY_PITCH + (colPart * TN + j) * (N / 8u);
          b[j] = subgroupMatrixLoad<Right, row_major>(&tiles, at, DY_PITCH);
        }
        for (var i = 0u; i < TM; i++) {
          let at = start + k * K * X_PITCH + (rowPart * TM + i) * (M / 8u);
          let a = subgroupMatrixLoad<Left, col_major>(&tiles, at, X_PITCH);
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
      if (X_ITEMS % THREADS == 0u || e < X_ITEMS) { tiles[here + e / BM8 * X_PITCH + e % BM8] = xNext[l]; }
    }
    for (var l = 0u; l < DY_LOADS; l++) {
      let e = thread + l * THREADS;
      if (DY_ITEMS % THREADS == 0u || e < DY_ITEMS) { tiles[here + DY_START + e / BN8 * DY_PITCH + e % BN8] = dyNext[l]; }
    }
    workgroupBarrier();
    turn++;
    step = advance(step, DEPTH);
    d0 += DEPTH;
  }

  for (var i = 0u; i < TM; i++) {
    workgroupBarrier();
    for (var j = 0u; j < TN; j++) {
      let at = rowPart * M * DW_PITCH + (colPart * TN + j) * (N / 4u);
      subgroupMatrixStore<row_major>(&tiles, at, acc[i * TN + j], DW_PITCH);
    }
    workgroupBarrier();
    for (var l = 0u; l < DW_STORES; l++) {
      let e = thread + l * THREADS;
      let r = e / BN8;
      let row = row0 * 8u + (r / M * TM + i) * M + r % M;
      let col = col0 + e % BN8;
      if ((DW_ITEMS % THREADS == 0u || e < DW_ITEMS) && row < rows8 * 8u && col < outC8) {
        let out = 2u * ((group.z * rows8 * 8u + row) * outC8 + col);
        parts[out] = bitcast<vec4f>(tiles[r * DW_PITCH + 2u * (e % BN8)]);
        parts[out + 1u] = bitcast<vec4f>(tiles[r * DW_PITCH + 2u * (e % BN8) + 1u]);
      }
    }
  }
}

// Gradient of a convolution with respect to its filter as in conv2d-backward-filter.wgsl, staged through workgroup memory
// (see conv2d-staged.wgsl). Both operands lie across the depth (pixel, image), x along the rows and dy along the columns, so
// each tile holds vectors of four of them for DEPTH places of the depth. Places whose taps all fall outside the image are
// skipped where the whole workgroup works on one tap. Needs inC and outC to be multiples of 4.

alias Stored4 = vec4f; // @stored

const TM: u32 = 8u;    // @tune rows of one thread, a multiple of 4
const TN: u32 = 8u;    // @tune columns of one thread, a multiple of 4
const COLS: u32 = 8u;  // @tune threads along the columns
const ROWS: u32 = 16u; // @tune threads along the rows
const DEPTH: u32 = 16u;  // @tune places of the depth staged at a time
const BUFFERS: u32 = 1u; // @tune tiles of either operand in workgroup memory, 1 or 2
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

var<workgroup> xTile: array<vec4f, BUFFERS * X_SIZE>;   // [place][row / 4]
var<workgroup> dyTile: array<vec4f, BUFFERS * DY_SIZE>; // [place][column / 4]

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
) {
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
  let depthEnd = min((group.z + 1u) * params.depthPerPart, pixels * params.batch);
  let rowThread = thread / COLS;
  let colThread = thread % COLS;
  var acc: array<vec4f, TM * TN4>;
  var d0 = group.z * params.depthPerPart;
  var step = Place(d0 % params.batch, d0 / params.batch / params.outW, d0 / params.batch % params.outW);
  var xNext: array<Stored4, X_LOADS>;
  var dyNext: array<Stored4, DY_LOADS>;
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
        let offset = (thread + l * THREADS) / BM4;
        let p = advance(step, offset);
        let iy = i32(p.oy * params.strideH) + tapY[l];
        let ix = i32(p.ox * params.strideW) + tapX[l];
        xNext[l] = Stored4();
        if (d0 + offset < depthEnd && iy >= 0 && ix >= 0 && iy < i32(params.inH) && ix < i32(params.inW)) {
          xNext[l] = x[((p.image * params.inH + u32(iy)) * params.inW + u32(ix)) * inC4 + channel[l]];
        }
      }
      for (var l = 0u; l < DY_LOADS; l++) {
        let offset = (thread + l * THREADS) / BN4;
        let p = advance(step, offset);
        let col = min(col0 + (thread + l * THREADS) % BN4, outC4 - 1u);
        dyNext[l] = Stored4();
        if (d0 + offset < depthEnd) { dyNext[l] = dy[(p.image * pixels + p.oy * params.outW + p.ox) * outC4 + col]; }
      }
    }
    if (turn > 0u) {
      let xAt = (turn + 1u) % BUFFERS * X_SIZE;
      let dyAt = (turn + 1u) % BUFFERS * DY_SIZE;
      for (var k = 0u; k < DEPTH; k++) {
        var b: array<vec4f, TN4>;
        for (var j = 0u; j < TN4; j++) { b[j] = dyTile[dyAt + k * BN4 + colThread + j * COLS]; }
        for (var i = 0u; i < TM4; i++) {
          let a = xTile[xAt + k * BM4 + rowThread + i * ROWS];
          for (var j = 0u; j < TN4; j++) {
            let at = i * 4u * TN4 + j;
            acc[at] = fma(vec4f(a.x), b[j], acc[at]);
            acc[at + TN4] = fma(vec4f(a.y), b[j], acc[at + TN4]);
            acc[at + 2u * TN4] = fma(vec4f(a.z), b[j], acc[at + 2u * TN4]);
            acc[at + 3u * TN4] = fma(vec4f(a.w), b[j], acc[at + 3u * TN4]);
          }
        }
      }
    }
    if (!more) { break; }
    if (BUFFERS == 1u) { workgroupBarrier(); }
    for (var l = 0u; l < X_LOADS; l++) {
      let e = thread + l * THREADS;
      if (X_SIZE % THREADS == 0u || e < X_SIZE) { xTile[turn % BUFFERS * X_SIZE + e] = vec4f(xNext[l]); }
    }
    for (var l = 0u; l < DY_LOADS; l++) {
      let e = thread + l * THREADS;
      if (DY_SIZE % THREADS == 0u || e < DY_SIZE) { dyTile[turn % BUFFERS * DY_SIZE + e] = vec4f(dyNext[l]); }
    }
    workgroupBarrier();
    turn++;
    step = advance(step, DEPTH);
    d0 += DEPTH;
  }

  for (var i = 0u; i < TM4; i++) {
    let row4 = row0 + rowThread + i * ROWS;
    if (row4 < rows4) {
      for (var c = 0u; c < 4u; c++) {
        let out = (group.z * rows4 * 4u + row4 * 4u + c) * outC4;
        for (var j = 0u; j < TN4; j++) {
          let col = col0 + colThread + j * COLS;
          if (col < outC4) { parts[out + col] = acc[(i * 4u + c) * TN4 + j]; }
        }
      }
    }
  }
}

// Forward convolution as in conv2d.wgsl, for devices where loads are dear and subgroups have one known size.
// The subgroup makes TM rows x 4*LANES columns. Each input element is loaded by one lane alone and handed to the
// others by a shuffle, and each lane reads its four columns of the filter in one load: 1 load for 10 multiply-adds
// where plain 8 x 8 registers need 1 for 4. Needs outC to be a multiple of 4.
enable subgroups;
// Every branch around a shuffle is the same for the whole subgroup, by the tile it works on; the analysis cannot know.
diagnostic(off, subgroup_uniformity);

alias Stored = f32; // @stored
alias Stored4 = vec4f; // @stored

const LANES: u32 = 8u; // @tune the device's subgroup size: a workgroup is one subgroup
const TM: u32 = 16u;  // @tune rows of the tile, a multiple of LANES
const HELD = TM / LANES; // rows that one lane loads

struct Params {
  batch: u32, inH: u32, inW: u32, inC: u32,
  outH: u32, outW: u32, outC: u32,
  kH: u32, kW: u32,
  strideH: u32, strideW: u32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
  hasBias: u32, hasResidual: u32, relu: u32, // 1 or 0; no constants, as compiling takes longer than asking
  rowTiles: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> w: array<Stored4>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<Stored4>;
@group(0) @binding(4) var<storage, read_write> y: array<Stored4>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let rowTile = group.z * groups.y + group.y;
  if (rowTile >= params.rowTiles) { return; }
  let rows = params.batch * params.outH * params.outW;
  let outC4 = params.outC / 4u;
  let row0 = rowTile * TM;
  let col = group.x * LANES + lane;
  let readCol = min(col, outC4 - 1u);

  // Upper left tap and image of the rows this lane loads; rows past the end repeat the last one and are not stored.
  var top: array<i32, HELD>;
  var left: array<i32, HELD>;
  var image: array<u32, HELD>;
  for (var h = 0u; h < HELD; h++) {
    let m = min(row0 + h * LANES + lane, rows - 1u);
    let pixel = m / params.batch;
    top[h] = i32(pixel / params.outW * params.strideH) - params.padTop;
    left[h] = i32(pixel % params.outW * params.strideW) - params.padLeft;
    image[h] = (m % params.batch) * params.inH * params.inW;
  }

  var acc: array<vec4f, TM>;
  for (var ky = 0u; ky < params.kH; ky++) {
    for (var kx = 0u; kx < params.kW; kx++) {
      var at: array<u32, HELD>;
      var inside: array<bool, HELD>;
      var any = false;
      for (var h = 0u; h < HELD; h++) {
        let iy = top[h] + i32(ky * params.dilationH);
        let ix = left[h] + i32(kx * params.dilationW);
        let hit = iy >= 0 && iy < i32(params.inH) && ix >= 0 && ix < i32(params.inW);
        any = any || hit;
        inside[h] = hit;
        at[h] = select(0u, (image[h] + u32(iy) * params.inW + u32(ix)) * params.inC, hit);
      }
      if (!subgroupAny(any)) { continue; }
      var k = (ky * params.kW + kx) * params.inC * outC4 + readCol;
      var ci = 0u;
      for (; ci + 4u <= params.inC; ci += 4u) {
        let b0 = vec4f(w[k]);
        let b1 = vec4f(w[k + outC4]);
        let b2 = vec4f(w[k + 2u * outC4]);
        let b3 = vec4f(w[k + 3u * outC4]);
        var a: array<vec4f, HELD>;
        for (var h = 0u; h < HELD; h++) {
          let p = at[h] + ci;
          a[h] = select(vec4f(0.0), vec4f(f32(x[p]), f32(x[p + 1u]), f32(x[p + 2u]), f32(x[p + 3u])), inside[h]);
        }
        for (var i = 0u; i < TM; i++) {
          let ai = subgroupShuffle(a[i / LANES], i % LANES);
          acc[i] = fma(vec4f(ai.w), b3, fma(vec4f(ai.z), b2, fma(vec4f(ai.y), b1, fma(vec4f(ai.x), b0, acc[i]))));
        }
        k += 4u * outC4;
      }
      for (; ci < params.inC; ci++) {
        let b = vec4f(w[k]);
        var a: array<f32, HELD>;
        for (var h = 0u; h < HELD; h++) { a[h] = select(0.0, f32(x[at[h] + ci]), inside[h]); }
        for (var i = 0u; i < TM; i++) {
          acc[i] = fma(vec4f(subgroupShuffle(a[i / LANES], i % LANES)), b, acc[i]);
        }
        k += outC4;
      }
    }
  }

  if (col >= outC4) { return; }

  for (var i = 0u; i < TM; i++) {
    let m = row0 + i;
    if (m >= rows) { break; }
    let pixel = m / params.batch;
    let out = ((m % params.batch) * params.outH * params.outW + pixel) * outC4 + col;
    var v = acc[i];
    if (params.hasBias != 0u) { v += bias[col]; }
    if (params.hasResidual != 0u) { v += vec4f(residual[out]); }
    if (params.relu != 0u) { v = select(v, vec4f(0.0), v < vec4f(0.0)); } // a NaN stays one
    y[out] = Stored4(v);
  }
}

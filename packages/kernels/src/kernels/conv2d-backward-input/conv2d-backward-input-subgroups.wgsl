// Gradient of a convolution with respect to its input as in conv2d-backward-input.wgsl, for devices where loads are dear
// and subgroups have one known size. The subgroup makes TM rows x TN*LANES columns, four output channels at a time;
// each element of dy is loaded by one lane alone and handed to the others by a shuffle. Needs outC to be a multiple of 4.
enable subgroups;
// Every branch around a shuffle is the same for the whole subgroup, by the tile it works on; the analysis cannot know.
diagnostic(off, subgroup_uniformity);

alias Stored = f32; // @stored
alias Stored4 = vec4f; // @stored

const LANES: u32 = 8u; // @tune the device's subgroup size: a workgroup is one subgroup
const TM: u32 = 16u;  // @tune rows of the tile, a multiple of LANES
const TN: u32 = 4u;   // @tune columns of one lane
const HELD = TM / LANES; // rows that one lane loads
const BN = TN * LANES;
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

@group(0) @binding(0) var<storage, read> dy: array<Stored4>;
@group(0) @binding(1) var<storage, read> w: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let rowTile = group.z * groups.y + group.y;
  if (rowTile >= params.rowTiles) { return; }
  let strideH = u32(params.strideH);
  let strideW = u32(params.strideW);
  let spanH = (params.inH + strideH - 1u) / strideH;
  let spanW = (params.inW + strideW - 1u) / strideW;
  let rows = params.batch * spanH * strideH * spanW * strideW;
  let depth = params.outC / 4u;
  let row0 = rowTile * TM;
  let col0 = group.x * BN + lane;

  // Lower right output pixel and image of the rows this lane loads, and where they are stored; NOWHERE past the image's end.
  var top: array<i32, HELD>;
  var left: array<i32, HELD>;
  var image: array<u32, HELD>;
  var home: array<u32, HELD>;
  for (var h = 0u; h < HELD; h++) {
    let m = row0 + h * LANES + lane;
    let n = m % params.batch;
    let place = m / params.batch % (spanH * spanW);
    let phase = m / params.batch / (spanH * spanW);
    let iy = place / spanW * strideH + phase / strideW;
    let ix = place % spanW * strideW + phase % strideW;
    top[h] = i32(iy) + params.padTop;
    left[h] = i32(ix) + params.padLeft;
    image[h] = n * params.outH * params.outW;
    let isInside = m < rows && iy < params.inH && ix < params.inW;
    home[h] = select(NOWHERE, ((n * params.inH + iy) * params.inW + ix) * params.inC, isInside);
  }
  var col: array<u32, TN>;
  for (var j = 0u; j < TN; j++) { col[j] = min(col0 + j * LANES, params.inC - 1u) * depth; }

  var acc: array<f32, TM * TN>;
  for (var ky = 0u; ky < params.kH; ky++) {
    for (var kx = 0u; kx < params.kW; kx++) {
      var at: array<u32, HELD>;
      var inside: array<bool, HELD>;
      var any = false;
      for (var h = 0u; h < HELD; h++) {
        let sy = top[h] - i32(ky * params.dilationH);
        let sx = left[h] - i32(kx * params.dilationW);
        let oy = sy / params.strideH;
        let ox = sx / params.strideW;
        let hit = home[h] != NOWHERE && sy >= 0 && sx >= 0 && oy * params.strideH == sy && ox * params.strideW == sx
          && oy < i32(params.outH) && ox < i32(params.outW);
        any = any || hit;
        inside[h] = hit;
        at[h] = select(0u, (image[h] + u32(oy) * params.outW + u32(ox)) * depth, hit);
      }
      if (!subgroupAny(any)) { continue; }
      let tap = (ky * params.kW + kx) * params.inC * depth;
      for (var k = 0u; k < depth; k++) {
        var b: array<vec4f, TN>;
        for (var j = 0u; j < TN; j++) { b[j] = vec4f(w[tap + col[j] + k]); }
        var a: array<vec4f, HELD>;
        for (var h = 0u; h < HELD; h++) { a[h] = select(vec4f(0.0), vec4f(dy[at[h] + k]), inside[h]); }
        for (var i = 0u; i < TM; i++) {
          let ai = subgroupShuffle(a[i / LANES], i % LANES);
          for (var j = 0u; j < TN; j++) {
            let bj = b[j];
            acc[i * TN + j] = fma(ai.w, bj.w, fma(ai.z, bj.z, fma(ai.y, bj.y, fma(ai.x, bj.x, acc[i * TN + j]))));
          }
        }
      }
    }
  }

  for (var i = 0u; i < TM; i++) {
    let start = subgroupShuffle(home[i / LANES], i % LANES);
    if (start == NOWHERE) { continue; }
    let out = start + col0;
    for (var j = 0u; j < TN; j++) {
      if (col0 + j * LANES >= params.inC) { break; }
      dx[out + j * LANES] = Stored(acc[i * TN + j]);
    }
  }
}

// Gradient of a convolution with respect to its filter as in conv2d-backward-filter.wgsl, for devices where loads are
// dear and subgroups have one known size. The subgroup makes TM rows x 4*LANES columns; each input element is loaded by
// one lane alone and handed to the others by a shuffle. Needs outC to be a multiple of 4.
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
  depthPerPart: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> dy: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> parts: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let rows = params.kH * params.kW * params.inC;
  let outC4 = params.outC / 4u;
  let row0 = group.y * TM;
  let col = group.x * LANES + lane;
  let readCol = min(col, outC4 - 1u);

  // Offset of the tap of the rows this lane loads; rows past the end repeat the last one and are not stored.
  var tapY: array<i32, HELD>;
  var tapX: array<i32, HELD>;
  var channel: array<u32, HELD>;
  for (var h = 0u; h < HELD; h++) {
    let r = min(row0 + h * LANES + lane, rows - 1u);
    let tap = r / params.inC;
    tapY[h] = i32(tap / params.kW * params.dilationH) - params.padTop;
    tapX[h] = i32(tap % params.kW * params.dilationW) - params.padLeft;
    channel[h] = r % params.inC;
  }

  // Depth index d = pixel * batch + image.
  let pixels = params.outH * params.outW;
  let depth0 = group.z * params.depthPerPart;
  let depthEnd = min(depth0 + params.depthPerPart, pixels * params.batch);
  let xStep = params.inH * params.inW * params.inC;
  let dyStep = pixels * outC4;

  var acc: array<vec4f, TM>;
  var d = depth0;
  while (d < depthEnd) {
    let pixel = d / params.batch;
    let image0 = d % params.batch;
    let images = min(params.batch - image0, depthEnd - d);
    d += images;
    var at: array<u32, HELD>;
    var inside: array<bool, HELD>;
    var any = false;
    for (var h = 0u; h < HELD; h++) {
      let iy = i32(pixel / params.outW * params.strideH) + tapY[h];
      let ix = i32(pixel % params.outW * params.strideW) + tapX[h];
      let hit = iy >= 0 && ix >= 0 && iy < i32(params.inH) && ix < i32(params.inW);
      any = any || hit;
      inside[h] = hit;
      at[h] = select(0u, ((image0 * params.inH + u32(iy)) * params.inW + u32(ix)) * params.inC + channel[h], hit);
    }
    if (!subgroupAny(any)) { continue; }
    var dyAt = (image0 * pixels + pixel) * outC4 + readCol;
    var shift = 0u;
    var n = 0u;
    for (; n + 4u <= images; n += 4u) {
      let b0 = vec4f(dy[dyAt]);
      let b1 = vec4f(dy[dyAt + dyStep]);
      let b2 = vec4f(dy[dyAt + 2u * dyStep]);
      let b3 = vec4f(dy[dyAt + 3u * dyStep]);
      var a: array<vec4f, HELD>;
      for (var h = 0u; h < HELD; h++) {
        let p = at[h] + shift;
        let four = vec4f(f32(x[p]), f32(x[p + xStep]), f32(x[p + 2u * xStep]), f32(x[p + 3u * xStep]));
        a[h] = select(vec4f(0.0), four, inside[h]);
      }
      for (var i = 0u; i < TM; i++) {
        let ai = subgroupShuffle(a[i / LANES], i % LANES);
        acc[i] = fma(vec4f(ai.w), b3, fma(vec4f(ai.z), b2, fma(vec4f(ai.y), b1, fma(vec4f(ai.x), b0, acc[i]))));
      }
      shift += 4u * xStep;
      dyAt += 4u * dyStep;
    }
    for (; n < images; n++) {
      let b = vec4f(dy[dyAt]);
      var a: array<f32, HELD>;
      for (var h = 0u; h < HELD; h++) { a[h] = select(0.0, f32(x[at[h] + shift]), inside[h]); }
      for (var i = 0u; i < TM; i++) {
        acc[i] = fma(vec4f(subgroupShuffle(a[i / LANES], i % LANES)), b, acc[i]);
      }
      shift += xStep;
      dyAt += dyStep;
    }
  }

  if (col >= outC4) { return; }
  for (var i = 0u; i < TM; i++) {
    if (row0 + i >= rows) { break; }
    parts[(group.z * rows + row0 + i) * outC4 + col] = acc[i];
  }
}

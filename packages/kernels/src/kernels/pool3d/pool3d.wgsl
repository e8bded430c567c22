// Pooling of volumes (an image is one of depth 1), NDHWC, one thread per element of y: the maximum over a window, the
// average over the part of it that lies in the volume, or the position in its volume of the maximum. Padding never wins, NaN
// neither; where nothing does, the maximum is minus infinity and its position -1.

const THREADS: u32 = 64u; // @tune

// 0 maximum, 1 average, 2 position of the maximum
override OP: u32 = 0u;
// Of equal maxima the last one counts, and not the first.
override LAST: bool = false;

struct Params {
  size: u32, // of y
  batchStep: u32, // added to positions for each volume before
  channels: u32,
  inD: u32, inH: u32, inW: u32,
  outD: u32, outH: u32, outW: u32,
  kD: u32, kH: u32, kW: u32,
  strideD: u32, strideH: u32, strideW: u32,
  dilationD: u32, dilationH: u32, dilationW: u32,
  padFront: i32, padTop: i32, padLeft: i32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= params.size) { return; }
  let c = at % params.channels;
  var rest = at / params.channels;
  let ox = rest % params.outW; rest /= params.outW;
  let oy = rest % params.outH; rest /= params.outH;
  let oz = rest % params.outD;
  let n = rest / params.outD;
  let volume = n * params.inD * params.inH * params.inW * params.channels;
  var best = bitcast<u32>(0.0);
  var position = 0xffffffffu;
  var sum = 0.0;
  var count = 0.0;
  for (var kz = 0u; kz < params.kD; kz++) {
    let iz = i32(oz * params.strideD + kz * params.dilationD) - params.padFront;
    if (iz < 0 || iz >= i32(params.inD)) { continue; }
    for (var ky = 0u; ky < params.kH; ky++) {
      let iy = i32(oy * params.strideH + ky * params.dilationH) - params.padTop;
      if (iy < 0 || iy >= i32(params.inH)) { continue; }
      for (var kx = 0u; kx < params.kW; kx++) {
        let ix = i32(ox * params.strideW + kx * params.dilationW) - params.padLeft;
        if (ix < 0 || ix >= i32(params.inW)) { continue; }
        let place = ((u32(iz) * params.inH + u32(iy)) * params.inW + u32(ix)) * params.channels + c;
        let v = x[volume + place];
        sum += v;
        count += 1.0;
        let isNumber = (bitcast<u32>(v) & 0x7fffffffu) <= 0x7f800000u;
        let largest = bitcast<f32>(best);
        if (isNumber && (position == 0xffffffffu || v > largest || (LAST && v == largest))) {
          best = bitcast<u32>(v);
          position = place;
        }
      }
    }
  }
  if (OP == 1u) { y[at] = bitcast<u32>(sum / max(count, 1.0)); }
  else if (OP == 0u) { y[at] = select(best, 0xff800000u, position == 0xffffffffu); }
  else { y[at] = select(position + n * params.batchStep, position, position == 0xffffffffu); }
}

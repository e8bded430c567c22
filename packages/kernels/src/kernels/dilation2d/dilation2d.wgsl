// Greyscale dilation, NHWC, one thread per element of y: y[n, oy, ox, c] = maximum over (ky, kx) of x[n, iy, ix, c] +
// w[ky, kx, c], or the tap ky * kW + kx of the first maximum. Padding never wins.

const THREADS: u32 = 64u; // @tune

override TAPS: bool = false;

struct Params {
  size: u32, // of y
  channels: u32,
  inH: u32, inW: u32,
  outH: u32, outW: u32,
  kH: u32, kW: u32,
  strideH: u32, strideW: u32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= params.size) { return; }
  let c = at % params.channels;
  let ox = at / params.channels % params.outW;
  let oy = at / params.channels / params.outW % params.outH;
  let n = at / params.channels / params.outW / params.outH;
  var best = 0.0;
  var tap = 0xffffffffu;
  for (var ky = 0u; ky < params.kH; ky++) {
    let iy = i32(oy * params.strideH + ky * params.dilationH) - params.padTop;
    if (iy < 0 || iy >= i32(params.inH)) { continue; }
    for (var kx = 0u; kx < params.kW; kx++) {
      let ix = i32(ox * params.strideW + kx * params.dilationW) - params.padLeft;
      if (ix < 0 || ix >= i32(params.inW)) { continue; }
      let k = ky * params.kW + kx;
      let v = x[((n * params.inH + u32(iy)) * params.inW + u32(ix)) * params.channels + c] + w[k * params.channels + c];
      if (tap == 0xffffffffu || v > best) { best = v; tap = k; }
    }
  }
  if (TAPS) { y[at] = tap; }
  else { y[at] = select(bitcast<u32>(best), 0xff800000u, tap == 0xffffffffu); }
}

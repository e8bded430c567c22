// Grouped convolution of volumes (an image is one of depth 1), NDHWC, one thread per element of y:
//   y[n, oz, oy, ox, o] = act( sum over (kz, ky, kx, i) of x[n, iz, iy, ix, g * perIn + i] * w[kz, ky, kx, i, o] + bias[o] )
// with iz = oz * strideD + kz * dilationD - padFront and so on, and g = o / perOut, the group of o. A depthwise convolution
// is one with a group for each input channel.

const THREADS: u32 = 64u; // @tune

override HAS_BIAS: bool = false;
override RELU: bool = false;

struct Params {
  size: u32, // of y
  inD: u32, inH: u32, inW: u32, inC: u32,
  outD: u32, outH: u32, outW: u32, outC: u32,
  kD: u32, kH: u32, kW: u32,
  strideD: u32, strideH: u32, strideW: u32,
  dilationD: u32, dilationH: u32, dilationW: u32,
  padFront: i32, padTop: i32, padLeft: i32,
  perIn: u32, perOut: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= params.size) { return; }
  let o = at % params.outC;
  var rest = at / params.outC;
  let ox = rest % params.outW; rest /= params.outW;
  let oy = rest % params.outH; rest /= params.outH;
  let oz = rest % params.outD;
  let n = rest / params.outD;
  let first = o / params.perOut * params.perIn;
  var sum = 0.0;
  for (var kz = 0u; kz < params.kD; kz++) {
    let iz = i32(oz * params.strideD + kz * params.dilationD) - params.padFront;
    if (iz < 0 || iz >= i32(params.inD)) { continue; }
    for (var ky = 0u; ky < params.kH; ky++) {
      let iy = i32(oy * params.strideH + ky * params.dilationH) - params.padTop;
      if (iy < 0 || iy >= i32(params.inH)) { continue; }
      for (var kx = 0u; kx < params.kW; kx++) {
        let ix = i32(ox * params.strideW + kx * params.dilationW) - params.padLeft;
        if (ix < 0 || ix >= i32(params.inW)) { continue; }
        let pixel = (((n * params.inD + u32(iz)) * params.inH + u32(iy)) * params.inW + u32(ix)) * params.inC + first;
        let tap = ((kz * params.kH + ky) * params.kW + kx) * params.perIn * params.outC + o;
        for (var i = 0u; i < params.perIn; i++) { sum = fma(x[pixel + i], w[tap + i * params.outC], sum); }
      }
    }
  }
  if (HAS_BIAS) { sum += bias[o]; }
  if (RELU) { sum = select(sum, 0.0, sum < 0.0); } // a NaN stays one
  y[at] = sum;
}

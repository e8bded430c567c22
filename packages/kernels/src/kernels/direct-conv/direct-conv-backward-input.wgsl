// Gradient of direct-conv.wgsl by its input, one thread per element of dx:
//   dx[n, iz, iy, ix, c] = sum over (kz, ky, kx, o) of dy[n, oz, oy, ox, g * perOut + o] * w[kz, ky, kx, c % perIn, g * perOut + o]
// over those taps for which iz + padFront - kz * dilationD = oz * strideD and so on; g = c / perIn is the group of c.

const THREADS: u32 = 64u; // @tune

struct Params {
  size: u32, // of dx
  inD: u32, inH: u32, inW: u32, inC: u32,
  outD: u32, outH: u32, outW: u32, outC: u32,
  kD: u32, kH: u32, kW: u32,
  strideD: u32, strideH: u32, strideW: u32,
  dilationD: u32, dilationH: u32, dilationW: u32,
  padFront: i32, padTop: i32, padLeft: i32,
  perIn: u32, perOut: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// Where the window begins whose tap k, `dilation` apart, lies on i; -1 where no window does.
fn origin(i: u32, padding: i32, k: u32, dilation: u32, stride: u32, count: u32) -> i32 {
  let distance = i32(i) + padding - i32(k * dilation);
  if (distance < 0 || u32(distance) % stride != 0u) { return -1; }
  let o = u32(distance) / stride;
  return select(-1, i32(o), o < count);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= params.size) { return; }
  let c = at % params.inC;
  var rest = at / params.inC;
  let ix = rest % params.inW; rest /= params.inW;
  let iy = rest % params.inH; rest /= params.inH;
  let iz = rest % params.inD;
  let n = rest / params.inD;
  let first = c / params.perIn * params.perOut;
  var sum = 0.0;
  for (var kz = 0u; kz < params.kD; kz++) {
    let oz = origin(iz, params.padFront, kz, params.dilationD, params.strideD, params.outD);
    if (oz < 0) { continue; }
    for (var ky = 0u; ky < params.kH; ky++) {
      let oy = origin(iy, params.padTop, ky, params.dilationH, params.strideH, params.outH);
      if (oy < 0) { continue; }
      for (var kx = 0u; kx < params.kW; kx++) {
        let ox = origin(ix, params.padLeft, kx, params.dilationW, params.strideW, params.outW);
        if (ox < 0) { continue; }
        let pixel = (((n * params.outD + u32(oz)) * params.outH + u32(oy)) * params.outW + u32(ox)) * params.outC + first;
        let tap = (((kz * params.kH + ky) * params.kW + kx) * params.perIn + c % params.perIn) * params.outC + first;
        for (var o = 0u; o < params.perOut; o++) { sum = fma(dy[pixel + o], w[tap + o], sum); }
      }
    }
  }
  y[at] = sum;
}

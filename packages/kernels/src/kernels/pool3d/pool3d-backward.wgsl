// Gradient of pool3d.wgsl, one thread per element of x: the sum of dy over the windows that hold it, of an average divided
// by how much of the window lies in the volume, of a maximum those alone whose position it is. No atomics.

const THREADS: u32 = 64u; // @tune

override AVERAGE: bool = false;

struct Params {
  size: u32, // of x
  channels: u32,
  inD: u32, inH: u32, inW: u32,
  outD: u32, outH: u32, outW: u32,
  kD: u32, kH: u32, kW: u32,
  strideD: u32, strideH: u32, strideW: u32,
  dilationD: u32, dilationH: u32, dilationW: u32,
  padFront: i32, padTop: i32, padLeft: i32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
// Of the maxima of each window.
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// Where the window begins whose tap k, `dilation` apart, lies on i; -1 where no window does.
fn origin(i: u32, padding: i32, k: u32, dilation: u32, stride: u32, count: u32) -> i32 {
  let distance = i32(i) + padding - i32(k * dilation);
  if (distance < 0 || u32(distance) % stride != 0u) { return -1; }
  let o = u32(distance) / stride;
  return select(-1, i32(o), o < count);
}

// How many taps of the window o lie in the volume.
fn inside(o: i32, stride: u32, padding: i32, taps: u32, dilation: u32, size: u32) -> f32 {
  var count = 0.0;
  for (var k = 0u; k < taps; k++) {
    let i = o * i32(stride) - padding + i32(k * dilation);
    if (i >= 0 && i < i32(size)) { count += 1.0; }
  }
  return count;
}

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
  let ix = rest % params.inW; rest /= params.inW;
  let iy = rest % params.inH; rest /= params.inH;
  let iz = rest % params.inD;
  let n = rest / params.inD;
  let own = ((iz * params.inH + iy) * params.inW + ix) * params.channels + c;
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
        let o = (((n * params.outD + u32(oz)) * params.outH + u32(oy)) * params.outW + u32(ox)) * params.channels + c;
        if (AVERAGE) {
          let taps = inside(oz, params.strideD, params.padFront, params.kD, params.dilationD, params.inD)
            * inside(oy, params.strideH, params.padTop, params.kH, params.dilationH, params.inH)
            * inside(ox, params.strideW, params.padLeft, params.kW, params.dilationW, params.inW);
          sum += dy[o] / taps;
        } else if (positions[o] == own) { sum += dy[o]; }
      }
    }
  }
  y[at] = sum;
}

// Gradients of dilation2d.wgsl: dy goes to the pixel and to the filter element that made the maximum. One thread per element
// of x, which looks at the windows that hold it, or (OF_FILTER) of w, which looks at all windows. No atomics.

const THREADS: u32 = 64u; // @tune

override OF_FILTER: bool = false;

struct Params {
  size: u32, // of x, or of w
  batch: u32,
  channels: u32,
  inH: u32, inW: u32,
  outH: u32, outW: u32,
  kH: u32, kW: u32,
  strideH: u32, strideW: u32,
  dilationH: u32, dilationW: u32,
  padTop: i32, padLeft: i32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> taps: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// Where the window begins whose tap k, `dilation` apart, lies on i; -1 where no window does.
fn origin(i: u32, padding: i32, k: u32, dilation: u32, stride: u32, count: u32) -> i32 {
  let distance = i32(i) + padding - i32(k * dilation);
  if (distance < 0 || u32(distance) % stride != 0u) { return -1; }
  let o = u32(distance) / stride;
  return select(-1, i32(o), o < count);
}

fn ofPixel(at: u32) -> f32 {
  let c = at % params.channels;
  let ix = at / params.channels % params.inW;
  let iy = at / params.channels / params.inW % params.inH;
  let n = at / params.channels / params.inW / params.inH;
  var sum = 0.0;
  for (var ky = 0u; ky < params.kH; ky++) {
    let oy = origin(iy, params.padTop, ky, params.dilationH, params.strideH, params.outH);
    if (oy < 0) { continue; }
    for (var kx = 0u; kx < params.kW; kx++) {
      let ox = origin(ix, params.padLeft, kx, params.dilationW, params.strideW, params.outW);
      if (ox < 0) { continue; }
      let o = ((n * params.outH + u32(oy)) * params.outW + u32(ox)) * params.channels + c;
      if (taps[o] == ky * params.kW + kx) { sum += dy[o]; }
    }
  }
  return sum;
}

fn ofFilter(at: u32) -> f32 {
  let c = at % params.channels;
  var sum = 0.0;
  for (var p = 0u; p < params.batch * params.outH * params.outW; p++) {
    let o = p * params.channels + c;
    if (taps[o] == at / params.channels) { sum += dy[o]; }
  }
  return sum;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= params.size) { return; }
  if (OF_FILTER) { y[at] = ofFilter(at); } else { y[at] = ofPixel(at); }
}

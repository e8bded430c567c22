// dx[pixel] = sum over the windows that hold it of dy / (pixels of the window that lie in the image). NHWC.
// This is the gradient of avg-pool.wgsl; tfjs-cpu divides by the whole window here, also where it overhangs.
// One thread per input pixel.

const THREADS: u32 = 128u; // @tune

struct Params {
  size: u32, // of dx
  channels: u32,
  inH: u32,
  inW: u32,
  outH: u32,
  outW: u32,
  filterH: u32,
  filterW: u32,
  strideH: u32,
  strideW: u32,
  dilationH: u32,
  dilationW: u32,
  padTop: i32,
  padLeft: i32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// How many taps from `start` on, `step` apart, lie in [0, size).
fn inside(start: i32, taps: u32, step: u32, size: u32) -> u32 {
  var count = 0u;
  for (var k = 0u; k < taps; k++) {
    let at = start + i32(k * step);
    if (at >= 0 && at < i32(size)) { count++; }
  }
  return count;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let c = i % params.channels;
  let ix = i / params.channels % params.inW;
  let iy = i / (params.channels * params.inW) % params.inH;
  let n = i / (params.channels * params.inW * params.inH);
  var sum = 0.0;
  for (var ky = 0u; ky < params.filterH; ky++) {
    let top = i32(iy) - i32(ky * params.dilationH);
    let row = top + params.padTop;
    if (row < 0 || u32(row) % params.strideH != 0u) { continue; }
    let oy = u32(row) / params.strideH;
    if (oy >= params.outH) { continue; }
    let rows = inside(top, params.filterH, params.dilationH, params.inH);
    for (var kx = 0u; kx < params.filterW; kx++) {
      let left = i32(ix) - i32(kx * params.dilationW);
      let column = left + params.padLeft;
      if (column < 0 || u32(column) % params.strideW != 0u) { continue; }
      let ox = u32(column) / params.strideW;
      if (ox >= params.outW) { continue; }
      let o = ((n * params.outH + oy) * params.outW + ox) * params.channels + c;
      let columns = inside(left, params.filterW, params.dilationW, params.inW);
      sum += dy[o] / f32(rows * columns);
    }
  }
  dx[i] = sum;
}

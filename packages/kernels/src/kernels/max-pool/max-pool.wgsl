// y = maximum of x over a window, NHWC; padding never wins. A thread makes PER_THREAD outputs.

alias Stored = f32; // @stored
alias Real = f32;   // @wide

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 128u;  // @tune

struct Params {
  size: u32, // of y, in Reals
  channels: u32, // of Reals
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

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    compute(i);
  }
}

fn compute(i: u32) {
  let c = i % params.channels;
  let ox = i / params.channels % params.outW;
  let oy = i / (params.channels * params.outW) % params.outH;
  let n = i / (params.channels * params.outW * params.outH);
  let top = i32(oy * params.strideH) - params.padTop;
  let left = i32(ox * params.strideW) - params.padLeft;
  var best = Real(-3.4028234e38);
  var isEmpty = true; // so that a window of minus infinities yields minus infinity
  for (var ky = 0u; ky < params.filterH; ky++) {
    let iy = top + i32(ky * params.dilationH);
    if (iy < 0 || iy >= i32(params.inH)) { continue; }
    for (var kx = 0u; kx < params.filterW; kx++) {
      let ix = left + i32(kx * params.dilationW);
      if (ix < 0 || ix >= i32(params.inW)) { continue; }
      let v = Real(x[((n * params.inH + u32(iy)) * params.inW + u32(ix)) * params.channels + c]);
      best = select(select(best, v, v > best), v, isEmpty);
      isEmpty = false;
    }
  }
  y[i] = Stored(best);
}

// taps = which tap of its window, in rows from the top left, is the first maximum that max-pooling kept. NHWC.
// A thread has one channel of PER_THREAD windows that follow one another, so that it divides once.

alias Stored = f32; // @stored
alias Real = f32;   // @wide
alias Tap = u32;    // @wide

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 128u;  // @tune

struct Params {
  pixels: u32, // of the output, over the batch
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
@group(0) @binding(1) var<storage, read_write> taps: array<Tap>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  let c = i % params.channels;
  let pixel = i / params.channels * PER_THREAD;
  var ox = pixel % params.outW;
  let row = pixel / params.outW;
  var oy = row % params.outH;
  var n = row / params.outH;
  let end = min(pixel + PER_THREAD, params.pixels);
  for (var o = pixel; o < end; o++) {
    taps[o * params.channels + c] = firstMaximum(n, oy, ox, c);
    ox++;
    if (ox == params.outW) {
      ox = 0u;
      oy++;
      if (oy == params.outH) {
        oy = 0u;
        n++;
      }
    }
  }
}

fn firstMaximum(n: u32, oy: u32, ox: u32, c: u32) -> Tap {
  let top = i32(oy * params.strideH) - params.padTop;
  let left = i32(ox * params.strideW) - params.padLeft;
  var best = Real(0.0);
  var isEmpty = true;
  var found = Tap(0u);
  for (var ky = 0u; ky < params.filterH; ky++) {
    let iy = top + i32(ky * params.dilationH);
    if (iy < 0 || iy >= i32(params.inH)) { continue; }
    for (var kx = 0u; kx < params.filterW; kx++) {
      let ix = left + i32(kx * params.dilationW);
      if (ix < 0 || ix >= i32(params.inW)) { continue; }
      let v = Real(x[((n * params.inH + u32(iy)) * params.inW + u32(ix)) * params.channels + c]);
      found = select(found, Tap(ky * params.filterW + kx), v > best);
      best = select(best, v, v > best);
      if (isEmpty) {
        best = v;
        found = Tap(ky * params.filterW + kx);
        isEmpty = false;
      }
    }
  }
  return found;
}

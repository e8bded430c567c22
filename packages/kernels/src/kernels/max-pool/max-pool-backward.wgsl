// dx[pixel] = sum of dy over the windows whose tap on this pixel is the one that was kept (max-pool-taps.wgsl). NHWC.
// Input pixels gather; no atomics. A thread has one channel of PER_THREAD pixels that follow one another, so that it divides
// once; strides and dilations are constants, as a division by an unknown number costs more than all else here.

alias Stored = f32; // @stored
alias Real = f32;   // @wide
alias Tap = u32;    // @wide

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 128u;  // @tune

override STRIDE_H: u32 = 1u;
override STRIDE_W: u32 = 1u;
override DILATION_H: u32 = 1u;
override DILATION_W: u32 = 1u;

struct Params {
  pixels: u32, // of dx, over the batch
  channels: u32, // of Reals
  inH: u32,
  inW: u32,
  outH: u32,
  outW: u32,
  filterH: u32,
  filterW: u32,
  padTop: i32,
  padLeft: i32,
}

@group(0) @binding(0) var<storage, read> dy: array<Stored>;
@group(0) @binding(1) var<storage, read> taps: array<Tap>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  let c = i % params.channels;
  let pixel = i / params.channels * PER_THREAD;
  var ix = pixel % params.inW;
  let row = pixel / params.inW;
  var iy = row % params.inH;
  var n = row / params.inH;
  let end = min(pixel + PER_THREAD, params.pixels);
  for (var p = pixel; p < end; p++) {
    dx[p * params.channels + c] = Stored(gradient(n, iy, ix, c));
    ix++;
    if (ix == params.inW) {
      ix = 0u;
      iy++;
      if (iy == params.inH) {
        iy = 0u;
        n++;
      }
    }
  }
}

fn gradient(n: u32, iy: u32, ix: u32, c: u32) -> Real {
  // The pixel in the padded image, and the windows that reach it: from the first whose last tap does to the one on it.
  let row = u32(i32(iy) + params.padTop);
  let column = u32(i32(ix) + params.padLeft);
  let oyEnd = min(row / STRIDE_H + 1u, params.outH);
  let oxEnd = min(column / STRIDE_W + 1u, params.outW);
  let ox0 = firstWindow(column, (params.filterW - 1u) * DILATION_W, STRIDE_W);
  var sum = Real(0.0);
  for (var oy = firstWindow(row, (params.filterH - 1u) * DILATION_H, STRIDE_H); oy < oyEnd; oy++) {
    let down = row - oy * STRIDE_H;
    let tapY = down / DILATION_H;
    if (tapY * DILATION_H != down) { continue; }
    for (var ox = ox0; ox < oxEnd; ox++) {
      let right = column - ox * STRIDE_W;
      let tapX = right / DILATION_W;
      if (tapX * DILATION_W != right) { continue; }
      let o = ((n * params.outH + oy) * params.outW + ox) * params.channels + c;
      sum += select(Real(0.0), Real(dy[o]), taps[o] == Tap(tapY * params.filterW + tapX));
    }
  }
  return sum;
}

fn firstWindow(position: u32, reach: u32, stride: u32) -> u32 {
  return select(0u, (position - reach + stride - 1u) / stride, position > reach);
}

// dx[pixel] = sum of dy over the windows whose first maximum, in rows from the top left, is this pixel. NHWC.
// Input pixels gather, PER_THREAD of them in a thread; a pixel below its window's maximum is told at once, by y. No atomics.

alias Stored = f32; // @stored

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 128u;  // @tune

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

@group(0) @binding(0) var<storage, read> dy: array<Stored>;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> y: array<Stored>;
@group(0) @binding(3) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(4) var<uniform> params: Params;

// Whether an earlier pixel of the window at (top, left) than its tap (tapY, tapX) holds the maximum, too.
fn isTaken(n: u32, c: u32, top: i32, left: i32, tapY: u32, tapX: u32, best: Stored) -> bool {
  for (var ky = 0u; ky <= tapY; ky++) {
    let iy = top + i32(ky * params.dilationH);
    if (iy < 0 || iy >= i32(params.inH)) { continue; }
    let end = select(params.filterW, tapX, ky == tapY);
    for (var kx = 0u; kx < end; kx++) {
      let ix = left + i32(kx * params.dilationW);
      if (ix < 0 || ix >= i32(params.inW)) { continue; }
      if (x[((n * params.inH + u32(iy)) * params.inW + u32(ix)) * params.channels + c] == best) { return true; }
    }
  }
  return false;
}

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
  let ix = i / params.channels % params.inW;
  let iy = i / (params.channels * params.inW) % params.inH;
  let n = i / (params.channels * params.inW * params.inH);
  let value = x[i];

  // The pixel in the padded image, and the windows that reach it: from the first whose last tap does to the one on it.
  let row = u32(i32(iy) + params.padTop);
  let column = u32(i32(ix) + params.padLeft);
  let oyEnd = min(row / params.strideH + 1u, params.outH);
  let oxEnd = min(column / params.strideW + 1u, params.outW);
  let ox0 = firstWindow(column, (params.filterW - 1u) * params.dilationW, params.strideW);
  var sum = 0.0;
  for (var oy = firstWindow(row, (params.filterH - 1u) * params.dilationH, params.strideH); oy < oyEnd; oy++) {
    let down = row - oy * params.strideH;
    let tapY = down / params.dilationH;
    if (tapY * params.dilationH != down) { continue; }
    for (var ox = ox0; ox < oxEnd; ox++) {
      let right = column - ox * params.strideW;
      let tapX = right / params.dilationW;
      if (tapX * params.dilationW != right) { continue; }
      let o = ((n * params.outH + oy) * params.outW + ox) * params.channels + c;
      if (value != y[o]) { continue; }
      let top = i32(oy * params.strideH) - params.padTop;
      let left = i32(ox * params.strideW) - params.padLeft;
      if (!isTaken(n, c, top, left, tapY, tapX, value)) { sum += f32(dy[o]); }
    }
  }
  dx[i] = Stored(sum);
}

fn firstWindow(position: u32, reach: u32, stride: u32) -> u32 {
  return select(0u, (position - reach + stride - 1u) / stride, position > reach);
}
